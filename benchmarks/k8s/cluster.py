"""A real cluster through kubectl: that of KUBECONFIG, else one that TEST_CLUSTER boots."""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.k8s.pods import restricted_pod
from benchmarks.k8s.tunnel import Tunnel
from contract.kubernetes import HTTP_PORT

ROOT = Path(__file__).parents[2]
PLATFORM, TASKS, SERVING = "perennial", "perennial-tasks", "perennial-serving"
POLL_SECONDS = 0.25


class Cluster:
    """What kubectl can do with one cluster."""

    def __init__(self, kubectl: str, kubeconfig: str) -> None:
        self._kubectl = kubectl
        self._environment = os.environ | {"KUBECONFIG": kubeconfig}

    def __call__(self, *arguments: str | Path, given: str | None = None) -> str:
        """Run one command and return what it prints.

        Raises:
            RuntimeError: it failed.
        """
        return _output([self._kubectl, *map(str, arguments)], self._environment, given)

    def perennial(
        self,
        *arguments: str,
        problems: Path = ROOT / "problems",
        given: Mapping[str, str] | None = None,
    ) -> Any:  # noqa: ANN401 - parsed JSON
        """Return the one document of the person's command; `problems` is the folder of problem files.

        `given` are variables of the person's shell.

        Raises:
            RuntimeError: it ended with another exit code than 0.
        """
        command = [sys.executable, "-m", "perennial", "--on", "kubernetes", *arguments, "--json"]
        environment = self._environment | {"PERENNIAL_PROBLEMS": str(problems)} | dict(given or {})
        return json.loads(_output(command, environment))

    def shell(self, folder: Path, commands: str, given: Mapping[str, str]) -> str:
        """Run commands as a person does who stands in a folder and has kubectl on the PATH.

        Return what they print.

        Raises:
            RuntimeError: one failed.
        """
        path = f"{Path(self._kubectl).parent}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = self._environment | {"PATH": path} | dict(given)
        return _output(["bash", "-eo", "pipefail", "-c", commands], environment, folder=folder)

    def get(self, namespace: str, kind: str, *name: str) -> Any:  # noqa: ANN401 - parsed JSON
        """Return one object, or a list."""
        return json.loads(self("-n", namespace, "get", kind, *name, "-o", "json"))

    def secret(self, namespace: str, name: str, key: str) -> str:
        """Return one value of a Secret."""
        data = self.get(namespace, "secret", name)["data"]
        return base64.b64decode(data[key]).decode()

    def pods(self, namespace: str, selector: str) -> list[dict[str, Any]]:
        """Return the pods with these labels, oldest first."""
        found: list[dict[str, Any]] = self.get(namespace, "pods", "-l", selector)["items"]
        return sorted(found, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))

    def wait_until_available(self, namespace: str, name: str, seconds: float) -> None:
        """Wait until a Deployment's newest template is there and ready."""
        limit = f"--timeout={seconds:.0f}s"
        self("-n", namespace, "rollout", "status", f"deployment/{name}", limit)

    def hand_over(
        self, files: Sequence[Path], namespace: str, selector: str, container: str
    ) -> None:
        """Copy files to /programs of a container that runs and has `tar`; the last is `whole`."""
        until(lambda: self._runs(namespace, selector, container), 120, f"{container} of {selector}")
        pod = self.pods(namespace, selector)[-1]["metadata"]["name"]
        for file in files:
            there = f"{namespace}/{pod}:/programs/{file.name}"
            self("cp", "--no-preserve", "-c", container, file, there)
        self("-n", namespace, "exec", pod, "-c", container, "--", "touch", "/programs/whole")

    def run_python(self, name: str, program: str, *arguments: str, seconds: float = 120) -> str:
        """Run a program on the stages' image in a pod of the stages, and return what it prints.

        It sees the landing volume at /landing and no Secret.
        """
        image = self.get(PLATFORM, "configmap", "images")["data"]["tasks"]
        pod = restricted_pod(name, TASKS, image, ["python", "-c", program, *arguments])
        self("apply", "-f", "-", given=json.dumps(pod))
        try:
            until(lambda: self._phase(name) in {"Succeeded", "Failed"}, seconds, f"pod {name}")
            printed = self("-n", TASKS, "logs", name)
            if self._phase(name) != "Succeeded":
                raise RuntimeError(f"pod {name} failed: {printed}")
            return printed
        finally:
            self("-n", TASKS, "delete", "pod", name, "--wait=false")

    def tunnel(self, namespace: str, service: str, port: int = HTTP_PORT) -> Tunnel:
        """Return a way from this machine to a Service."""
        command = [self._kubectl, "-n", namespace, "port-forward", f"service/{service}"]
        return Tunnel(command, port, self._environment)

    def _runs(self, namespace: str, selector: str, container: str) -> bool:
        found = self.pods(namespace, selector)
        states = [
            status
            for pod in found[-1:]
            for kind in ("initContainerStatuses", "containerStatuses")
            for status in pod["status"].get(kind, [])
        ]
        return any(
            status["name"] == container and "running" in status["state"] for status in states
        )

    def _phase(self, name: str) -> str:
        return str(self.get(TASKS, "pod", name)["status"].get("phase"))


def until(is_so: Callable[[], bool], seconds: float, what: str) -> float:
    """Wait until something is so, and return the seconds that it took.

    Raises:
        RuntimeError: it was not so in time.
    """
    began = time.monotonic()
    while not is_so():
        if time.monotonic() > began + seconds:
            raise RuntimeError(f"{what}: not within {seconds:g} s")
        time.sleep(POLL_SECONDS)
    return time.monotonic() - began


def moment(text: str) -> float:
    """Return a point in time of Kubernetes or Airflow as seconds."""
    return datetime.fromisoformat(text).timestamp()


@contextmanager
def open_cluster(folder: Path) -> Iterator[Cluster]:
    """Yield the cluster that the environment names, with the images on its node.

    Raises:
        RuntimeError: it names none.
    """
    kubectl = shutil.which("kubectl") or str(Path(sys.executable).parent / "kubectl")
    given, tool = os.environ.get("KUBECONFIG"), os.environ.get("TEST_CLUSTER")
    if given:
        yield Cluster(kubectl, given)
    elif tool:
        kubeconfig = folder / "kubeconfig"
        try:
            subprocess.run([Path(tool) / "up", kubeconfig], check=True)
            for archive in images(folder):
                subprocess.run([Path(tool) / "load-image", archive], check=True)
            yield Cluster(kubectl, str(kubeconfig))
        finally:
            subprocess.run([Path(tool) / "down", "--purge"], check=True)
    else:
        raise RuntimeError("Neither KUBECONFIG nor TEST_CLUSTER is set, so there is no cluster.")


def images(folder: Path) -> list[Path]:
    """Build the images and return their archives."""
    script = str(ROOT / "containers" / "build.py")
    build = [sys.executable, script, "--debootstrap", "--save", str(folder)]
    subprocess.run(build, check=True)
    return sorted(folder.glob("*.tar"))


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield a folder that goes away."""
    with tempfile.TemporaryDirectory(prefix="cluster-") as name:
        yield Path(name)


def _output(
    command: list[str],
    environment: dict[str, str],
    given: str | None = None,
    folder: Path = ROOT,
) -> str:
    """Run a command from a folder, the project's own by default, and return what it prints.

    Raises:
        RuntimeError: it failed.
    """
    done = subprocess.run(
        command,
        env=environment,
        cwd=folder,
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return done.stdout
