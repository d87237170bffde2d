"""Which model a cluster serves: the digest in the pod template of one Deployment, and nothing else.

So a rollout is Kubernetes' own: audited, undone by `kubectl rollout undo`, and no pod leaves before
another is ready. Standard library alone: the client library of the API costs 84 MB and 0.7 CPU-s.
"""

import json
import os
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from contract.errors import AskedWrongly, TryAgain
from tasks.deployment.checks import Failed
from tasks.deployment.client import Client

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
NAMESPACE = "PERENNIAL_SERVING_NAMESPACE"
CONTAINER = "serving"
PORT = 8080
POLL_SECONDS = 0.5
ASK_SECONDS = 10.0
# A pod's start with its imports takes 5 s on an idle machine, and every replica has its turn.
ROLLOUT_SECONDS = 120.0
PINNED = "MODEL_SOURCE"
DIGEST = "MODEL_DIGEST"


class Cluster:
    """The Deployment of one problem's service, through the Kubernetes API."""

    def __init__(
        self,
        problem: str,
        namespace: str,
        api: str,
        account: Path = ACCOUNT,
        service: str | None = None,
    ) -> None:
        self.name = f"{problem}-serving"
        self.url = service or f"http://{self.name}.{namespace}:{PORT}"
        self._problem = problem
        self._pods = f"/api/v1/namespaces/{namespace}/pods"
        self._path = f"/apis/apps/v1/namespaces/{namespace}/deployments/{self.name}"
        self._api = api
        self._account = account

    @classmethod
    def from_environment(cls, problem: str, environment: Mapping[str, str]) -> "Cluster | None":
        """Return the cluster that this process was told to deploy in; None: there is none."""
        namespace = environment.get(NAMESPACE)
        if not namespace:
            return None
        host = environment.get("KUBERNETES_SERVICE_HOST")
        port = environment.get("KUBERNETES_SERVICE_PORT", "443")
        if not host:
            sentence = f"{NAMESPACE} is set, but this is no pod: KUBERNETES_SERVICE_HOST is not."
            raise AskedWrongly(sentence)
        return cls(problem, namespace, f"https://{host}:{port}")

    def digest(self) -> str | None:
        """Return the digest in the pod template; None before the first deployment."""
        return _digest(self._ask("GET", self._path))

    def roll_out(self, digest: str | None, at: datetime) -> None:
        """Pin the digest in the pod template; None takes the pin away. Nothing where it is so.

        Raises:
            AskedWrongly: there is no such Deployment, or no right to change it.
            TryAgain: the API is away.
        """
        if self.digest() == digest:
            return
        pins = {PINNED: "pinned", DIGEST: digest}
        variables = [
            {"name": name, "value": value} if digest else {"name": name, "$patch": "delete"}
            for name, value in pins.items()
        ]
        cause = f"perennial: {digest[:12] if digest else 'no model'}, {at.isoformat()}"
        container = {"name": CONTAINER, "env": variables}
        body = {
            "metadata": {"annotations": {"kubernetes.io/change-cause": cause}},
            "spec": {"template": {"spec": {"containers": [container]}}},
        }
        self._ask("PATCH", self._path, body)

    def wait_until_served(self, digest: str, api_key: str, seconds: float = ROLLOUT_SECONDS) -> str:
        """Return the service's URL once every pod serves `digest` and the others have gone.

        Raises:
            Failed: a pod refuses the model or crashes, or the time is over.
        """
        deadline = time.monotonic() + seconds
        while True:
            found = self._ask("GET", self._path)
            if _digest(found) != digest:
                raise Failed(f"Somebody else has rolled out another model in {self.name}.")
            if is_rolled_out(found):
                return self.url
            fault = self._fault(digest, api_key)
            if fault is not None:
                raise Failed(fault)
            if time.monotonic() > deadline:
                raise Failed(self._late(found, seconds))
            time.sleep(POLL_SECONDS)

    def _late(self, found: Mapping[str, Any], seconds: float) -> str:
        status = found.get("status", {})
        wanted = found["spec"].get("replicas", 1)
        ready = status.get("updatedReplicas", 0) - status.get("unavailableReplicas", 0)
        waiting = [
            f"{state['reason']}: {state.get('message', 'no message')}"
            for pod in self._new_pods()
            for state in _states(pod, "waiting")
            if state.get("reason") not in {None, "ContainerCreating", "PodInitializing"}
        ]
        unscheduled = [
            str(condition.get("message"))
            for pod in self._new_pods()
            for condition in pod.get("status", {}).get("conditions", [])
            if condition.get("reason") == "Unschedulable"
        ]
        why = next(iter([*waiting, *unscheduled]), "no pod says why")
        return (
            f"After {seconds:g} s {max(0, ready)} of {wanted} pods of {self.name} serve the model "
            f"({why}); see `kubectl describe` of its pods."
        )

    def _fault(self, digest: str, api_key: str) -> str | None:
        """Return in one sentence why a new pod will never be ready; None: it still may."""
        for pod in self._new_pods():
            name = pod["metadata"]["name"]
            for state in _states(pod, "terminated", last=True):
                reason, code = state.get("reason", "Error"), state.get("exitCode")
                return f"The pod {name} ended with {reason} (exit {code}); see its log."
            address = pod.get("status", {}).get("podIP")
            if not address:
                continue
            with Client(f"http://{address}:{PORT}", api_key, seconds=2.0) as client:
                told = client.serves()
            fault = (told or {}).get("error") or {}
            if fault.get("digest") == digest and fault.get("final"):
                return f"The pod {name} refused the model: {fault.get('why')}"
        return None

    def _new_pods(self) -> list[dict[str, Any]]:
        """Return the pods of the newest template: those that bear the digest."""
        selector = f"app.kubernetes.io/name=serving,perennial/problem={self._problem}"
        found = self._ask("GET", f"{self._pods}?labelSelector={selector}")
        digest = self.digest()
        return [pod for pod in found.get("items", []) if _pinned(pod["spec"]) == digest]

    def _ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        token = self._account / "token"
        request = urllib.request.Request(  # noqa: S310 - the address is the cluster's own
            f"{self._api}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {token.read_text(encoding='ascii')}",
                "Content-Type": "application/strategic-merge-patch+json",
            },
        )
        authority = self._account / "ca.crt"
        trusted = ssl.create_default_context(cafile=str(authority)) if authority.exists() else None
        try:
            with urllib.request.urlopen(request, context=trusted, timeout=ASK_SECONDS) as answer:  # noqa: S310 - as above
                found: dict[str, Any] = json.load(answer)
                return found
        except urllib.error.HTTPError as error:
            raise self._complaint(method, error) from error
        except (OSError, ValueError) as error:
            sentence = f"The Kubernetes API does not answer ({error}); it is tried again."
            raise TryAgain(sentence) from error

    def _complaint(self, method: str, error: urllib.error.HTTPError) -> AskedWrongly | TryAgain:
        try:
            said = json.loads(error.read() or b"{}").get("message", error.reason)
        except ValueError:
            said = error.reason
        if error.code >= HTTPStatus.INTERNAL_SERVER_ERROR or error.code in {
            HTTPStatus.CONFLICT,
            HTTPStatus.TOO_MANY_REQUESTS,
        }:
            return TryAgain(f"The Kubernetes API answered {error.code}: {said}")
        sentence = (
            f"{method} of the Deployment {self.name} was answered {error.code} ({said}); apply the "
            "problem's kustomization, which makes the service and the right to change it."
        )
        return AskedWrongly(sentence)


