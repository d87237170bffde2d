"""Which model a cluster serves: the digest in the pod template of a Deployment, and nothing else.

So a rollout is Kubernetes' own: audited, undone by `kubectl rollout undo`, and no pod leaves before
another is ready. A problem has two Deployments behind one Service: the champion's, `stable`, and
that of a model that is tried, `canary`, which is described in its own module.
"""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from contract.kubernetes import HTTP_PORT
from contract.rollout.pod_template import deployment_name, is_rolled_out, pin, pinned
from contract.service_protocol import InfoAnswer
from tasks.deployment.api import Api, Found
from tasks.deployment.checks import Failed
from tasks.deployment.client import Client

POLL_SECONDS = 0.5
# A pod's start with its imports takes 5 s on an idle machine, and every replica has its turn.
ROLLOUT_SECONDS = 120.0

Track = Literal["stable", "canary"]


class Deployment:
    """One of a problem's two Deployments."""

    def __init__(self, api: Api, problem: str, track: Track, url: str) -> None:
        self.name = name_of(problem, track)
        self.url = url
        """Of the Service through which it is checked."""
        self.what = f"the Deployment {self.name}"
        self.api = api
        self.path = api.path("apis/apps/v1", "deployments", self.name)
        self._labels = f"app.kubernetes.io/name=serving,perennial/problem={problem}"
        self._labels += f",perennial/track={track}"

    def found(self) -> Found:
        """Return the Deployment as it is.

        Raises:
            Absent: there is no such Deployment, or no right to see it.
            TryAgain: the API is away.
        """
        return self.api.get(self.path, self.what)

    def digest(self) -> str | None:
        """Return the digest in the pod template; None before the first deployment."""
        return digest_of(self.found())

    def roll_out(self, digest: str | None, at: datetime) -> None:
        """Pin the digest in the pod template; None takes the pin away. Nothing where it is so.

        Raises:
            AskedWrongly: there is no such Deployment, or no right to change it.
            TryAgain: the API is away.
        """
        if self.digest() != digest:
            self.api.patch(self.path, self.what, pin(digest, at))

    def wait_until_served(self, digest: str, api_key: str, seconds: float = ROLLOUT_SECONDS) -> str:
        """Return the service's URL once every pod serves `digest` and the others have gone.

        Raises:
            Failed: a pod refuses the model or crashes, or the time is over.
        """
        deadline = time.monotonic() + seconds
        while True:
            found = self.found()
            if digest_of(found) != digest:
                raise Failed(f"Somebody else has rolled out another model in {self.name}.")
            if is_rolled_out(found):
                return self.url
            fault = self.fault(digest, api_key)
            if fault is not None:
                raise Failed(fault)
            if time.monotonic() > deadline:
                raise Failed(self._late(found, digest, seconds))
            time.sleep(POLL_SECONDS)

    def pods(self, digest: str | None) -> list[Found]:
        """Return the pods that bear the digest and are not on their way out."""
        listed = self.api.path("api/v1", "pods")
        found = self.api.get(f"{listed}?labelSelector={self._labels}", f"the pods of {self.name}")
        return [
            pod
            for pod in found.get("items", [])
            if pinned(pod["spec"]) == digest
            and "deletionTimestamp" not in pod["metadata"]
            and pod.get("status", {}).get("reason") != "Evicted"
        ]

    def fault(self, digest: str, api_key: str) -> str | None:
        """Return in one sentence why a pod will never be ready; None: it still may."""
        for pod in self.pods(digest):
            name = pod["metadata"]["name"]
            for state in _states(pod, "terminated", last=True):
                reason, code = state.get("reason", "Error"), state.get("exitCode")
                return f"The pod {name} ended with {reason} (exit {code}); see its log."
            info = told_by(pod, api_key)
            fault: Mapping[str, object] = (info.get("error") if info else None) or {}
            if fault.get("digest") == digest and fault.get("final"):
                return f"The pod {name} refused the model: {fault.get('why')}"
        return None

    def _late(self, found: Mapping[str, Any], digest: str, seconds: float) -> str:
        status = found.get("status", {})
        wanted = found["spec"].get("replicas", 1)
        ready = status.get("updatedReplicas", 0) - status.get("unavailableReplicas", 0)
        pods = self.pods(digest)
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
        why = next(iter([*waiting, *unscheduled]), "no pod says why")
        return (
            f"After {seconds:g} s {max(0, ready)} of {wanted} pods of {self.name} serve the model "
            f"({why}); see `kubectl describe` of its pods."
        )


def name_of(problem: str, track: Track) -> str:
    """Return the name of a track's Deployment."""
    return deployment_name(problem) + ("-canary" if track == "canary" else "")


def digest_of(found: Mapping[str, Any]) -> str | None:
    """Return the digest in the pod template of a Deployment."""
    return pinned(found["spec"]["template"]["spec"])


def told_by(pod: Mapping[str, Any], api_key: str) -> InfoAnswer | None:
    """Return the answer of /info of one pod; None where it does not answer."""
    address = pod.get("status", {}).get("podIP")
    if not address:
        return None
    with Client(f"http://{address}:{HTTP_PORT}", api_key, seconds=2.0) as client:
        return client.serves()


def _states(pod: Mapping[str, Any], kind: str, *, last: bool = False) -> list[Found]:
    """Return the states of a kind of the pod's containers; `last`: also of those before a restart."""
    kept = ("state", "lastState") if last else ("state",)
    return [
        entry[place][kind]
        for entry in pod.get("status", {}).get("containerStatuses", [])
        for place in kept
        if kind in entry.get(place, {})
    ]
