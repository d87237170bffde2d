"""Which model a cluster serves: the digest in the pod template, as the stage `deployment` writes it.

So a rollback is a rollout of Kubernetes' own: no pod leaves before another is ready.
"""

from collections.abc import Callable
from datetime import datetime

from contract.rollout.pod_template import deployment_name, is_rolled_out, pin, pinned
from perennial.kubernetes.kubectl import SERVING, Kubectl

ROLLOUT_SECONDS = 120.0  # a pod's start with its imports takes 5 s on an idle machine


class Pinned:
    """The rollout of one problem on a cluster; `answers` asks a pod which digest it serves."""

    seconds = ROLLOUT_SECONDS

    def __init__(self, kubectl: Kubectl, problem: str, answers: Callable[[], str | None]) -> None:
        self._kubectl = kubectl
        self._name = f"deployment/{deployment_name(problem)}"
        self._answers = answers

    def told(self) -> str | None:
        """Return the digest in the pod template; None before the first deployment."""
        found = self._kubectl.find(SERVING, self._name)
        return None if found is None else pinned(found["spec"]["template"]["spec"])

    def tell(self, digest: str | None, at: datetime) -> None:
        """Pin the digest in the pod template; None takes the pin away. Nothing where it is so.

        Raises:
            AskedWrongly: there is no such Deployment, or no right to change it.
        """
        if self.told() == digest:
            return
        self._kubectl.patch(SERVING, self._name, pin(digest, at))

    def served(self) -> str | None:
        """Return the digest that every request is answered with; None while pods are replaced."""
        if not is_rolled_out(self._kubectl.get(SERVING, self._name)):
            return None
        return self._answers()
