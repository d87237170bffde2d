"""Which model a cluster serves: the digest in the pod template, as the stage `deployment` writes it.

So a rollback is a rollout of Kubernetes' own: no pod leaves before another is ready.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from perennial.cluster.kubectl import SERVING, Kubectl

CONTAINER = "serving"
SOURCE, DIGEST = "MODEL_SOURCE", "MODEL_DIGEST"
ROLLOUT_SECONDS = 120.0  # a pod's start with its imports takes 5 s on an idle machine

Found = Mapping[str, Any]


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
        pins = {SOURCE: "pinned", DIGEST: digest}
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
        self._kubectl.patch(SERVING, self._name, body)

    def served(self) -> str | None:
        """Return the digest that every request is answered with; None while pods are replaced."""
        if not is_rolled_out(self._kubectl.get(SERVING, self._name)):
            return None
        return self._answers()


def deployment_name(problem: str) -> str:
    """Return the name of a problem's Deployment, and of its Service."""
    return f"{problem}-serving"


def is_rolled_out(found: Found) -> bool:
    """Tell whether every replica is of the newest template, and available, and none is left over.

    >>> is_rolled_out({"metadata": {"generation": 2}, "spec": {"replicas": 1},
    ...                "status": {"observedGeneration": 1, "updatedReplicas": 1}})
    False
    """
    status, wanted = found.get("status", {}), found["spec"].get("replicas", 1)
    counts = {status.get(name, 0) for name in ("updatedReplicas", "availableReplicas", "replicas")}
    seen = status.get("observedGeneration", 0) >= found["metadata"]["generation"]
    return seen and counts == {wanted}


def pinned(spec: Found) -> str | None:
    """Return the digest in the specification of a pod or of a template."""
    return next(iter(_values(spec, DIGEST)), None)


def _values(spec: Found, name: str) -> Iterator[str]:
    for container in spec["containers"]:
        for variable in container.get("env", []):
            if variable["name"] == name and variable.get("value"):
                yield str(variable["value"])
