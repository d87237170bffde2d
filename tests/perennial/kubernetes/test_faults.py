from typing import Any

import pytest

from perennial.kubernetes.pod_faults import PodFault, fault, restarts

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


def _found(pod: Object, *events: Object) -> PodFault:
    found = fault(pod, events)
    assert found is not None
    return found


@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull"])
def test_an_image_that_is_not_there_is_named(reason: str) -> None:
    found = _found(_pod({"waiting": {"reason": reason, "message": "rpc error"}}))

    assert (found.kind, found.image) == ("image", "localhost/serving:2")
    assert (
        f"has no image 'localhost/serving:2' ({reason}): load it onto the nodes" in found.sentence
    )


def test_a_secret_that_is_missing_is_named() -> None:
    waiting = {"reason": "CreateContainerConfigError", "message": 'secret "store" not found'}

    found = _found(_pod({"waiting": waiting}))

    assert found.kind == "start"
    assert found.sentence == 'cannot begin (CreateContainerConfigError): secret "store" not found'


def test_a_secret_that_is_missing_as_a_volume_is_told_by_an_event_alone() -> None:
    pod = _pod({"waiting": {"reason": "ContainerCreating"}})
    message = 'MountVolume.SetUp failed for volume "keys": secret "verify-keys" not found'
    event = {"reason": "FailedMount", "message": message, "involvedObject": {"uid": "u"}}
    other = event | {"message": "of another pod", "involvedObject": {"uid": "v"}}

    assert _found(pod, event, other).sentence == f"cannot begin: {message}"


def test_out_of_memory_says_the_limit() -> None:
    ended = {"terminated": {"reason": "OOMKilled", "exitCode": 137}}

    found = _found(_pod({"waiting": {"reason": "CrashLoopBackOff"}}, ended))

    assert found.kind == "memory"
    assert found.sentence.endswith("it needs more than its limit of 768Mi")


def test_a_crash_says_the_exit_code_and_where_the_log_is() -> None:
    ended = {"terminated": {"reason": "Error", "exitCode": 2, "message": "no such bundle"}}

    found = _found(_pod({"waiting": {"reason": "CrashLoopBackOff"}}, ended))

    assert found.kind == "crash"
    assert "(exit 2, no such bundle)" in found.sentence
    assert "`kubectl -n perennial-serving logs wine-1 -c serving --previous`" in found.sentence


def test_a_crash_without_words_says_the_exit_code_alone() -> None:
    ended = {"terminated": {"reason": "Error", "exitCode": 3}}

    found = _found(_pod({"waiting": {"reason": "CrashLoopBackOff"}}, ended))

    assert found.sentence.startswith("crashes again and again (exit 3); `kubectl")


def test_a_pod_without_room_says_what_the_scheduler_says() -> None:
    room = {"type": "PodScheduled", "reason": "Unschedulable", "message": "0/1: too many pods."}

    found = _found({"metadata": {"name": "p"}, "status": {"conditions": [room]}})

    assert (found.kind, found.sentence) == ("room", "has no room on any node: 0/1: too many pods")


@pytest.mark.parametrize(
    "pod",
    [
        _pod({"waiting": {"reason": "ContainerCreating"}}),
        _pod({"waiting": {"reason": "PodInitializing"}}),
        _pod({"running": {}}, conditions=[{"type": "Ready", "status": "False"}]),
        # It recovered: what was before is told by the number of its restarts.
        _pod(
            {"running": {}},
            {"terminated": {"reason": "OOMKilled"}},
            conditions=[{"type": "Ready", "status": "True"}],
        ),
        _pod({"terminated": {"reason": "Completed", "exitCode": 0}}, phase="Succeeded"),
        {"metadata": {"name": "p"}, "status": {"phase": "Pending"}},
    ],
)
def test_a_pod_that_begins_or_is_well_tells_nothing(pod: Object) -> None:
    assert fault(pod, []) is None


def test_a_pod_that_ends_tells_nothing() -> None:
    pod = _pod({"waiting": {"reason": "ImagePullBackOff"}})
    pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    assert fault(pod, []) is None


def test_restarts_are_those_of_all_containers() -> None:
    assert restarts(_pod({"running": {}})) == 3
