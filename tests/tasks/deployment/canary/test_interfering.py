"""Others have a hand in a canary that bakes: runs, people, an apply, an API that is away."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from bundle_factory import Made
from fake_cluster import FakeCluster
from fixtures_canary import CANARY, is_asleep, note, notes, when_baking

from tasks.deployment import bake, canary
from tasks.deployment.canary import notes_of

pytestmark = pytest.mark.slow  # services take seconds to start


def test_a_second_deployment_leaves_a_baking_canary_alone(
    ground: Any, models: dict[str, Made], cluster: FakeCluster
) -> None:
    other = notes(models, run="run-1", minutes=-5)
    note(cluster, other)

    for serving in (CANARY, "{rollout: rolling}"):
        code, told = ground.deploy(models["new"], serving=serving)

        assert code == 75
        assert told["why"].startswith("The run run-1 has had ")
        assert f"kubectl scale deployment/{cluster.canary} --replicas 0" in told["why"]
    assert notes_of(cluster.deployments[cluster.canary]) == other
    assert cluster.patches == []
    assert ground.ledger == []


def test_whoever_claims_second_loses(
    ground: Any, models: dict[str, Made], cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have found the place free; the version of the Deployment decides."""
    found = canary.CanaryDeployment.found

    def then_another(self: canary.CanaryDeployment) -> dict[str, Any]:
        seen = found(self)
        note(cluster, notes(models, run="run-1", minutes=0))
        return seen

    monkeypatch.setattr(canary.CanaryDeployment, "found", then_another)
    code, told = ground.deploy(models["new"], serving=CANARY)

    assert code == 75
    assert "was answered 409: the object has been modified" in told["why"]


def test_a_canary_whose_run_is_long_gone_gives_its_place(
    ground: Any, models: dict[str, Made], cluster: FakeCluster, world: None
) -> None:
    note(cluster, notes(models, run="run-1", minutes=-300))

    code, told = ground.deploy(models["new"], serving=CANARY)

    assert (code, told["outcome"]) == (0, "deployed"), told


def test_a_stage_that_was_lost_goes_on_where_it_was(
    ground: Any, models: dict[str, Made], cluster: FakeCluster, world: None
) -> None:
    """Its second step had begun, and is not begun again."""
    began = datetime.now(UTC)
    change = {"step": 1, "step_began": began, "before": 0}
    mine = notes(models, run="run-2", minutes=-1).model_copy(update=change)
    note(cluster, mine)
    cluster.change(cluster.canary, {"spec": {"replicas": 2, "paused": False}})

    code, told = ground.deploy(models["new"], serving=CANARY)

    assert (code, told["outcome"]) == (0, "deployed"), told
    assert [line.id for line in ground.ledger] == [
        "run-2/progress/1",
        "run-2/progress/2",
        "run-2/deployed",
    ]


def test_a_stage_that_was_lost_after_its_last_step_rolls_out(
    ground: Any, models: dict[str, Made], cluster: FakeCluster
) -> None:
    """The champion's pods had been told already, and the champion had not moved."""
    note(cluster, notes(models, run="run-2", minutes=-1).model_copy(update={"step": 2}))
    pinned = [{"name": "MODEL_DIGEST", "value": models["new"].digest}]
    template = {"spec": {"containers": [{"name": "serving", "env": pinned}]}}
    cluster.change(cluster.stable, {"spec": {"template": template}})
    cluster.after(cluster.stable, {})

    code, told = ground.deploy(models["new"], serving=CANARY)

    assert (code, told["outcome"]) == (0, "deployed"), told
    assert ground.champion == models["new"].digest
    assert is_asleep(cluster)


def test_a_champion_that_moves_meanwhile_keeps_its_place(
    ground: Any, models: dict[str, Made], cluster: FakeCluster, make: Callable[..., Made]
) -> None:
    other = make("other", bias=0.5)
    cluster.after = when_baking(cluster, lambda: ground.crown(other, "by hand"))

    code, told = ground.deploy(models["new"], serving=CANARY)

    assert (code, told["outcome"]) == (0, "returned"), told
    assert told["facts"]["reason"].startswith("The champion was moved while the canary baked")
    assert cluster.digest(cluster.stable) == ground.champion == other.digest
    assert is_asleep(cluster)


def test_a_rollout_that_is_undone_meanwhile_ends_the_canary(
    ground: Any, models: dict[str, Made], cluster: FakeCluster
) -> None:
    """As `kubectl rollout undo` does it: the champion is pinned again, which the ledger names."""
    undone = [{"name": "MODEL_DIGEST", "value": "c" * 64}]
    template = {"spec": {"containers": [{"name": "serving", "env": undone}]}}
    body = {"spec": {"template": template}}
    cluster.after = when_baking(cluster, lambda: cluster.change(cluster.stable, body))

    code, told = ground.deploy(models["new"], serving=CANARY)

    assert (code, told["outcome"]) == (0, "returned"), told
    assert told["facts"]["reason"].startswith("Somebody else has rolled out another model in ")
    assert cluster.digest(cluster.stable) == models["old"].digest
    assert is_asleep(cluster)


def test_a_person_ends_a_canary_by_scaling_it_down(
    ground: Any, models: dict[str, Made], cluster: FakeCluster
) -> None:
    body = {"spec": {"replicas": 0}}
    cluster.after = when_baking(cluster, lambda: cluster.change(cluster.canary, body))

    code, told = ground.deploy(models["new"], serving=CANARY)

    assert (code, told["outcome"]) == (0, "returned"), told
    assert "scaled" in told["facts"]["reason"]
    assert "from 1 pods to 0" in told["facts"]["reason"]


def test_an_apply_in_mid_bake_changes_nothing(
    ground: Any, models: dict[str, Made], cluster: FakeCluster, world: None
) -> None:
    """The manifest says `paused`, and nothing of replicas or a digest."""
    body = {"spec": {"paused": True}}

    def apply() -> None:
        cluster.change(cluster.canary, body)
        cluster.deployments[cluster.canary]["spec"]["paused"] = False  # its pods stay as they are

    cluster.after = when_baking(cluster, apply)

    code, told = ground.deploy(models["new"], serving=CANARY)

    assert (code, told["outcome"]) == (0, "deployed"), told


def test_an_api_that_is_away_for_a_moment_ends_nothing(
    ground: Any, models: dict[str, Made], cluster: FakeCluster, world: None
) -> None:
    cluster.after = when_baking(cluster, lambda: cluster.refusals.extend([500, 503, 429]))

    code, told = ground.deploy(models["new"], serving=CANARY)

    assert (code, told["outcome"]) == (0, "deployed"), told


def test_an_api_that_stays_away_has_the_stage_tried_again(
    ground: Any,
    models: dict[str, Made],
    cluster: FakeCluster,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bake, "AWAY_SECONDS", 0.1)
    cluster.after = when_baking(cluster, lambda: cluster.refusals.extend([500] * 500))

    code, _ = ground.deploy(models["new"], serving=CANARY)
    cluster.refusals.clear()

    assert code == 75
    kept = notes_of(cluster.deployments[cluster.canary])
    assert kept is not None
    assert (kept.run, cluster.replicas(cluster.canary)) == ("run-2", 1)
