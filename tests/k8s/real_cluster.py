"""A real cluster as the tests use it: through kubectl, and through the doors that a person has."""

import base64
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
PLATFORM, TASKS, SERVING = "perennial", "perennial-tasks", "perennial-serving"
PARTS = ("api", "scheduler", "dag-processor")
POLL_SECONDS = 0.5


class Cluster:
    """What kubectl can do with one cluster."""

    def __init__(self, kubectl: str, kubeconfig: str) -> None:
        self._kubectl = kubectl
        self._environment = os.environ | {"KUBECONFIG": kubeconfig}

    def __call__(self, *words: str | Path, given: str | None = None, check: bool = True) -> str:
        done = subprocess.run(
            [self._kubectl, *map(str, words)],
            env=self._environment,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"kubectl {' '.join(map(str, words))}: {done.stderr}")
        return done.stdout

    def perennial(self, *words: str) -> Any:
        """Return the one document of the person's command."""
        command = [sys.executable, "-m", "perennial", "--on", "kubernetes", *words, "--json"]
        done = subprocess.run(
            command, env=self._environment, cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def get(self, namespace: str, kind: str, *name: str) -> Any:
        return json.loads(self("-n", namespace, "get", kind, *name, "-o", "json"))

    def secret(self, namespace: str, name: str, key: str) -> str:
        data = self.get(namespace, "secret", name)["data"]
        return base64.b64decode(data[key]).decode()

    def wait_until_available(self, namespace: str, name: str, seconds: int) -> None:
        limit = f"--timeout={seconds}s"
        self("-n", namespace, "rollout", "status", f"deployment/{name}", limit)

    @contextmanager
    def forward(self, namespace: str, service: str) -> Iterator[str]:
        """Yield a URL of this machine that leads to a Service."""
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = found.getsockname()[1]
        command = [self._kubectl, "-n", namespace, "port-forward", f"service/{service}"]
        process = subprocess.Popen(
            [*command, f"{port}:8080"],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            assert process.stdout is not None
            first = process.stdout.readline()
            assert "Forwarding" in first, first
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(10)
            if process.stdout is not None:
                process.stdout.close()

    def run_python(self, name: str, program: str) -> None:
        """Run a program on the stages' image, with the landing volume to write to."""
        image = self.get(PLATFORM, "configmap", "images")["data"]["tasks"]
        pod = _pod(name, image, program)
        self("apply", "-f", "-", given=json.dumps(pod))
        until(lambda: self._phase(name) in {"Succeeded", "Failed"}, 120, f"pod {name}")
        assert self._phase(name) == "Succeeded", self("-n", TASKS, "logs", name)
        self("-n", TASKS, "delete", "pod", name)

    def _phase(self, name: str) -> str:
        return str(self.get(TASKS, "pod", name)["status"].get("phase"))


class Airflow:
    """Airflow's REST API, as the admin of the installation."""

    def __init__(self, url: str, password: str) -> None:
        self._client = httpx.Client(base_url=url, trust_env=False, timeout=30)
        answer = self._client.post("/auth/token", json={"username": "admin", "password": password})
        answer.raise_for_status()
        self._client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def ask(self, method: str, path: str, body: object = None) -> Any:
        answer = self._client.request(method, f"/api/v2/{path}", json=body)
        answer.raise_for_status()
        return answer.json()

    def has(self, dag: str) -> bool:
        return self._client.get(f"/api/v2/dags/{dag}").status_code == httpx.codes.OK

    def run(self, dag: str, run: str, conf: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Start a run, wait for its end, and return its tasks by name."""
        body = {"logical_date": None, "dag_run_id": run, "conf": conf}
        self.ask("POST", f"dags/{dag}/dagRuns", body)
        ended = {"success", "failed"}
        path = f"dags/{dag}/dagRuns/{run}"
        until(lambda: self.ask("GET", path)["state"] in ended, seconds, f"run {run} of {dag}")
        found = self.ask("GET", f"{path}/taskInstances?limit=100")["task_instances"]
        return {task["task_id"]: task for task in found}

    def told(self, dag: str, run: str, task: str, key: str = "return_value") -> Any:
        path = f"dags/{dag}/dagRuns/{run}/taskInstances/{task}/xcomEntries/{key}"
        return self.ask("GET", path)["value"]

    def log(self, dag: str, run: str, task: str) -> str:
        path = f"dags/{dag}/dagRuns/{run}/taskInstances/{task}/logs/1"
        return json.dumps(self.ask("GET", path))


def until(is_so: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:g} s"
        time.sleep(POLL_SECONDS)


@contextmanager
def cluster_for_tests(kubectl: str, folder: Path) -> Iterator[Cluster]:
    """Yield the cluster that the environment names: KUBECONFIG's, else a new one of TEST_CLUSTER."""
    given = os.environ.get("KUBECONFIG")
    if given:
        yield Cluster(kubectl, given)
        return
    place = Path(os.environ["TEST_CLUSTER"])
    kubeconfig = folder / "kubeconfig"
    try:
        subprocess.run([place / "up", kubeconfig], check=True)
        for archive in images(folder):
            subprocess.run([place / "load-image", archive], check=True)
        yield Cluster(shutil.which("kubectl") or kubectl, str(kubeconfig))
    finally:
        subprocess.run([place / "down", "--purge"], check=True)


def images(folder: Path) -> list[Path]:
    """Return the archives of the images: those of TEST_CLUSTER_IMAGES, else built anew."""
    there = os.environ.get("TEST_CLUSTER_IMAGES")
    if there:
        return sorted(Path(there).glob("*.tar"))
    build = [sys.executable, ROOT / "containers" / "build.py", "--debootstrap", "--save", folder]
    subprocess.run(build, check=True)
    return sorted(folder.glob("*.tar"))


def _pod(name: str, image: str, program: str) -> dict[str, Any]:
    restricted = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    container = {
        "name": "python",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "-c", program],
        "securityContext": restricted,
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "1Gi"}},
        "volumeMounts": [
            {"name": "landing", "mountPath": "/landing"},
            {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108 - the pod's own volume
        ],
    }
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "serviceAccountName": "stage",
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10_001,
            "runAsGroup": 10_001,
            "fsGroup": 10_001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [
            {"name": "landing", "persistentVolumeClaim": {"claimName": "landing"}},
            {"name": "scratch", "emptyDir": {}},
        ],
    }
    about = {"name": name, "namespace": TASKS}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": spec}
