"""What a trial of rollouts on a real cluster is made of: models, deployments and clients, as pods.

The stage runs as `dags/stage/pod.py` would run it, with the same account, labels, Secrets and image;
clients ask through the Service, from a namespace that is labelled for it.
"""

import json
import shutil
import time
from pathlib import Path
from typing import Any

from benchmarks.k8s.cluster import (
    PLATFORM,
    ROOT,
    SERVING,
    TASKS,
    Cluster,
    until,
)
from benchmarks.k8s.pods import restricted_pod
from contract.kubernetes import HTTP_PORT
from perennial.problems.kustomize import write_kustomizations

PROBLEM = "bake"
CLIENTS = "perennial-load"
HERE = Path(__file__).parent
"""Its folder `inside` holds what runs in the pods."""
ROW = {"age": 41.0, "income": 1250.5, "member": True, "city": "Oslo", "joined": "2020-02-29"}

Json = dict[str, Any]


class Trial:
    """One problem on a cluster, without Airflow."""

    def __init__(self, cluster: Cluster, tree: Path, problem: str = PROBLEM) -> None:
        self.cluster, self.problem, self._tree = cluster, problem, tree
        self.images = cluster.get(PLATFORM, "configmap", "images")["data"]
        self.problems = tree / "problems"
        self.overlay = self._overlay()
        self.papers: Json = {}

    def begin(self, runs: Json) -> None:
        """Apply the problem's service, and make the models and papers of the runs."""
        self.cluster("apply", "-k", self.overlay)
        space = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": CLIENTS, "labels": {"perennial/client": "true"}},
        }
        programs = {
            path.name: path.read_text()
            for path in (
                ROOT / "tests/support/bundle_factory.py",
                *sorted(HERE.glob("inside/*.py")),
            )
        }
        self._apply(space)
        for namespace in (CLIENTS, TASKS):
            about = {"name": "trial", "namespace": namespace}
            config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": about, "data": programs}
            self._apply(config)
        self.papers = self._run_papers("make", json.dumps({"problem": self.problem, "runs": runs}))

    def close(self) -> None:
        """Take the problem away again; what it left in the store stays."""
        gone = ("--wait=false", "--ignore-not-found")
        self.cluster("delete", "-k", self.overlay, *gone)
        self.cluster("delete", "namespace", CLIENTS, *gone)
        self.cluster("-n", TASKS, "delete", "configmap", "trial", *gone)

    def start_deployment(self, run: str) -> str:
        """Start the stage of a run and return its pod's name."""
        name = f"{self.problem}-deployment-{run}-{time.time_ns() // 1_000_000 % 1_000_000}"
        labels = {
            "app.kubernetes.io/name": "stage",
            "app.kubernetes.io/component": "deployment",
            "app.kubernetes.io/part-of": "perennial",
            "perennial/kubernetes-api": "true",
            "perennial/problem": self.problem,
        }
        container = self._tasks(["python", "-m", "tasks", *self.papers[run]["arguments"]])
        container["env"] += [
            {"name": "PERENNIAL_SERVING_NAMESPACE", "value": SERVING},
            {"name": "STAGE_RESULT", "value": "/dev/termination-log"},
            {"name": "PERENNIAL_VERIFY_KEYS", "value": "/keys/verify-keys"},
            {"name": "PERENNIAL_API_KEY", "value": "/keys/api-key/api.key"},
        ]
        self._start(TASKS, name, container, labels, ("verify-keys", "api-key"), "deployer")
        return name

    def ended(self, name: str, seconds: float = 300) -> tuple[int, Json]:
        """Wait for a deployment's end and return its exit code and what it tells."""
        state = self._ended(TASKS, name, seconds)
        result = json.loads(state["message"])
        self.cluster("-n", TASKS, "delete", "pod", name, "--wait=false")
        return state["exitCode"], result

    def deploy(self, run: str, seconds: float = 300) -> tuple[int, Json]:
        """Run the stage of a run to its end."""
        return self.ended(self.start_deployment(run), seconds)

    def roll_back(self) -> Json:
        """Go back to the model before, by the person's one command."""
        found: Json = self.cluster.perennial("rollback", self.problem, problems=self.problems)
        return found

    def start_load(self, name: str, requests: int, seconds: float, rate: float, *way: str) -> None:
        """Start clients that ask through the Service, or by another way: its URL and further words."""
        key = self.cluster.secret(TASKS, "api-key", "api.key").strip()
        url, *more = way or (f"http://{self.problem}-serving.{SERVING}:{HTTP_PORT}",)
        bounds = [f"--requests={requests}", f"--seconds={seconds}", f"--rate={rate}"]
        arguments = ["python", "/trial/load.py", url, "--row", json.dumps(ROW), *bounds, *more]
        container = {"command": arguments, "env": [{"name": "API_KEY", "value": key}]}
        self._start(CLIENTS, name, container, {"app": "load"}, (), "default")
        until(lambda: self._phase(CLIENTS, name) != "Pending", 120, name)

    def load_result(self, name: str, seconds: float) -> Json:
        """Wait for the clients' end and return what they tell."""
        self._ended(CLIENTS, name, seconds)
        result: Json = json.loads(self.cluster("-n", CLIENTS, "logs", name).splitlines()[-1])
        return result

    def logged(self) -> Json:
        """Return what the prediction log holds."""
        return self._run_papers("log", self.problem)

    def deployment(self, *, canary: bool = False) -> Json:
        """Return one of the Deployments."""
        suffix = "-canary" if canary else ""
        found: Json = self.cluster.get(SERVING, "deployment", f"{self.problem}-serving{suffix}")
        return found

    def pinned(self) -> str | None:
        """Return the digest that the champion's pods are told to serve."""
        env = self.deployment()["spec"]["template"]["spec"]["containers"][0]["env"]
        return {entry["name"]: entry.get("value") for entry in env}.get("MODEL_DIGEST")

    def until_baking(self, step: int = 0) -> None:
        """Wait until a canary's step has begun."""

        def is_baking() -> bool:
            noted = self.deployment(canary=True)["metadata"].get("annotations", {})
            notes = json.loads(noted.get("perennial/canary", "{}"))
            return bool(notes.get("step_began")) and notes["step"] >= step

        until(is_baking, 180, f"step {step} of a canary")

    def add_components(self, *names: str) -> None:
        """Do what a component of the problem wine tells a person to do for another problem."""
        for name in names:
            component = self.overlay / name
            shutil.copytree(self._tree / "k8s" / "components" / name, component)
            for file in component.iterdir():
                file.write_text(file.read_text().replace("wine", self.problem))
        kustomization = self.overlay / "kustomization.yaml"
        kustomization.write_text(f"{kustomization.read_text()}components: [{', '.join(names)}]\n")

    def _overlay(self) -> Path:
        problem = self._tree / "problems" / self.problem
        problem.mkdir(exist_ok=True)
        (problem / "problem.yaml").write_text(
            f"apiVersion: perennial/v1\nkind: Problem\nname: {self.problem}\nquestion: Will it?\n"
            "target: {column: answer}\nsource: {main: {kind: files, path: rows.csv}}\n"
        )
        write_kustomizations(problem)
        overlay = self._tree / "k8s" / "overlays" / self.problem
        overlay.mkdir(exist_ok=True)
        name, _, tag = self.images["serving"].rpartition(":")
        (overlay / "kustomization.yaml").write_text(
            f"resources:\n  - ../../../problems/{self.problem}/serving\n"
            f"images:\n  - {{ name: serving, newName: {name}, newTag: {tag} }}\n"
        )
        return overlay

    def _run_papers(self, *arguments: str) -> Json:
        name = f"{self.problem}-papers-{arguments[0]}"
        self.cluster("-n", TASKS, "delete", "pod", name, "--ignore-not-found")
        container = self._tasks(["python", "/trial/papers.py", *arguments])
        container["env"].append({"name": "SIGNING_KEY", "value": "/keys/signing-key/signing.pem"})
        labels = {"app.kubernetes.io/name": "stage"}
        self._start(TASKS, name, container, labels, ("signing-key",), "stage")
        self._ended(TASKS, name, 180)
        result: Json = json.loads(self.cluster("-n", TASKS, "logs", name).splitlines()[-1])
        self.cluster("-n", TASKS, "delete", "pod", name, "--wait=false")
        return result

    def _tasks(self, arguments: list[str]) -> Json:
        """Return a container that knows the store."""
        store = self.cluster.get(SERVING, "configmap", "store")["data"]
        variables = [{"name": name, "value": value} for name, value in store.items()]
        from_secret = [{"secretRef": {"name": "store"}}]
        return {"command": arguments, "env": variables, "envFrom": from_secret}

    def _start(  # noqa: PLR0917 - a pod is made of all that
        self,
        namespace: str,
        name: str,
        container: Json,
        labels: dict[str, str],
        secrets: tuple[str, ...],
        account: str,
    ) -> None:
        pod = restricted_pod(name, namespace, self.images["tasks"], container["command"])
        spec = pod["spec"]
        volumes: list[Json] = [
            {"name": "scratch", "emptyDir": {}},
            {"name": "trial", "configMap": {"name": "trial"}},
        ]
        mounts = [
            mount for mount in spec["containers"][0]["volumeMounts"] if mount["name"] == "scratch"
        ]
        mounts.append({"name": "trial", "mountPath": "/trial"})
        for secret in secrets:
            volumes.append({"name": secret, "secret": {"secretName": secret, "defaultMode": 0o440}})
            mounts.append({"name": secret, "mountPath": f"/keys/{secret}"})
        spec["containers"][0] |= container | {"volumeMounts": mounts}
        spec["volumes"] = volumes
        spec["serviceAccountName"] = account
        spec["automountServiceAccountToken"] = account == "deployer"
        pod["metadata"]["labels"] = labels
        self._apply(pod)

    def _ended(self, namespace: str, name: str, seconds: float) -> Json:
        ends = {"Succeeded", "Failed"}
        until(lambda: self._phase(namespace, name) in ends, seconds, f"the end of {name}")
        status = self.cluster.get(namespace, "pod", name)["status"]["containerStatuses"][0]
        state: Json = status["state"]["terminated"]
        if namespace == TASKS and "deployment" in name:
            return state
        assert state["exitCode"] == 0, self.cluster("-n", namespace, "logs", name)
        return state

    def _phase(self, namespace: str, name: str) -> str:
        return str(self.cluster.get(namespace, "pod", name)["status"].get("phase"))

    def _apply(self, found: Json) -> None:
        self.cluster("apply", "-f", "-", given=json.dumps(found))
