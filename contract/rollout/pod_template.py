"""The Deployment of a problem's service: the digest in its pod template is the model that it serves.

The stage `deployment` and the person's command both read and write it; they differ in how they reach
the Kubernetes API, never in what they write.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from contract.formatting import format_digest

CONTAINER = "serving"
SOURCE, DIGEST = "MODEL_SOURCE", "MODEL_DIGEST"

Resource = Mapping[str, Any]
"""An object of the Kubernetes API."""


def deployment_name(problem: str) -> str:
    """Return the name of a problem's Deployment, and of its Service."""
    return f"{problem}-serving"


def pin(digest: str | None, at: datetime) -> dict[str, Any]:
    """Return the strategic merge patch that pins a digest, and notes who did it and when.

    None takes the pin away.
    """
    variables = [
        {"name": name, "value": value} if digest else {"name": name, "$patch": "delete"}
        for name, value in ((SOURCE, "pinned"), (DIGEST, digest))
    ]
    cause = f"perennial: {format_digest(digest, 'no model')}, {at.isoformat()}"
    container = {"name": CONTAINER, "env": variables}
    return {
        "metadata": {"annotations": {"kubernetes.io/change-cause": cause}},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }


def pinned_digest(pod: Resource) -> str | None:
    """Return the digest in the specification of a pod or of a template; None where none is pinned.

    >>> pinned_digest({"containers": [{"name": "serving", "env": [{"name": "MODEL_DIGEST", "value": "a1"}]}]})
    'a1'
    """
    for container in pod["containers"]:
        for variable in container.get("env", []):
            if container["name"] == CONTAINER and variable["name"] == DIGEST:
                return str(variable["value"]) if variable.get("value") else None
    return None


def is_rolled_out(deployment: Resource) -> bool:
    """Tell whether every replica is of the newest template, and available, and none is left over.

    >>> is_rolled_out({"metadata": {"generation": 2}, "spec": {"replicas": 1},
    ...                "status": {"observedGeneration": 1, "updatedReplicas": 1}})
    False
    """
    status, wanted = deployment.get("status", {}), deployment["spec"].get("replicas", 1)
    counts = {status.get(name, 0) for name in ("updatedReplicas", "availableReplicas", "replicas")}
    seen = status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    return seen and counts == {wanted}
