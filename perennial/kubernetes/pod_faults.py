"""The find_fault of a pod in one sentence, from its status and from its events.

Kubernetes reports it in five fields; a pod that is healthy, ending or starting has none.
"""

from collections.abc import Iterator, Sequence

from contract.strict import Strict
from perennial.kubernetes.kubectl import Resource

NO_IMAGE = frozenset({"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"})
CANNOT_START = frozenset(
    {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}
)
CRASH_LOOP = "CrashLoopBackOff"
OUT_OF_MEMORY = "OOMKilled"
MOUNT_FAILURES = frozenset({"FailedMount", "FailedAttachVolume"})
_CHARACTERS = 300


class PodFault(Strict):
    """A find_fault that needs a person."""

    kind: str
    """room, image, start, memory, crash."""
    sentence: str
    """A predicate that follows the pod's name: `has no image …`."""
    image: str | None = None
    """The missing image, where `kind` is `image`."""


def find_fault(pod: Resource, events: Sequence[Resource]) -> PodFault | None:
    """Return the find_fault of a pod; None where it has none.

    >>> condition = {"reason": "Unschedulable", "message": "0/1 nodes: Insufficient memory."}
    >>> find_fault({"metadata": {"name": "p"}, "status": {"conditions": [condition]}}, []).sentence
    'has no room on any node: 0/1 nodes: Insufficient memory'
    """
    if pod["metadata"].get("deletionTimestamp"):
        return None
    for condition in pod.get("status", {}).get("conditions", []):
        if condition.get("reason") == "Unschedulable":
            return PodFault(
                kind="room", sentence=f"has no room on any node: {_one_line(condition['message'])}"
            )
    for status in _containers(pod):
        find_fault = _container_fault(pod, status)
        if find_fault is not None:
            return find_fault
    return None if is_ready(pod) else _mount_fault(pod, events)


def is_ready(pod: Resource) -> bool:
    """Tell whether a pod is ready, or has succeeded."""
    status = pod.get("status", {})
    if status.get("phase") == "Succeeded":
        return True
    return any(
        condition.get("type") == "Ready" and condition.get("status") == "True"
        for condition in status.get("conditions", [])
    )


def is_answering(pod: Resource) -> bool:
    """Tell whether requests may be sent to a pod: it is ready and not ending."""
    return is_ready(pod) and not pod["metadata"].get("deletionTimestamp")


def restarts(pod: Resource) -> int:
    """Return how often the containers of a pod were restarted."""
    return sum(int(status.get("restartCount", 0)) for status in _containers(pod))


def _containers(pod: Resource) -> Iterator[Resource]:
    status = pod.get("status", {})
    yield from status.get("initContainerStatuses", [])
    yield from status.get("containerStatuses", [])


def _container_fault(pod: Resource, status: Resource) -> PodFault | None:
    name, namespace = pod["metadata"]["name"], pod["metadata"].get("namespace", "default")
    waiting = status.get("state", {}).get("waiting", {})
    ended = status.get("state", {}).get("terminated", {})
    last = ended or status.get("lastState", {}).get("terminated", {})
    reason, message = waiting.get("reason"), _one_line(waiting.get("message"))
    if reason in NO_IMAGE:
        image = str(status.get("image", "?"))
        sentence = (
            f"has no image {image!r} ({reason}): load it onto the nodes, or name another in "
            "configmap-images.yaml"
        )
        return PodFault(
            kind="image", sentence=sentence, image=_requested_image(pod, status) or image
        )
    if reason in CANNOT_START:
        return PodFault(kind="start", sentence=f"cannot start ({reason}): {message}")
    if last.get("reason") == OUT_OF_MEMORY and (waiting or ended):
        limit = _memory_limit(pod, status)
        return PodFault(
            kind="memory",
            sentence=f"was out of memory (OOMKilled): it needs more than its limit of {limit}",
        )
    if reason == CRASH_LOOP:
        detail = f", {_one_line(last['message'])}" if last.get("message") else ""
        ending = f"exit {last.get('exitCode', '?')}{detail}"
        sentence = (
            f"crashes repeatedly ({ending}); `kubectl -n {namespace} logs {name} "
            f"-c {status['name']} --previous` says why"
        )
        return PodFault(kind="crash", sentence=sentence)
    return None


def _mount_fault(pod: Resource, events: Sequence[Resource]) -> PodFault | None:
    """Return why its volumes are not mounted: only an event says it."""
    messages = [
        _one_line(event.get("message"))
        for event in events
        if event.get("reason") in MOUNT_FAILURES
        and event.get("involvedObject", {}).get("uid") == pod["metadata"].get("uid")
    ]
    return PodFault(kind="start", sentence=f"cannot start: {messages[-1]}") if messages else None


def _requested_image(pod: Resource, status: Resource) -> str | None:
    """Return the image as the pod's specification names it; the status may have its full name."""
    return _specification(pod, status).get("image")


def _memory_limit(pod: Resource, status: Resource) -> str:
    limits = _specification(pod, status).get("resources", {}).get("limits", {})
    return str(limits.get("memory", "the node"))


def _specification(pod: Resource, status: Resource) -> Resource:
    spec = pod.get("spec", {})
    for container in (*spec.get("initContainers", []), *spec.get("containers", [])):
        if container["name"] == status["name"]:
            return container  # type: ignore[no-any-return] # JSON of the API
    return {}


def _one_line(message: object) -> str:
    return " ".join(str(message or "without a message").split())[:_CHARACTERS].rstrip(".")
