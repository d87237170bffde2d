"""The platform of a cluster: clients of its store, its Airflow and its prediction services.

Each port-forward is opened by the first request that needs it and closed with the command.
"""

import contextlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from contract.errors import InvalidRequest, NotFound, TryAgain
from contract.kubernetes import HTTP_PORT
from contract.problem import Problem
from contract.rollout.deployment import DeploymentTarget, template_digest
from contract.rollout.pod_template import deployment_name, pinned_digest
from contract.store.client import Store
from perennial.clients.airflow_api import REQUEST_SECONDS, Airflow
from perennial.clients.service import Service
from perennial.kubernetes.kubectl import NAMESPACES, PLATFORM, SERVING, TASKS, Kubectl
from perennial.kubernetes.namespace_snapshot import NamespaceSnapshot, platform_status, sentences
from perennial.kubernetes.pod_faults import is_answering
from perennial.kubernetes.port_forward import PortForwardTransport, port_forward
from perennial.kubernetes.rollout import rollout_target
from perennial.kubernetes.secrets import missing_names, secret_name
from perennial.local.ports import LOOPBACK
from perennial.platform import PlatformStatus
from perennial.problems.find import FILE
from perennial.waits import USUAL, Waits

API = "service/api"
KEY = ".problem.yaml"


class ClusterPlatform:
    """A cluster's platform, as `perennial.platform.Platform`."""

    def __init__(
        self,
        kubectl: Kubectl,
        problems: Path,
        exit_stack: contextlib.ExitStack,
        waits: Waits = USUAL,
    ) -> None:
        self._kubectl = kubectl
        self._problems = problems
        self._waits = waits
        self._exit_stack = exit_stack
        self._ports: dict[tuple[str, str], int] = {}
        self._opened_store: Store | None = None
        self._settings: dict[str, str] | None = None

    def store(self) -> Store:
        """Open the store with the keys of the stages; through a port-forward if it is in the cluster."""
        if self._opened_store is None:
            keys = self._secret(TASKS, "store")
            settings = self._config(SERVING, "store")
            url = settings.get("AWS_ENDPOINT_URL", "")
            self._opened_store = Store.from_environment(
                settings | keys | {"AWS_ENDPOINT_URL": self._reachable(url)}
            )
        return self._opened_store

    def airflow(self) -> Airflow:
        """Return a client of its Airflow, signed in as admin."""
        credentials = self._secret(PLATFORM, "airflow-admin")
        client = self._client(lambda: self._port(PLATFORM, API, HTTP_PORT))
        return Airflow(
            self._airflow_url(),
            credentials["username"],
            credentials["password"],
            client,
            waits=self._waits,
        )

    def service(self, problem: str) -> Service | None:
        """Return the client of a problem's service; None where no model is pinned yet.

        It asks one ready pod, preferably one with the digest of the newest template.
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
        """Return the digests that pod templates name: those of the service and of its canary."""
        arguments = ("deployments", "--selector", f"perennial/problem={problem}")
        deployments = self._kubectl.get(SERVING, *arguments)["items"]
        digests = (template_digest(deployment) for deployment in deployments)
        return frozenset(digest for digest in digests if digest)

    def problems(self) -> list[str]:
        """Return the names of the problems that Airflow is given."""
        names = sorted(
            key.removesuffix(KEY) for key in self._config(PLATFORM, "problems") if key.endswith(KEY)
        )
        if not names:
            sentence = (
                "The cluster has no problem; name a folder of problems/ under `components` of "
                "its overlay, then run `perennial up`."
            )
            raise InvalidRequest(sentence)
        return names

    def check_problem(self, problem: Problem) -> None:
        """Check that the cluster has this exact problem file, and every variable that it mentions.

        Raises:
            InvalidRequest: the file differs, or something is missing.
        """
        name = problem.name
        deployed = self._config(PLATFORM, "problems").get(f"{name}{KEY}")
        if deployed is None:
            sentence = (
                f"The cluster has no problem {name}; name problems/{name} under `components` of its "
                "overlay, then run `perennial up`."
            )
            raise InvalidRequest(sentence)
        file = self._problems / name / FILE
        if file.is_file() and file.read_text(encoding="utf-8") != deployed:
            sentence = (
                f"{str(file)!r} differs from the file on the cluster; run `perennial up`, which copies "
                "it there, or undo your change."
            )
            raise InvalidRequest(sentence)
        missing = missing_names(self._kubectl, problem)
        if missing:
            sentence = (
                f"{name} mentions {', '.join(missing)}, which is not in the Secret "
                f"{secret_name(name)} of {TASKS}; set it, then `perennial up`."
            )
            raise InvalidRequest(sentence)

    def status(self) -> PlatformStatus:
        """Return the state of each Deployment."""
        return platform_status(self._kubectl)

    def faults(self, problem: str) -> list[str]:
        """Return the faults of the problem's pods: its stages' and its service's."""
        return sentences(
            [NamespaceSnapshot(self._kubectl, namespace) for namespace in (TASKS, SERVING)], problem
        )

    def links(self) -> dict[str, str]:
        """Return URLs, and the commands that open Airflow and print its password."""
        url = self._airflow_url()
        option = f" --context {self._kubectl.context}" if self._kubectl.context else ""
        call = f"kubectl{option} -n {PLATFORM}"
        port = urlsplit(url).port or 80
        forward = {"airflow_way": f"{call} port-forward {API} {port}:{HTTP_PORT}"}
        is_local = urlsplit(url).hostname in {"localhost", LOOPBACK}
        arguments = "get secret airflow-admin -o jsonpath='{.data.password}' | base64 -d"
        return {
            "airflow": url,
            **(forward if is_local else {}),
            "user": "admin",
            "password_command": f"{call} {arguments}",
            "store": self._config(SERVING, "store").get("AWS_ENDPOINT_URL", "AWS S3"),
            "logs": f"{call} logs deployment/scheduler",
        }

    def _airflow_url(self) -> str:
        if self._settings is None:
            # The ConfigMap's name contains a digest of its data, so a change restarts Airflow.
            deployment = self._kubectl.find(PLATFORM, "deployment/api")
            assert deployment is not None  # `ClusterLocation.connect` has checked it
            (container,) = deployment["spec"]["template"]["spec"]["containers"]
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
        """Return an endpoint's URL on this machine: a port-forward for a Service of the cluster."""
        parsed = urlsplit(url)
        name, _, rest = (parsed.hostname or "").partition(".")
        namespace, _, suffix = rest.partition(".")
        is_inside = namespace in NAMESPACES and suffix in {"", "svc", "svc.cluster.local"}
        if not is_inside:
            return url
        return f"http://{LOOPBACK}:{self._port(namespace, f'service/{name}', parsed.port or 80)}"

    def _pod_port(self, problem: str, digest: str) -> int:
        """Open a port-forward to one ready pod.

        Raises:
            TryAgain: no pod is ready; the message says why.
        """
        name = deployment_name(problem)
        snapshot = NamespaceSnapshot(self._kubectl, SERVING)
        deployment = [one for one in snapshot.deployments if one["metadata"]["name"] == name]
        pods = [pod for one in deployment for pod in snapshot.pods_of(one) if is_answering(pod)]
        # During a rollout there are pods of two templates: prefer the requested digest.
        pods.sort(key=lambda pod: pinned_digest(pod["spec"]) != digest)
        if not pods:
            why = next(iter(sentences([snapshot], problem)), "it is starting, or its log says why.")
            raise TryAgain(f"No pod of {name} is ready: {why}")
        return self._port(SERVING, f"pod/{pods[0]['metadata']['name']}", HTTP_PORT)

    def _client(self, open_port: Callable[[], int]) -> httpx.Client:
        client = httpx.Client(
            transport=PortForwardTransport(open_port), trust_env=False, timeout=REQUEST_SECONDS
        )
        return self._exit_stack.enter_context(client)

    def _port(self, namespace: str, target: str, port: int) -> int:
        if (namespace, target) not in self._ports:
            forward = port_forward(self._kubectl, namespace, target, port)
            self._ports[namespace, target] = self._exit_stack.enter_context(forward)
        return self._ports[namespace, target]

    def _config(self, namespace: str, name: str) -> dict[str, str]:
        resource = self._kubectl.find(namespace, "configmap", name)
        if resource is None:
            raise not_installed(self._kubectl, f"ConfigMap {name} of {namespace}")
        return dict(resource.get("data") or {})

    def _secret(self, namespace: str, name: str) -> dict[str, str]:
        data = self._kubectl.secret(namespace, name)
        if data is None:
            raise not_installed(self._kubectl, f"Secret {name} of {namespace}")
        return data


def not_installed(kubectl: Kubectl, what: str) -> InvalidRequest:
    """Return the error of a platform that is not installed, or only in part."""
    sentence = (
        f"The cluster of {kubectl.context_name} has no {what}; run `perennial --on kubernetes up`."
    )
    return NotFound(sentence)
