"""SeaweedFS 4.48 as the S3 store of one machine: one process, loopback only, telemetry off.

Every port is given, since one that is taken moves silently otherwise. `GOMEMLIMIT` holds the
memory under multipart writes (measured: 1.3-2.1 GB without, 0.6 GB with 512 MiB).
"""

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from contract.errors import InvalidRequest, TryAgain
from perennial.local.credentials import BUCKET, identities
from perennial.local.environment import store_environment
from perennial.local.home import write_private
from perennial.local.http_probe import probe
from perennial.local.ports import LOOPBACK, STORE, STORE_PORTS, keep_ports

READY_SECONDS = 30
STOP_SECONDS = 20  # measured: 2-5 s, 14 s in 3 of 12 stops


@dataclass(frozen=True)
class Seaweed:
    """A store that was started for a while, such as for a session of tests."""

    process: subprocess.Popen[bytes]
    environment: dict[str, str]
    """The variables from which `contract.store.client.Store` opens it."""
    ports: dict[str, int]

    def stop(self) -> None:
        """End the process and wait for it."""
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        remove_sockets(self.ports)


def start(
    folder: Path,
    memory: str = "256MiB",
    bucket: str = BUCKET,
    *,
    ready_seconds: float = READY_SECONDS,
) -> Seaweed:
    """Start a store with its data, keys and ports in `folder`, and wait until it answers.

    Raises:
        InvalidRequest: the program `weed` is not installed.
        TryAgain: it did not become ready within `ready_seconds`.
    """
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    ports = keep_ports(folder / "ports.json", STORE_PORTS)
    access_key, secret_key = secrets.token_hex(10).upper(), secrets.token_urlsafe(30)
    write_private(folder / "s3.json", identities(access_key, secret_key))
    configure(data)
    variables = server_environment(memory, secrets.token_urlsafe(24))
    with (folder / "store.log").open("ab") as log:
        process = subprocess.Popen(
            command(data, folder / "s3.json", ports, bucket),
            env=variables | {name: os.environ[name] for name in ("PATH",) if name in os.environ},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    store = Seaweed(process, store_environment(ports, access_key, secret_key, bucket), ports)
    try:
        wait_until_ready(ports, bucket, process, ready_seconds)
    except TryAgain:
        store.stop()
        raise
    return store


def configure(data: Path) -> None:
    """Configure a new store to keep its file names in one database.

    By default they are in eight, each of which buffers 8 to 24 MiB. A store that began with eight
    keeps them: its names are there.
    """
    if not (data / "filerldb2").exists():
        folder = json.dumps(str(data.absolute() / "filerldb"))
        text = f"[leveldb]\nenabled = true\ndir = {folder}\n"
        (data / "filer.toml").write_text(text, encoding="utf-8")


def command(
    data: Path, identity_file: Path, ports: Mapping[str, int], bucket: str = BUCKET
) -> list[str]:
    """Return the command line of the store."""
    arguments = [str(program()), "-logtostderr=true", f"-config_dir={data}", "mini", f"-dir={data}"]
    arguments += [f"-ip={LOOPBACK}", f"-ip.bind={LOOPBACK}", "-master.telemetry=false"]
    # A master that takes up its old raft state spins in its loop: 4 % of a core, not 0.7 %. What
    # volumes there are it hears from the volume server.
    arguments += ["-master.resumeState=false"]
    arguments += ["-webdav=false", "-s3.port.iceberg=0", "-s3.port.lance=0"]
    # What it keeps of what was read counts as live memory: with a limit below, the collector would
    # never rest. The system's own page cache serves one machine as well.
    arguments += ["-s3.cacheCapacityMB=0", "-s3.readerCacheSizeMB=32"]
    arguments += [f"-s3.config={identity_file}", f"-bucket={bucket}"]
    for name in STORE:
        part = name.removeprefix("store-").replace("store", "s3")
        arguments += [f"-{part}.port={ports[name]}", f"-{part}.port.grpc={ports[f'{name}-grpc']}"]
    return arguments


def server_environment(memory: str, admin_password: str) -> dict[str, str]:
    """Return the variables of the server itself; `memory` is soft, as Go understands it."""
    # Without a password the admin pages would be open to every process of the machine.
    return {
        "GOMEMLIMIT": memory,
        # Of what lives, some 60 MB, a third may be garbage before it is collected.
        "GOGC": "30",
        "WEED_ADMIN_USER": "admin",
        "WEED_ADMIN_PASSWORD": admin_password,
    }


def program() -> Path:
    """Return the `weed` of this environment, else the one on PATH.

    Raises:
        InvalidRequest: there is none.
    """
    beside = Path(sys.executable).with_name("weed")
    path = str(beside) if beside.exists() else shutil.which("weed")
    if path is None:
        sentence = f"The program 'weed' is not in {str(beside.parent)!r}; run `make up`, which installs it."
        raise InvalidRequest(sentence)
    return Path(path)


def is_ready(ports: Mapping[str, int], bucket: str = BUCKET) -> bool:
    """Tell whether the store answers and has its bucket."""
    return _is_ok(ports["store"], "/healthz") and has(ports, "", bucket)


def has(ports: Mapping[str, int], key: str, bucket: str = BUCKET) -> bool:
    """Tell whether `key` is in the store, by its file server: 2 ms, no S3 client in memory."""
    return _is_ok(ports["store-filer"], f"/buckets/{bucket}/{key}", "HEAD")


def wait_until_ready(
    ports: Mapping[str, int],
    bucket: str,
    process: subprocess.Popen[bytes],
    ready_seconds: float = READY_SECONDS,
) -> None:
    """Wait until the store answers.

    Raises:
        TryAgain: the process ended, or `ready_seconds` went by.
    """
    deadline = time.monotonic() + ready_seconds
    while not is_ready(ports, bucket):
        if process.poll() is not None:
            sentence = f"The store ended with exit code {process.returncode}; see its log."
            raise TryAgain(sentence)
        if time.monotonic() > deadline:
            sentence = f"The store did not answer within {ready_seconds:g} s; see its log."
            raise TryAgain(sentence)
        time.sleep(0.05)


def make_durable(ports: Mapping[str, int], bucket: str = BUCKET) -> None:
    """Have every write to `bucket` flushed to the disk before it is answered.

    Without it a loss of power can lose what was acknowledged (measured: no fsync in 200 writes;
    with it 300 small writes take 0.9-1.3 s, not 0.7 s). The store remembers the setting.

    Raises:
        TryAgain: the store did not take it.
    """
    script = f"fs.configure -locationPrefix=/buckets/{bucket} -fsync=true -apply\n"
    done = subprocess.run(
        [program(), "shell", f"-master={LOOPBACK}:{_with_grpc(ports, 'store-master')}"],
        input=script.encode(),
        capture_output=True,
        timeout=READY_SECONDS,
        check=False,
        env={"HOME": os.environ.get("HOME", "/")},
    )
    if done.returncode != 0 or b'"fsync":  true' not in done.stdout:
        sentence = f"The store did not take its durability setting: {done.stderr.decode()[-300:]}"
        raise TryAgain(sentence)


def remove_sockets(ports: Mapping[str, int]) -> None:
    """Remove the socket files that a killed store leaves in the system's folder for them."""
    for name in STORE_PORTS:
        for path in Path(tempfile.gettempdir()).glob(f"seaweedfs-*-{ports[name]}.sock"):
            path.unlink(missing_ok=True)


def _with_grpc(ports: Mapping[str, int], name: str) -> str:
    """Return both ports in SeaweedFS's spelling; it guesses port + 10,000 for gRPC otherwise."""
    return f"{ports[name]}.{ports[f'{name}-grpc']}"


def _is_ok(port: int, path: str, method: str = "GET") -> bool:
    response = probe(port, path, method=method)
    return response is not None and response[0] == HTTPStatus.OK
