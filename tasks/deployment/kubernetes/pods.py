"""The pods of a problem's two Deployments behind one Service: the champion's and the canary's."""

from collections.abc import Mapping
from typing import Any, Literal

from contract.kubernetes import HTTP_PORT
from contract.rollout.pod_template import Resource, deployment_name, pinned_digest
from contract.service_protocol import InfoAnswer
from tasks.deployment.client import read_info
from tasks.deployment.kubernetes.api import Api

Track = Literal["stable", "canary"]


class TrackPods:
    """The pods of one track, as `contract.rollout.deployment.PodProbe`."""

    def __init__(self, api: Api, problem: str, track: Track, api_key: str) -> None:
        self._api = api
        self._name = track_name(problem, track)
        self._api_key = api_key
        self._labels = f"app.kubernetes.io/name=serving,perennial/problem={problem}"
        self._labels += f",perennial/track={track}"

    def of(self, digest: str | None) -> list[Resource]:
        """Return the pods with the digest that are not on their way out."""
        path = self._api.path("api/v1", "pods")
        pods = self._api.get(f"{path}?labelSelector={self._labels}", f"the pods of {self._name}")
        return [
            pod
            for pod in pods.get("items", [])
            if pinned_digest(pod["spec"]) == digest
            and "deletionTimestamp" not in pod["metadata"]
            and pod.get("status", {}).get("reason") != "Evicted"
        ]

    def info(self, pod: Resource) -> InfoAnswer | None:
        """Return the answer of /info of one pod; None where it does not answer."""
        address = pod.get("status", {}).get("podIP")
        return read_info(f"http://{address}:{HTTP_PORT}", self._api_key) if address else None

    def failure(self, digest: str) -> str | None:
        """Return why a pod ended or refused the model, as `PodProbe`."""
        for pod in self.of(digest):
            name = pod["metadata"]["name"]
            for state in _states(pod, "terminated", last=True):
                reason, code = state.get("reason", "Error"), state.get("exitCode")
                return f"The pod {name} ended with {reason} (exit {code}); see its log."
            info = self.info(pod)
            error: Mapping[str, object] = (info.get("error") if info else None) or {}
            if error.get("digest") == digest and error.get("final"):
                return f"The pod {name} refused the model: {error.get('why')}"
        return None

    def waiting_reason(self, digest: str) -> str:
        """Return what the first pod waits for, as `PodProbe`: an image, or room on a node."""
        pods = self.of(digest)
        waiting = [
            f"{state['reason']}: {state.get('message', 'no message')}"
            for pod in pods
            for state in _states(pod, "waiting")
            if state.get("reason") not in {None, "ContainerCreating", "PodInitializing"}
        ]
        unscheduled = [
            str(condition.get("message"))
            for pod in pods
            for condition in pod.get("status", {}).get("conditions", [])
            if condition.get("reason") == "Unschedulable"
        ]
        return next(iter([*waiting, *unscheduled]), "no pod says why")

    def serves(self, digest: str) -> bool:  # noqa: ARG002 - `PodProbe`
        """Trust the pods' readiness, as `PodProbe`: the stage checks the service itself next."""
        return True


def track_name(problem: str, track: Track) -> str:
    """Return the name of a track's Deployment."""
    return deployment_name(problem) + ("-canary" if track == "canary" else "")


def _states(pod: Resource, kind: str, *, last: bool = False) -> list[Mapping[str, Any]]:
    """Return the states of a kind of the pod's containers; `last`: also of those before a restart."""
    names = ("state", "lastState") if last else ("state",)
    return [
        entry[name][kind]
        for entry in pod.get("status", {}).get("containerStatuses", [])
        for name in names
        if kind in entry.get(name, {})
    ]
