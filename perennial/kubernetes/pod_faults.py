"""What is wrong with a pod, in one sentence, from its own state and from the events about it.

Kubernetes tells it in five places; a pod that is well, that ends, or that only begins tells nothing.
"""

from collections.abc import Iterator, Sequence

from contract.strict import Strict
from perennial.kubernetes.kubectl import Resource

NO_IMAGE = frozenset({"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"})
NO_START = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})
CRASHES = "CrashLoopBackOff"
OUT_OF_MEMORY = "OOMKilled"
MOUNTS = frozenset({"FailedMount", "FailedAttachVolume"})
_CHARACTERS = 300


class PodFault(Strict):
    """One thing that waits for a person."""

    kind: str
    """room, image, start, memory, crash."""
    sentence: str
    """Behind the name of what it is about: `has no image …`."""
    image: str | None = None
    """Of kind `image`: its name."""


def fault(pod: Resource, events: Sequence[Resource]) -> PodFault | None:
    """Return what is wrong with a pod; None where nothing is.

    >>> condition = {"reason": "Unschedulable", "message": "0/1 nodes: Insufficient memory."}
    >>> fault({"metadata": {"name": "p"}, "status": {"conditions": [condition]}}, []).sentence
    'has no room on any node: 0/1 nodes: Insufficient memory'
    """
    if pod["metadata"].get("deletionTimestamp"):
        return None
    for condition in pod.get("status", {}).get("conditions", []):
        if condition.get("reason") == "Unschedulable":
            return PodFault(
                kind="room", sentence=f"has no room on any node: {_short(condition['message'])}"
            )
    for status in _containers(pod):
        found = _of_container(pod, status)
        if found is not None:
            return found
    return None if is_ready(pod) else _mount(pod, events)


def is_ready(pod: Resource) -> bool:
    """Tell whether a pod answers, or has ended well."""
    status = pod.get("status", {})
    if status.get("phase") == "Succeeded":
        return True
    return any(
        condition.get("type") == "Ready" and condition.get("status") == "True"
        for condition in status.get("conditions", [])
    )


def is_answering(pod: Resource) -> bool:
    """Tell whether requests may be sent to a pod: it is ready, and does not end."""
    return is_ready(pod) and not pod["metadata"].get("deletionTimestamp")


def restarts(pod: Resource) -> int:
    """Return how often the containers of a pod began anew."""
    return sum(int(status.get("restartCount", 0)) for status in _containers(pod))


def _containers(pod: Resource) -> Iterator[Resource]:
    status = pod.get("status", {})
    yield from status.get("initContainerStatuses", [])
    yield from status.get("containerStatuses", [])


def _of_container(pod: Resource, status: Resource) -> PodFault | None:
    name, namespace = pod["metadata"]["name"], pod["metadata"].get("namespace", "default")
    waiting = status.get("state", {}).get("waiting", {})
    ended = status.get("state", {}).get("terminated", {})
    last = ended or status.get("lastState", {}).get("terminated", {})
    reason, message = waiting.get("reason"), _short(waiting.get("message"))
    if reason in NO_IMAGE:
        image = str(status.get("image", "?"))
        sentence = (
            f"has no image {image!r} ({reason}): load it onto the nodes, or name another in "
            "configmap-images.yaml"
        )
        return PodFault(kind="image", sentence=sentence, image=_asked_image(pod, status) or image)
    if reason in NO_START:
        return PodFault(kind="start", sentence=f"cannot begin ({reason}): {message}")
    if last.get("reason") == OUT_OF_MEMORY and (waiting or ended):
        limit = _limit(pod, status)
        return PodFault(
            kind="memory",
            sentence=f"was out of memory (OOMKilled): it needs more than its limit of {limit}",
        )
    if reason == CRASHES:
        said = f", {_short(last['message'])}" if last.get("message") else ""
        words = f"exit {last.get('exitCode', '?')}{said}"
        sentence = (
            f"crashes again and again ({words}); `kubectl -n {namespace} logs {name} "
            f"-c {status['name']} --previous` says why"
        )
        return PodFault(kind="crash", sentence=sentence)
    return None


def _mount(pod: Resource, events: Sequence[Resource]) -> PodFault | None:
    """Return why its volumes are not there: only an event says it."""
    said = [
        _short(event.get("message"))
        for event in events
        if event.get("reason") in MOUNTS
        and event.get("involvedObject", {}).get("uid") == pod["metadata"].get("uid")
    ]
    return PodFault(kind="start", sentence=f"cannot begin: {said[-1]}") if said else None


def _asked_image(pod: Resource, status: Resource) -> str | None:
    """Return the image as the pod's own specification names it; a status may spell it out."""
    return _specification(pod, status).get("image")


def _limit(pod: Resource, status: Resource) -> str:
    limits = _specification(pod, status).get("resources", {}).get("limits", {})
    return str(limits.get("memory", "the node"))


def _specification(pod: Resource, status: Resource) -> Resource:
    spec = pod.get("spec", {})
    for container in (*spec.get("initContainers", []), *spec.get("containers", [])):
        if container["name"] == status["name"]:
            return container  # type: ignore[no-any-return] # JSON of the API
    return {}


def _short(message: object) -> str:
    return " ".join(str(message or "it does not say why").split())[:_CHARACTERS].rstrip(".")
