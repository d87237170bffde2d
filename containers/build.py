"""Build the five images with podman or docker, whichever is there: `python containers/build.py`.

Standard library only. Podman gets settings of its own, which work where a container has no systemd,
no raised limits and no user namespaces; nothing in /etc is touched.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
IMAGES: Mapping[str, str | None] = {
    "airflow": "airflow",
    "postgres": None,
    "seaweedfs": "dev",
    "serving": "serving",
    "tasks": "tasks",
}
"""Each image and the lock that it is installed from."""
PODMAN = """\
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=8192:8192"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
"""
MEGABYTE = 1_000_000
AT_ONCE = 2  # an image waits for its downloads half of the time


class Engine:
    """podman or docker."""

    def __init__(self, command: str, folder: Path) -> None:
        self.name = Path(command).name
        self._command = command
        self._environment = dict(os.environ)
        if self.name == "podman" and "CONTAINERS_CONF" not in os.environ:
            settings = folder / "containers.conf"
            settings.write_text(PODMAN, encoding="utf-8")
            self._environment["CONTAINERS_CONF"] = str(settings)

    def __call__(self, *args: str | Path, quiet: bool = False) -> str:
        """Run one command and return what it says; `quiet` False shows it meanwhile."""
        done = subprocess.run(
            [self._command, *map(str, args)],
            env=self._environment,
            check=True,
            text=True,
            stdout=subprocess.PIPE if quiet else None,
        )
        return done.stdout or ""


def main(arguments: Sequence[str]) -> int:
    """Build, and print a table of what was built."""
    args = _parser().parse_args(arguments)
    engine_name = args.engine or usable(("podman", "docker"))
    if engine_name is None:
        sys.stderr.write("Neither podman nor docker works here; install podman, or start docker.\n")
        return 2
    with tempfile.TemporaryDirectory(prefix="images-") as folder:
        engine = Engine(engine_name, Path(folder))
        bases = _bases(engine, Path(folder), args) if args.debootstrap else {}
        with ThreadPoolExecutor(AT_ONCE) as pool:
            rows = list(pool.map(lambda name: _build(engine, name, args, bases), args.images))
    width = max(len(row[0]) for row in rows)
    for name, size, seconds in rows:
        sys.stdout.write(f"{name:{width}}  {size / MEGABYTE:7.0f} MB  {seconds:6.1f} s\n")
    return 0


def usable(names: Sequence[str]) -> str | None:
    """Return the first program that is there and answers: a docker without its daemon does not."""
    for name in names:
        command = shutil.which(name)
        if (
            command
            and subprocess.run([command, "info"], capture_output=True, check=False).returncode == 0
        ):
            return command
    return None


def _build(
    engine: Engine, name: str, args: argparse.Namespace, bases: Mapping[str, str]
) -> tuple[str, int, float]:
    image = f"{args.prefix}{name}:{args.tag}"
    build_args = {"REVISION": _revision(), **bases}
    lock = IMAGES[name]
    if lock is not None:
        body = (PROJECT / "locks" / f"{lock}.txt").read_bytes()
        build_args["LOCK"] = f"sha256:{hashlib.sha256(body).hexdigest()}"
    options = [f"--build-arg={key}={value}" for key, value in build_args.items()]
    if engine.name == "podman" and args.authorities:
        inside = "/etc/ssl/certs/ca-certificates.crt"
        options.append(f"--volume={args.authorities}:{inside}:ro")
    began = time.monotonic()
    file = PROJECT / "containers" / name / "Containerfile"
    if not file.exists():  # one of several targets that share their build
        file = PROJECT / "containers" / "Containerfile"
        options.append(f"--target={name}")
    engine("build", *options, f"--file={file}", f"--tag={image}", PROJECT)
    size = json.loads(engine("image", "inspect", image, quiet=True))[0]["Size"]
    if args.save:
        _save(engine, image, args.save / f"{name}.tar")
    return image, int(size), time.monotonic() - began


def _bases(engine: Engine, folder: Path, args: argparse.Namespace) -> dict[str, str]:
    """Make what the images begin with, and return it by the name of the build's argument."""
    script = PROJECT / "containers" / "base.sh"
    subprocess.run([script, engine.name, folder, args.tag], check=True)
    return {
        argument: f"localhost/perennial-{name}:{args.tag}"
        for argument, name in (("BASE", "base"), ("BUILD", "build"))
    }


def _save(engine: Engine, image: str, archive: Path) -> None:
    """Write an image as an archive that a node can load."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    archive.unlink(missing_ok=True)
    engine("save", "--output", archive, image, quiet=True)


def _revision() -> str:
    """Return the commit that is checked out; `unknown` in a tree without git."""
    git = shutil.which("git")
    if git is None:
        return "unknown"
    command = [git, "-C", str(PROJECT), "rev-parse", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("images", nargs="*", default=list(IMAGES), help="some of the five")
    parser.add_argument("--engine", help="podman or docker (default: whichever is there)")
    parser.add_argument("--prefix", default="localhost/perennial-", help="before each name")
    parser.add_argument("--tag", default="0.1.0", help="never `latest`, which is always pulled")
    parser.add_argument("--save", type=Path, metavar="FOLDER", help="write archives as well")
    parser.add_argument(
        "--debootstrap", action="store_true", help="make the base images: no registry is needed"
    )
    parser.add_argument(
        "--authorities",
        type=Path,
        metavar="FILE",
        default=os.environ.get("SSL_CERT_FILE"),
        help="certificates to trust in a build (podman; default: $SSL_CERT_FILE)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
