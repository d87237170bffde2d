"""The door from a command to the platform of a cluster: its store, its Airflow, its services.

Each way in is opened when it is first asked for, and all of them are closed behind the command.
"""

import contextlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from contract.errors import AskedWrongly, NotFound, TryAgain
from contract.kubernetes import HTTP_PORT
from contract.problem import Problem
from contract.rollout.deployment import DeploymentTarget, template_digest
from contract.rollout.pod_template import deployment_name, pinned_digest
from contract.store.client import Store
from perennial.clients.airflow_api import REQUEST_SECONDS, Airflow
from perennial.clients.service import Service
from perennial.kubernetes.kubectl import NAMESPACES, PLATFORM, SERVING, TASKS, Kubectl
from perennial.kubernetes.namespace_snapshot import Look, condition, sentences
from perennial.kubernetes.pod_faults import is_answering
from perennial.kubernetes.port_forward import Through, forwarded
from perennial.kubernetes.rollout import rollout_target
from perennial.kubernetes.secrets import absent_names, secret_name
from perennial.local.ports import LOOPBACK
from perennial.platform import Condition
from perennial.problems.find import FILE

API = "service/api"
KEY = ".problem.yaml"


class ClusterPlatform:
    """A cluster's platform, as `perennial.platform.Platform` says."""

    def __init__(self, kubectl: Kubectl, problems: Path, ways: contextlib.ExitStack) -> None:
        self._kubectl = kubectl
        self._problems = problems
        self._ways = ways
        self._ports: dict[tuple[str, str], int] = {}
        self._opened_store: Store | None = None
        self._settings: dict[str, str] | None = None

    def store(self) -> Store:
        """Open the store, with the keys of the stages; one inside through a port-forward."""
        if self._opened_store is None:
            keys = self._secret(TASKS, "store")
            place = self._config(SERVING, "store")
            url = place.get("AWS_ENDPOINT_URL", "")
            self._opened_store = Store.from_environment(
                place | keys | {"AWS_ENDPOINT_URL": self._reachable(url)}
            )
        return self._opened_store

    def airflow(self) -> Airflow:
        """Return the client of its Airflow, as its admin."""
        who = self._secret(PLATFORM, "airflow-admin")
        client = self._client(lambda: self._port(PLATFORM, API, HTTP_PORT))
        return Airflow(self._airflow_url(), who["username"], who["password"], client)

    def service(self, problem: str) -> Service | None:
        """Return the client of a problem's service; None where no model is pinned yet.

        Asked is one pod that is ready, with the digest of the newest template where one has it.
        """
        target = self.rollout_target(problem)
        digest = target.rolled_out()
        if digest is None:
            return None
        key = self._secret(TASKS, "api-key")["api.key"]
        client = self._client(lambda: self._pod_port(problem, digest))
        return Service(problem, target.url, key, client)

    def rollout_target(self, problem: str) -> DeploymentTarget:
        """Return the Deployment of a problem's service."""

        def served_digest() -> str | None:
            service = self.service(problem)
            return service.digest() if service else None

        return rollout_target(self._kubectl, problem, served_digest)

    def pinned(self, problem: str) -> frozenset[str]:
        """Return the digests that pod templates name: those of the service and of any beside it."""
        words = ("deployments", "--selector", f"perennial/problem={problem}")
        found = self._kubectl.get(SERVING, *words)["items"]
        named = (template_digest(deployment) for deployment in found)
        return frozenset(digest for digest in named if digest)

    def problems(self) -> list[str]:
        """Return the names of the problems that Airflow is given."""
        found = sorted(
            key.removesuffix(KEY) for key in self._config(PLATFORM, "problems") if key.endswith(KEY)
        )
        if not found:
            sentence = (
                "The cluster knows no problem; name a folder of problems/ under `components` of "
                "its overlay, then run `perennial up`."
            )
            raise AskedWrongly(sentence)
        return found

    def check_problem(self, problem: Problem) -> None:
        """See that the cluster has this very problem file, and every variable that it mentions.

        Raises:
            AskedWrongly: it has not.
        """
        name = problem.name
        there = self._config(PLATFORM, "problems").get(f"{name}{KEY}")
        if there is None:
            sentence = (
                f"The cluster does not know {name}; name problems/{name} under `components` of its "
                "overlay, then run `perennial up`."
            )
            raise AskedWrongly(sentence)
        file = self._problems / name / FILE
        if file.is_file() and file.read_text(encoding="utf-8") != there:
            sentence = (
                f"{str(file)!r} is not what the cluster runs; run `perennial up`, which takes it "
                "there, or take your change back."
            )
            raise AskedWrongly(sentence)
        absent = absent_names(self._kubectl, problem)
        if absent:
            sentence = (
                f"{name} mentions {', '.join(absent)}, which is not in the Secret "
                f"{secret_name(name)} of {TASKS}; set it, then `perennial up`."
            )
            raise AskedWrongly(sentence)

    def condition(self) -> Condition:
        """Return the state of each Deployment."""
        return condition(self._kubectl)

    def faults(self, problem: str) -> list[str]:
        """Return what is wrong with pods of the problem: its stages' and its service's."""
        return sentences([Look(self._kubectl, space) for space in (TASKS, SERVING)], problem)

    def links(self) -> dict[str, str]:
        """Return where a person looks, and the commands that open it and print the password."""
        url = self._airflow_url()
        chosen = f" --context {self._kubectl.context}" if self._kubectl.context else ""
        call = f"kubectl{chosen} -n {PLATFORM}"
        port = urlsplit(url).port or 80
        way = {"airflow_way": f"{call} port-forward {API} {port}:{HTTP_PORT}"}
        is_here = urlsplit(url).hostname in {"localhost", LOOPBACK}
        words = "get secret airflow-admin -o jsonpath='{.data.password}' | base64 -d"
        return {
            "airflow": url,
            **(way if is_here else {}),
            "user": "admin",
            "password_command": f"{call} {words}",
            "store": self._config(SERVING, "store").get("AWS_ENDPOINT_URL", "AWS S3"),
            "logs": f"{call} logs deployment/scheduler",
        }

    def _airflow_url(self) -> str:
        if self._settings is None:
            # The ConfigMap's name bears a digest of what it holds, so a change restarts Airflow.
            found = self._kubectl.find(PLATFORM, "deployment/api")
            assert found is not None  # or the platform would not have been opened
            (container,) = found["spec"]["template"]["spec"]["containers"]
            names = [
                source["configMapRef"]["name"]
                for source in container.get("envFrom", [])
                if "configMapRef" in source
            ]
            self._settings = {}
            for name in names:
                self._settings |= self._config(PLATFORM, name)
        return self._settings.get("AIRFLOW__API__BASE_URL", "http://localhost:8080")

    def _reachable(self, url: str) -> str:
        """Return an endpoint as this machine reaches it: a Service of the cluster by a forward."""
        found = urlsplit(url)
        name, _, rest = (found.hostname or "").partition(".")
        space, _, suffix = rest.partition(".")
        is_inside = space in NAMESPACES and suffix in {"", "svc", "svc.cluster.local"}
        if not is_inside:
            return url
        return f"http://{LOOPBACK}:{self._port(space, f'service/{name}', found.port or 80)}"

    def _pod_port(self, problem: str, digest: str) -> int:
        """Open a way to one pod that is ready.

        Raises:
            TryAgain: none is; the sentence says why.
        """
        name = deployment_name(problem)
        look = Look(self._kubectl, SERVING)
        deployment = [one for one in look.deployments if one["metadata"]["name"] == name]
        pods = [pod for one in deployment for pod in look.pods_of(one) if is_answering(pod)]
        # Of two templates in the middle of a rollout, the one that was asked for.
        pods.sort(key=lambda pod: pinned_digest(pod["spec"]) != digest)
        if not pods:
            why = next(iter(sentences([look], problem)), "it is starting, or its log says why.")
            raise TryAgain(f"No pod of {name} is ready: {why}")
        return self._port(SERVING, f"pod/{pods[0]['metadata']['name']}", HTTP_PORT)

    def _client(self, opened: Callable[[], int]) -> httpx.Client:
        client = httpx.Client(transport=Through(opened), trust_env=False, timeout=REQUEST_SECONDS)
        return self._ways.enter_context(client)

    def _port(self, space: str, target: str, port: int) -> int:
        if (space, target) not in self._ports:
            way = forwarded(self._kubectl, space, target, port)
            self._ports[space, target] = self._ways.enter_context(way)
        return self._ports[space, target]

    def _config(self, space: str, name: str) -> dict[str, str]:
        found = self._kubectl.find(space, "configmap", name)
        if found is None:
            raise absence(self._kubectl, f"ConfigMap {name} of {space}")
        return dict(found.get("data") or {})

    def _secret(self, space: str, name: str) -> dict[str, str]:
        found = self._kubectl.secret(space, name)
        if found is None:
            raise absence(self._kubectl, f"Secret {name} of {space}")
        return found


def absence(kubectl: Kubectl, what: str) -> AskedWrongly:
    """Return the error of a platform that is not, or not wholly, on the cluster."""
    sentence = f"The cluster of {kubectl.where} has no {what}; run `perennial --on kubernetes up`."
    return NotFound(sentence)