def is_rolled_out(found: Mapping[str, Any]) -> bool:
    """Tell whether every replica is of the newest template, and available, and none is left over.

    >>> is_rolled_out({"metadata": {"generation": 2}, "spec": {"replicas": 1},
    ...                "status": {"observedGeneration": 1, "updatedReplicas": 1}})
    False
    """
    status, wanted = found.get("status", {}), found["spec"].get("replicas", 1)
    counts = {status.get(name, 0) for name in ("updatedReplicas", "availableReplicas", "replicas")}
    seen = status.get("observedGeneration", 0) >= found["metadata"]["generation"]
    return seen and counts == {wanted}


def _digest(found: Mapping[str, Any]) -> str | None:
    return _pinned(found["spec"]["template"]["spec"])


def _pinned(spec: Mapping[str, Any]) -> str | None:
    """Return the digest in a pod's or a template's specification."""
    for container in spec["containers"]:
        for variable in container.get("env", []):
            if container["name"] == CONTAINER and variable["name"] == DIGEST:
                value = variable.get("value")
                return value if isinstance(value, str) and value else None
    return None


def _states(pod: Mapping[str, Any], kind: str, *, last: bool = False) -> list[dict[str, Any]]:
    """Return the states of a kind of the pod's containers; `last`: also of those before a restart."""
    kept = ("state", "lastState") if last else ("state",)
    return [
        entry[place][kind]
        for entry in pod.get("status", {}).get("containerStatuses", [])
        for place in kept
        if kind in entry.get(place, {})
    ]


def environment_cluster(problem: str) -> Cluster | None:
    """Return the cluster of this process's own environment."""
    return Cluster.from_environment(problem, os.environ)
