"""What the end of a stage's pod means, in one sentence.

Kubernetes' own reason comes before the last log line, which is about something else.
"""

import json
from collections.abc import Sequence

from kubernetes.client import models as k8s  # type: ignore[import-untyped] # it ships no types
from kubernetes.client.exceptions import (  # type: ignore[import-untyped] # as above
    ApiException,
)

from dags.stage.exit_codes import Ending, Fate, settle
from dags.stage.log_lines import readable
from dags.stage.pod_spec import CONTAINER

# What a container waits for and never gets; the message says what it is.
HOPELESS = frozenset(
    {
        "CreateContainerConfigError",
        "CreateContainerError",
        "ErrImageNeverPull",
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "RunContainerError",
    }
)
FORBIDDEN = frozenset({400, 403, 405, 422})
GONE = 404


def judge(pod: k8s.V1Pod, memory: str) -> Ending | None:
    """Tell what the pod's own state says; None: it never began, and does not say why.

    Kubernetes' reason comes first: the last log line of a pod out of memory is about something
    else, and its exit code is that of any kill.
    """
    status = pod.status
    states = [
        entry.state
        for entry in status.container_statuses or []
        if entry.name == CONTAINER and entry.state
    ]
    ended = next((state.terminated for state in states if state.terminated), None)
    if status.reason == "DeadlineExceeded":
        limit = pod.spec.active_deadline_seconds
        return Ending(
            fate=Fate.FAIL,
            sentence=f"DeadlineExceeded: it ran longer than {limit} s; give it less to do.",
        )
    disrupted = next(
        (found for found in status.conditions or [] if found.type == "DisruptionTarget"), None
    )
    if disrupted is not None or status.reason in {"Evicted", "Preempting", "NodeLost"}:
        told = disrupted or status
        return Ending(
            fate=Fate.RETRY,
            sentence=f"its pod was taken away ({told.reason}): {one_line(told.message or '')}",
        )
    if ended is not None:
        return _ended(pod, ended, memory)
    return _stuck(status, [state.waiting for state in states if state.waiting])


def refusal(error: Exception | None) -> Ending:
    """Tell what an error of the Kubernetes API means; only its own message is shown."""
    if isinstance(error, ApiException):
        said = _message(error)
        if error.status == GONE:
            return Ending(fate=Fate.RETRY, sentence="its pod was deleted; it is tried again.")
        if error.status in FORBIDDEN:
            return Ending(fate=Fate.FAIL, sentence=f"Kubernetes refused its pod: {said}")
        return Ending(fate=Fate.RETRY, sentence=f"Kubernetes answered {error.status}: {said}")
    said = one_line(str(error)) if error else "it ended, and nothing tells how."
    return Ending(fate=Fate.RETRY, sentence=f"its pod could not be followed: {said}")


def _ended(pod: k8s.V1Pod, ended: k8s.V1ContainerStateTerminated, memory: str) -> Ending:
    if ended.reason == "OOMKilled":
        return Ending(
            fate=Fate.FAIL,
            sentence=f"OOMKilled: it needs more memory than its limit of {memory}; "
            "give it fewer rows or candidates, or a higher limit.",
        )
    message = ended.message or ""
    lines = [line for line in message.splitlines() if line.strip()]
    ending = settle(ended.exit_code, message.encode(), readable(lines[-1])[1] if lines else "")
    if ending.fate is Fate.RETRY and pod.metadata.deletion_timestamp is not None:
        return Ending(fate=Fate.RETRY, sentence=f"its pod was deleted; {ending.sentence}")
    return ending


def _stuck(
    status: k8s.V1PodStatus, waiting: Sequence[k8s.V1ContainerStateWaiting]
) -> Ending | None:
    for state in waiting:
        if state.reason in HOPELESS:
            said = one_line(state.message or "no message")
            return Ending(fate=Fate.FAIL, sentence=f"{state.reason}: {said}")
    for condition in status.conditions or []:
        if condition.type == "PodScheduled" and condition.reason == "Unschedulable":
            said = one_line(condition.message or "no message")
            return Ending(fate=Fate.RETRY, sentence=f"no node has room for its pod: {said}")
    if status.phase == "Failed":
        said = one_line(status.message or status.reason or "no message")
        return Ending(fate=Fate.RETRY, sentence=f"its pod failed before it began: {said}")
    return None


def _message(error: ApiException) -> str:
    try:
        found = json.loads(error.body or "")
    except ValueError:
        return one_line(str(error.reason))
    return one_line(str(found.get("message", error.reason) if isinstance(found, dict) else found))


def one_line(text: str) -> str:
    """Return the text as one line, at most 600 characters."""
    return " ".join(text.split())[:600]
