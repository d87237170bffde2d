"""The Deployment of a problem's service, as a person's kubectl reads and changes it."""

from collections.abc import Callable

from contract.kubernetes import HTTP_PORT
from contract.rollout.deployment import AbsentResource, DeploymentTarget
from contract.rollout.pod_template import Resource, deployment_name
from perennial.kubernetes.kubectl import SERVING, Kubectl

POLL_SECONDS = 0.2


class KubectlDeployments:
    """kubectl, as `contract.rollout.deployment.DeploymentApi`."""

    def __init__(self, kubectl: Kubectl) -> None:
        self._kubectl = kubectl

    def get_deployment(self, name: str) -> Resource:
        """Return a Deployment, as `DeploymentApi`."""
        deployment = self._kubectl.find(SERVING, f"deployment/{name}")
        if deployment is None:
            sentence = (
                f"There is no Deployment {name} in {SERVING}; name the problem's folder under "
                "`components` of the overlay, then run `perennial up`."
            )
            raise AbsentResource(sentence)
        return deployment

    def patch_deployment(self, name: str, body: Resource) -> None:
        """Change a Deployment, as `DeploymentApi`."""
        self._kubectl.patch(SERVING, f"deployment/{name}", dict(body))


class ServiceProbe:
    """One pod that is ready, as `contract.rollout.deployment.PodProbe`.

    The others are out of reach from here, and one that crashed last week is no reason to give up the
    rollback: only the time limit ends the wait.
    """

    def __init__(self, served_digest: Callable[[], str | None]) -> None:
        self._served_digest = served_digest

    def failure(self, digest: str) -> str | None:
        """Return nothing, as `PodProbe`."""
        del digest
        return None

    def waiting_reason(self, digest: str) -> str:
        """Name the command that shows it, as `PodProbe`."""
        del digest
        return "`perennial status` says what its pods wait for"

    def serves(self, digest: str) -> bool:
        """Ask a pod which digest it serves, as `PodProbe`."""
        return self._served_digest() == digest


def rollout_target(
    kubectl: Kubectl, problem: str, served_digest: Callable[[], str | None]
) -> DeploymentTarget:
    """Return the rollout of a problem; `served_digest` asks a pod that is ready, None: silence."""
    name = deployment_name(problem)
    return DeploymentTarget(
        KubectlDeployments(kubectl),
        name,
        f"http://{name}.{SERVING}:{HTTP_PORT}",
        ServiceProbe(served_digest),
        poll_seconds=POLL_SECONDS,
    )
