from typing import Any

import pytest

from perennial.kubernetes.pod_faults import PodFault, find_fault, restarts

Object = dict[str, Any]


def _pod(state: Object, last: Object | None = None, **status: Any) -> Object:
    container = {
        "name": "serving",
        "image": "localhost/serving:2",
        "resources": {"limits": {"memory": "768Mi"}},
    }
    entry = {
        "name": "serving",
        "image": "localhost/serving:2",
        "state": state,
        "lastState": last or {},
        "restartCount": 3,
    }
    return {
        "metadata": {"name": "wine-1", "namespace": "perennial-serving", "uid": "u"},
        "spec": {"containers": [container]},
        "status": {"phase": "Pending", "containerStatuses": [entry]} | status,
    }


def _fault(pod: Object, *events: Object) -> PodFault:
    fault = find_fault(pod, events)
    assert fault is not None
    return fault


@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull"])
def test_an_image_that_is_not_there_is_named(reason: str) -> None:
    fault = _fault(_pod({"waiting": {"reason": reason, "message": "rpc error"}}))

    assert (fault.kind, fault.image) == ("image", "localhost/serving:2")
    assert (
        f"has no image 'localhost/serving:2' ({reason}): load it onto the nodes" in fault.sentence
    )


def test_a_secret_that_is_missing_is_named() -> None:
    waiting = {"reason": "CreateContainerConfigError", "message": 'secret "store" not fault'}

    fault = _fault(_pod({"waiting": waiting}))

    assert fault.kind == "start"
    assert fault.sentence == 'cannot start (CreateContainerConfigError): secret "store" not fault'


def test_a_secret_that_is_missing_as_a_volume_is_reported_by_an_event_alone() -> None:
    pod = _pod({"waiting": {"reason": "ContainerCreating"}})
    message = 'MountVolume.SetUp failed for volume "keys": secret "verify-keys" not fault'
    event = {"reason": "FailedMount", "message": message, "involvedObject": {"uid": "u"}}
    other = event | {"message": "of another pod", "involvedObject": {"uid": "v"}}

    assert _fault(pod, event, other).sentence == f"cannot start: {message}"


def test_out_of_memory_says_the_limit() -> None:
    ended = {"terminated": {"reason": "OOMKilled", "exitCode": 137}}

    fault = _fault(_pod({"waiting": {"reason": "CrashLoopBackOff"}}, ended))

    assert fault.kind == "memory"
    assert fault.sentence.endswith("it needs more than its limit of 768Mi")


def test_a_crash_says_the_exit_code_and_where_the_log_is() -> None:
    ended = {"terminated": {"reason": "Error", "exitCode": 2, "message": "no such bundle"}}

    fault = _fault(_pod({"waiting": {"reason": "CrashLoopBackOff"}}, ended))

    assert fault.kind == "crash"
    assert "(exit 2, no such bundle)" in fault.sentence
    assert "`kubectl -n perennial-serving logs wine-1 -c serving --previous`" in fault.sentence


def test_a_crash_without_a_message_says_the_exit_code_alone() -> None:
    ended = {"terminated": {"reason": "Error", "exitCode": 3}}

    fault = _fault(_pod({"waiting": {"reason": "CrashLoopBackOff"}}, ended))

    assert fault.sentence.startswith("crashes repeatedly (exit 3); `kubectl")


def test_a_pod_without_room_says_what_the_scheduler_says() -> None:
    room = {"type": "PodScheduled", "reason": "Unschedulable", "message": "0/1: too many pods."}

    fault = _fault({"metadata": {"name": "p"}, "status": {"conditions": [room]}})

    assert (fault.kind, fault.sentence) == ("room", "has no room on any node: 0/1: too many pods")


@pytest.mark.parametrize(
    "pod",
    [
        _pod({"waiting": {"reason": "ContainerCreating"}}),
        _pod({"waiting": {"reason": "PodInitializing"}}),
        _pod({"running": {}}, conditions=[{"type": "Ready", "status": "False"}]),
        # It recovered: the number of its restarts says what was before.
        _pod(
            {"running": {}},
            {"terminated": {"reason": "OOMKilled"}},
            conditions=[{"type": "Ready", "status": "True"}],
        ),
        _pod({"terminated": {"reason": "Completed", "exitCode": 0}}, phase="Succeeded"),
        {"metadata": {"name": "p"}, "status": {"phase": "Pending"}},
    ],
)
def test_a_pod_that_starts_or_is_healthy_has_no_fault(pod: Object) -> None:
    assert find_fault(pod, []) is None


def test_a_pod_that_ends_has_no_fault() -> None:
    pod = _pod({"waiting": {"reason": "ImagePullBackOff"}})
    pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    assert find_fault(pod, []) is None


def test_restarts_are_those_of_all_containers() -> None:
    assert restarts(_pod({"running": {}})) == 3
