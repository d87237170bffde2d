"""A canary shows what it can on a share of the requests; whatever is wrong, the champion serves."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from bundle_factory import Made
from fake_cluster import FakeCluster
from fixtures_canary import CANARY, IMPATIENT, is_scaled_down, kinds, spec_of

from tasks.deployment.kubernetes.canary_deployment import notes_of

pytestmark = pytest.mark.slow  # services take seconds to start


def test_a_canary_that_is_as_good_becomes_champion(
    ground: Any, models: dict[str, Made], cluster: FakeCluster, world: None
) -> None:
    code, result = ground.deploy(models["new"], serving=CANARY)

    assert (code, result["outcome"]) == (0, "deployed"), result
    assert ground.champion == models["new"].digest
    assert kinds(ground) == ["progress", "progress", "progress", "deployed"]
    assert is_scaled_down(cluster)
    assert "after 2 steps of a canary" in result["facts"]["reason"]
    woken = [body["spec"]["replicas"] for _, body in cluster.patches if "replicas" in spec_of(body)]
    assert woken == [1, 2, 0]  # of 2 beside it: a third, a half, none
    names = [name for name, body in cluster.patches if "template" in spec_of(body)]
    assert names == [cluster.canary, cluster.canary, cluster.stable]
    assert "33% of the requests, by 1 of 3 pods." in ground.ledger[0].reason
    assert "50% of the requests, by 2 of 4 pods; so far " in ground.ledger[1].reason


def test_the_page_shows_what_each_step_showed(
    ground: Any, models: dict[str, Made], cluster: FakeCluster, world: None
) -> None:
    ground.deploy(models["new"], serving=CANARY)
    prefix = f"{ground.problem}/runs/run-2/deployment/"
    (key,) = [key for key in ground.store.keys(prefix) if key.endswith(".html")]
    page = ground.store.get(key).decode()

    assert "beside it, the champion" in page
    assert "33.3\N{NO-BREAK SPACE}%" in page
    assert re.search(r">[\d.]+\N{NO-BREAK SPACE}(µs|ms)<", page)


def test_a_canary_that_fails_requests_is_taken_back(
    ground: Any,
    models: dict[str, Made],
    cluster: FakeCluster,
    world: None,
    sick: Callable[[dict[str, Any]], str],
) -> None:
    new = models["new"].digest
    tally = {"statuses": {"200": 10, "500": 4000}, "edges": [], "seconds": [], "scores": {}}
    cluster.addresses["canary"].append(sick({"digest": new, "models": {new: tally}}))

    code, result = ground.deploy(models["new"], serving=CANARY)

    assert (code, result["outcome"]) == (0, "returned"), result
    assert "The canary failed 4000 of" in result["facts"]["reason"]
    assert kinds(ground) == ["progress", "returned"]
    assert (ground.champion, cluster.digest(cluster.stable)) == (models["old"].digest,) * 2
    assert is_scaled_down(cluster)
    assert {name for name, _ in cluster.patches} == {cluster.canary}


def test_a_canary_that_crashes_is_taken_back_at_once(
    ground: Any, models: dict[str, Made], cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashed = {"state": {}, "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}
    pods = cluster.pods

    def with_crash(track: str) -> list[dict[str, Any]]:
        baking = notes_of(cluster.deployments[cluster.canary])
        found = pods(track)
        if track == "canary" and baking is not None and baking.step_began is not None:
            found[0]["status"]["containerStatuses"] = [crashed]
        return found

    monkeypatch.setattr(cluster, "pods", with_crash)
    code, result = ground.deploy(models["new"], serving=CANARY)

    assert (code, result["outcome"]) == (0, "returned"), result
    assert "ended with OOMKilled" in result["facts"]["reason"]
    assert is_scaled_down(cluster)


def test_too_few_requests_hold_a_canary_and_then_end_it(
    ground: Any, models: dict[str, Made], cluster: FakeCluster
) -> None:
    code, result = ground.deploy(models["new"], serving=IMPATIENT)

    assert (code, result["outcome"]) == (0, "returned"), result
    assert result["facts"]["reason"].startswith("After 1s of holding the canary had 0 of 20")
    assert kinds(ground) == ["progress", "hold", "returned"]
    assert "it holds until" in ground.ledger[1].reason
    assert is_scaled_down(cluster)


def test_a_first_model_has_nobody_to_be_compared_with(
    ground: Any, models: dict[str, Made], cluster: FakeCluster
) -> None:
    ground.store.delete(f"{ground.problem}/champion.json")

    code, result = ground.deploy(models["new"], serving=CANARY)

    assert (code, result["outcome"]) == (0, "deployed"), result
    assert kinds(ground) == ["deployed"]
    assert {name for name, _ in cluster.patches} == {cluster.stable}


def test_without_a_canary_in_the_problem_pods_are_replaced_one_by_one(
    ground: Any, models: dict[str, Made], cluster: FakeCluster
) -> None:
    code, result = ground.deploy(models["new"])

    assert (code, result["outcome"]) == (0, "deployed"), result
    assert {name for name, _ in cluster.patches} == {cluster.stable}


def test_a_cluster_without_a_canary_still_replaces_pods_one_by_one(
    ground: Any, models: dict[str, Made], cluster: FakeCluster
) -> None:
    cluster.is_old = True

    code, result = ground.deploy(models["new"])

    assert (code, result["outcome"]) == (0, "deployed"), result


def test_a_canary_that_the_cluster_does_not_have_is_an_invalid_request(
    ground: Any, models: dict[str, Made], cluster: FakeCluster
) -> None:
    cluster.is_old = True

    code, result = ground.deploy(models["new"], serving=CANARY)

    assert code == 2
    assert "apply the problem's kustomization" in result["why"]


def test_a_rollout_that_is_not_done_is_waited_for_before_a_canary_is_woken(
    ground: Any, models: dict[str, Made], cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a rollback: beside pods that change nobody can be judged."""
    seen, moments = cluster.seen, iter([True, True, False])

    def rolling(name: str) -> dict[str, Any]:
        found = seen(name)
        if name == cluster.stable and next(moments, False):
            found["status"]["updatedReplicas"] = 1
            assert not any(
                patched == cluster.canary and spec_of(b) for patched, b in cluster.patches
            )
        return found

    monkeypatch.setattr(cluster, "seen", rolling)
    code, result = ground.deploy(models["new"], serving=IMPATIENT)

    assert (code, result["outcome"]) == (0, "returned"), result
    assert result["facts"]["reason"].startswith("After 1s of holding")
