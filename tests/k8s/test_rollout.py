"""A model goes into a pod template, is waited for, and its failure is one sentence."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from answering import JsonHandler, JsonServer, running

from contract.errors import InvalidRequest, TryAgain
from contract.rollout.target import RolloutFailed, RolloutTimeout, wait_until_served
from tasks.deployment.kubernetes.cluster import Cluster

OLD, NEW = "a" * 64, "b" * 64
NOW = datetime(2013, 10, 1, tzinfo=UTC)


class FakeApi(JsonServer):
    """One Deployment and its pods, at the edge."""

    def __init__(self) -> None:
        super().__init__(Answers)
        self.variables = {"DRAIN_SECONDS": "4"}
        self.generation = 1
        self.replicas = 2
        self.updated = 2
        self.patches: list[dict[str, Any]] = []
        self.pods: list[dict[str, Any]] = []
        self.refusal = 0

    def deployment(self) -> dict[str, Any]:
        env = [{"name": name, "value": value} for name, value in self.variables.items()]
        template = {"spec": {"containers": [{"name": "serving", "env": env}]}}
        return {
            "metadata": {"generation": self.generation},
            "spec": {"replicas": self.replicas, "template": template},
            "status": {
                "observedGeneration": self.generation,
                "replicas": self.replicas,
                "updatedReplicas": self.updated,
                "availableReplicas": self.updated,
            },
        }


class Answers(JsonHandler):
    server: FakeApi

    def do_GET(self) -> None:
        if "/pods" in self.path:
            self._answer({"items": self.server.pods})
        else:
            self._answer(self.server.deployment())

    def do_PATCH(self) -> None:
        body = self.read()
        self.server.patches.append(body)
        self.server.generation += 1
        (container,) = body["spec"]["template"]["spec"]["containers"]
        for variable in container["env"]:
            if variable.get("$patch") == "delete":
                self.server.variables.pop(variable["name"], None)
            else:
                self.server.variables[variable["name"]] = variable["value"]
        self._answer(self.server.deployment())

    def _answer(self, value: object) -> None:
        refused = self.server.refusal
        self.reply(refused or 200, {"message": "no such right"} if refused else value)


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with running(FakeApi()) as server:
        yield server


@pytest.fixture
def cluster(api: FakeApi, tmp_path: Path) -> Cluster:
    (tmp_path / "token").write_text("t")
    return Cluster("wine", "serving", api.url, "key", tmp_path, poll_seconds=0.01)


def pod(digest: str, status: dict[str, Any]) -> dict[str, Any]:
    variable = {"name": "MODEL_DIGEST", "value": digest}
    return {
        "metadata": {"name": "wine-serving-x"},
        "spec": {"containers": [{"name": "serving", "env": [variable]}]},
        "status": status,
    }


def test_before_the_first_deployment_no_model_is_pinned(cluster: Cluster) -> None:
    assert cluster.stable.rolled_out() is None


def test_a_rollout_pins_the_digest_and_says_who_and_when(cluster: Cluster, api: FakeApi) -> None:
    cluster.stable.roll_out(NEW, NOW)

    assert api.variables == {
        "DRAIN_SECONDS": "4",
        "MODEL_SOURCE": "pinned",
        "MODEL_DIGEST": NEW,
    }
    assert api.patches[0]["metadata"]["annotations"] == {
        "kubernetes.io/change-cause": "perennial: bbbbbbbbbbbb, 2013-10-01T00:00:00+00:00"
    }


def test_what_is_rolled_out_already_is_left_alone(cluster: Cluster, api: FakeApi) -> None:
    cluster.stable.roll_out(NEW, NOW)
    cluster.stable.roll_out(NEW, NOW)

    assert len(api.patches) == 1


def test_the_way_back_to_no_model_takes_the_pin_away(cluster: Cluster, api: FakeApi) -> None:
    cluster.stable.roll_out(NEW, NOW)
    cluster.stable.roll_out(None, NOW)

    assert api.variables == {"DRAIN_SECONDS": "4"}


def test_a_rollout_that_is_done_gives_the_services_name(cluster: Cluster) -> None:
    cluster.stable.roll_out(NEW, NOW)

    assert wait_until_served(cluster.stable, NEW) == "http://wine-serving.serving:8080"


def test_a_rollout_that_takes_too_long_says_what_its_pods_wait_for(
    cluster: Cluster, api: FakeApi
) -> None:
    cluster.stable.roll_out(NEW, NOW)
    api.updated = 0
    waiting = {"waiting": {"reason": "ErrImagePull", "message": "not found"}}
    api.pods = [pod(NEW, {"containerStatuses": [{"state": waiting}]})]

    with pytest.raises(
        RolloutTimeout, match=r"After 0 s 0 of 2 pods .* \(ErrImagePull: not found\)"
    ):
        wait_until_served(cluster.stable, NEW, 0)


def test_a_pod_that_crashes_is_not_waited_for(cluster: Cluster, api: FakeApi) -> None:
    cluster.stable.roll_out(NEW, NOW)
    api.updated = 0
    crashed = {"state": {}, "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}
    api.pods = [pod(NEW, {"containerStatuses": [crashed]})]

    with pytest.raises(RolloutFailed, match=r"wine-serving-x ended with OOMKilled \(exit 137\)"):
        wait_until_served(cluster.stable, NEW, 60)


def test_pods_of_the_model_before_are_not_blamed(cluster: Cluster, api: FakeApi) -> None:
    cluster.stable.roll_out(NEW, NOW)
    api.updated = 0
    crashed = {"state": {}, "lastState": {"terminated": {"reason": "Error", "exitCode": 1}}}
    api.pods = [pod(OLD, {"containerStatuses": [crashed]})]

    with pytest.raises(RolloutFailed, match="no pod says why"):
        wait_until_served(cluster.stable, NEW, 0)


def test_another_writer_is_noticed(cluster: Cluster, api: FakeApi) -> None:
    cluster.stable.roll_out(NEW, NOW)
    api.variables["MODEL_DIGEST"] = OLD

    with pytest.raises(RolloutFailed, match="Somebody else has rolled out another model"):
        wait_until_served(cluster.stable, NEW)


def test_a_deployment_that_is_not_there_serves_no_model(cluster: Cluster, api: FakeApi) -> None:
    api.refusal = 404

    assert cluster.stable.rolled_out() is None


def test_a_missing_right_is_no_reason_to_try_again(cluster: Cluster, api: FakeApi) -> None:
    api.refusal = 403

    with pytest.raises(
        InvalidRequest, match=r"answered 403 \(no such right\); apply the problem's"
    ):
        cluster.stable.roll_out(NEW, NOW)


def test_a_failing_api_is_tried_again(cluster: Cluster, api: FakeApi) -> None:
    api.refusal = 500

    with pytest.raises(TryAgain, match="answered 500: no such right"):
        cluster.stable.roll_out(NEW, NOW)


def test_on_one_machine_there_is_no_cluster() -> None:
    assert Cluster.from_environment("wine", "key", {}) is None


def test_a_namespace_outside_of_a_pod_is_a_mistake() -> None:
    with pytest.raises(InvalidRequest, match="this is no pod"):
        Cluster.from_environment("wine", "key", {"PERENNIAL_SERVING_NAMESPACE": "serving"})
