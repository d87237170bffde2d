"""A rollout to a Deployment of Kubernetes: the digest in its pod template, and nothing else.

So a rollout is Kubernetes' own: audited, undone by `kubectl rollout undo`, and no pod leaves before
another is ready. The stage `deployment` reaches the API from its pod and a person by kubectl; both
fill in `DeploymentApi` and `PodProbe`.
"""

from datetime import datetime
from typing import Protocol

from contract.errors import InvalidRequest
from contract.rollout.pod_template import Resource, is_rolled_out, pin, pinned_digest
from contract.rollout.target import RolloutFailed

# A pod's start with its imports takes 5 s on an idle machine, and every replica has its turn.
TIMEOUT_SECONDS = 120.0
POLL_SECONDS = 0.5


class AbsentResource(InvalidRequest):
    """There is no such object, or no right to see it; without a right the API hides it."""


class DeploymentApi(Protocol):
    """The Deployments of the namespace that serves."""

    def get_deployment(self, name: str) -> Resource:
        """Return a Deployment.

        Raises:
            AbsentResource: there is none, or no right to see it.
            TryAgain: the API is away.
        """

    def patch_deployment(self, name: str, body: Resource) -> None:
        """Change a Deployment by a strategic merge patch.

        Raises:
            InvalidRequest: there is none, or no right to change it.
            Conflict: the body names a `resourceVersion` that is no longer the Deployment's.
            TryAgain: the API is away.
        """


class PodProbe(Protocol):
    """What the pods of a Deployment say themselves."""

    def failure(self, digest: str) -> str | None:
        """Return in one sentence why a pod with the digest will never be ready; None: it still may."""

    def waiting_reason(self, digest: str) -> str:
        """Return what a pod with the digest waits for, in a few words."""

    def serves(self, digest: str) -> bool:
        """Tell whether requests are answered with the digest, once every pod is of its template."""


class DeploymentTarget:
    """One Deployment; `url` is that of the Service in front of it."""

    def __init__(
        self,
        api: DeploymentApi,
        name: str,
        url: str,
        pods: PodProbe,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self.timeout_seconds = timeout_seconds
        self.poll_seconds = poll_seconds
        self.name = name
        self.url = url
        self._api = api
        self._pods = pods

    def check(self) -> None:
        """Need no address in the store, as `RolloutTarget`: a Service's name leads to the pods."""

    def resource(self) -> Resource:
        """Return the Deployment as it is.

        Raises:
            AbsentResource: there is none, or no right to see it.
            TryAgain: the API is away.
        """
        return self._api.get_deployment(self.name)

    def rolled_out(self) -> str | None:
        """Return the digest in the pod template, as `RolloutTarget`; None without a Deployment."""
        try:
            return template_digest(self.resource())
        except AbsentResource:
            return None

    def roll_out(self, digest: str | None, at: datetime) -> None:
        """Pin the digest in the pod template, as `RolloutTarget`; None takes the pin away."""
        if template_digest(self.resource()) != digest:
            self._api.patch_deployment(self.name, pin(digest, at))

    def served_at(self, digest: str) -> str | None:
        """See whether every pod is of the digest's template, as `RolloutTarget`."""
        deployment = self.resource()
        if template_digest(deployment) != digest:
            raise RolloutFailed(f"Somebody else has rolled out another model in {self.name}.")
        if is_rolled_out(deployment):
            return self.url if self._pods.serves(digest) else None
        failure = self._pods.failure(digest)
        if failure is not None:
            raise RolloutFailed(failure)
        return None

    def pending_reason(self, digest: str) -> str:
        """Return how many pods are ready and what one waits for, as `RolloutTarget`."""
        deployment = self.resource()
        status = deployment.get("status", {})
        wanted = deployment["spec"].get("replicas", 1)
        ready = status.get("updatedReplicas", 0) - status.get("unavailableReplicas", 0)
        return (
            f"{max(0, ready)} of {wanted} pods of {self.name} serve the model "
            f"({self._pods.waiting_reason(digest)}); see `kubectl describe` of its pods."
        )


def template_digest(deployment: Resource) -> str | None:
    """Return the digest in the pod template of a Deployment; None where none is pinned."""
    return pinned_digest(deployment["spec"]["template"]["spec"])
