"""What the end of a stage's pod means, in one sentence.

Kubernetes' own reason comes before the last log line, which is about something else.
"""

import json
from collections.abc import Sequence

from kubernetes.client import models as k8s  # type: ignore[import-untyped] # it ships no types
from kubernetes.client.exceptions import (  # type: ignore[import-untyped] # as above
    ApiException,
)

from dags.stage.exit_codes import NextState, StageResult, interpret_exit
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


def interpret_pod(pod: k8s.V1Pod, memory: str) -> StageResult | None:
    """Return what the pod's own state means; None: it never began, and does not say why.

    Kubernetes' reason comes first: the last log line of a pod out of memory is about something
    else, and its exit code is that of any kill.
    """
    status = pod.status
    states = [
        entry.state
        for entry in status.container_statuses or []
        if entry.name == CONTAINER and entry.state
    ]
    terminated = next((state.terminated for state in states if state.terminated), None)
    if status.reason == "DeadlineExceeded":
        limit = pod.spec.active_deadline_seconds
        return StageResult.failed(
            f"DeadlineExceeded: it ran longer than {limit} s; give it less to do."
        )
    disrupted = next(
        (entry for entry in status.conditions or [] if entry.type == "DisruptionTarget"), None
    )
    if disrupted is not None or status.reason in {"Evicted", "Preempting", "NodeLost"}:
        cause = disrupted or status
        return StageResult.retried(
            f"its pod was taken away ({cause.reason}): {one_line(cause.message or '')}"
        )
    if terminated is not None:
        return _interpret_end(pod, terminated, memory)
    return _interpret_wait(status, [state.waiting for state in states if state.waiting])


def interpret_error(error: Exception | None) -> StageResult:
    """Return what an error of the Kubernetes API means; only its own message is shown."""
    if isinstance(error, ApiException):
        message = _message(error)
        if error.status == GONE:
            return StageResult.retried("its pod was deleted; it is tried again.")
        if error.status in FORBIDDEN:
            return StageResult.failed(f"Kubernetes refused its pod: {message}")
        return StageResult.retried(f"Kubernetes answered {error.status}: {message}")
    message = one_line(str(error)) if error else "it ended, and nothing tells how."
    return StageResult.retried(f"its pod could not be followed: {message}")


def _interpret_end(
    pod: k8s.V1Pod, terminated: k8s.V1ContainerStateTerminated, memory: str
) -> StageResult:
    if terminated.reason == "OOMKilled":
        return StageResult.failed(
            f"OOMKilled: it needs more memory than its limit of {memory}; "
            "give it fewer rows or candidates, or a higher limit."
        )
    message = terminated.message or ""
    lines = [line for line in message.splitlines() if line.strip()]
    last_line = readable(lines[-1])[1] if lines else ""
    result = interpret_exit(terminated.exit_code, message.encode(), last_line)
    if result.next_state is NextState.RETRY and pod.metadata.deletion_timestamp is not None:
        return StageResult.retried(f"its pod was deleted; {result.sentence}")
    return result


def _interpret_wait(
    status: k8s.V1PodStatus, waiting: Sequence[k8s.V1ContainerStateWaiting]
) -> StageResult | None:
    for state in waiting:
        if state.reason in HOPELESS:
            return StageResult.failed(f"{state.reason}: {one_line(state.message or 'no message')}")
    for condition in status.conditions or []:
        if condition.type == "PodScheduled" and condition.reason == "Unschedulable":
            message = one_line(condition.message or "no message")
            return StageResult.retried(f"no node has room for its pod: {message}")
    if status.phase == "Failed":
        message = one_line(status.message or status.reason or "no message")
        return StageResult.retried(f"its pod failed before it began: {message}")
    return None


def _message(error: ApiException) -> str:
    try:
        body = json.loads(error.body or "")
    except ValueError:
        return one_line(str(error.reason))
    return one_line(str(body.get("message", error.reason) if isinstance(body, dict) else body))


def one_line(text: str) -> str:
    """Return the text as one line, at most 600 characters."""
    return " ".join(text.split())[:600]
