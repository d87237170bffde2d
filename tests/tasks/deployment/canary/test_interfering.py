"""Others have a hand in a canary that bakes: runs, people, an apply, an API that is away."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from bundle_factory import Made
from fake_cluster import FakeCluster
from fixtures_canary import CANARY, is_scaled_down, note, notes, when_baking

from tasks.deployment.kubernetes.canary_deployment import notes_of

pytestmark = pytest.mark.slow  # services take seconds to start


def test_a_second_deployment_leaves_a_baking_canary_alone(
    ground: Any, models: dict[str, Made], cluster: FakeCluster
) -> None:
    other = notes(models, run="run-1", minutes=-5)
    note(cluster, other)

    for serving in (CANARY, "{rollout: rolling}"):
        code, result = ground.deploy(models["new"], serving=serving)

        assert code == 75
        assert result["why"].startswith("The run run-1 has had ")
        assert f"kubectl scale deployment/{cluster.canary} --replicas 0" in result["why"]
    assert notes_of(cluster.deployments[cluster.canary]) == other
    assert cluster.patches == []
    assert ground.ledger == []


def test_whoever_acquires_second_loses(
    ground: Any, models: dict[str, Made], cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have read it as free; the version of the Deployment decides."""
    seen = cluster.seen

    def then_another(name: str) -> dict[str, Any]:
        deployment = seen(name)
        if name == cluster.canary:
            note(cluster, notes(models, run="run-1", minutes=0))
        return deployment

    monkeypatch.setattr(cluster, "seen", then_another)
    code, result = ground.deploy(models["new"], serving=CANARY)

    assert code == 75
    assert "was answered 409: the object has been modified" in result["why"]


def test_a_canary_whose_run_is_long_gone_is_taken_over(
    ground: Any, models: dict[str, Made], cluster: FakeCluster, world: None
) -> None:
    note(cluster, notes(models, run="run-1", minutes=-300))

    code, result = ground.deploy(models["new"], serving=CANARY)

    assert (code, result["outcome"]) == (0, "deployed"), result


def test_a_stage_that_was_lost_goes_on_where_it_was(
    ground: Any, models: dict[str, Made], cluster: FakeCluster, world: None
) -> None:
    """Its second step had begun, and is not begun again."""
    began = datetime.now(UTC)
    change = {"step": 1, "step_began": began, "before": 0}
    mine = notes(models, run="run-2", minutes=-1).model_copy(update=change)
    note(cluster, mine)
    cluster.change(cluster.canary, {"spec": {"replicas": 2, "paused": False}})

    code, result = ground.deploy(models["new"], serving=CANARY)

    assert (code, result["outcome"]) == (0, "deployed"), result
    assert [line.id for line in ground.ledger] == [
        "run-2/progress/1",
        "run-2/progress/2",
        "run-2/deployed",
    ]


def test_a_stage_that_was_lost_after_its_last_step_rolls_out(
    ground: Any, models: dict[str, Made], cluster: FakeCluster
) -> None:
    """The champion's pods had the new model already, and the champion had not moved."""
    note(cluster, notes(models, run="run-2", minutes=-1).model_copy(update={"step": 2}))
    pinned = [{"name": "MODEL_DIGEST", "value": models["new"].digest}]
    template = {"spec": {"containers": [{"name": "serving", "env": pinned}]}}
    cluster.change(cluster.stable, {"spec": {"template": template}})
    cluster.after(cluster.stable, {})

    code, result = ground.deploy(models["new"], serving=CANARY)

    assert (code, result["outcome"]) == (0, "deployed"), result
    assert ground.champion == models["new"].digest
    assert is_scaled_down(cluster)


def test_a_champion_that_moves_meanwhile_keeps_its_place(
    ground: Any, models: dict[str, Made], cluster: FakeCluster, make: Callable[..., Made]
) -> None:
    other = make("other", bias=0.5)
    cluster.after = when_baking(cluster, lambda: ground.set_champion(other, "by hand"))

    code, result = ground.deploy(models["new"], serving=CANARY)

    assert (code, result["outcome"]) == (0, "returned"), result
    assert result["facts"]["reason"].startswith("The champion was moved while the canary baked")
    assert cluster.digest(cluster.stable) == ground.champion == other.digest
    assert is_scaled_down(cluster)


def test_a_rollout_that_is_undone_meanwhile_ends_the_canary(
    ground: Any, models: dict[str, Made], cluster: FakeCluster
) -> None:
    """As `kubectl rollout undo` does it: the champion is pinned again, which the ledger names."""
    undone = [{"name": "MODEL_DIGEST", "value": "c" * 64}]
    template = {"spec": {"containers": [{"name": "serving", "env": undone}]}}
    body = {"spec": {"template": template}}
    cluster.after = when_baking(cluster, lambda: cluster.change(cluster.stable, body))

    code, result = ground.deploy(models["new"], serving=CANARY)

    assert (code, result["outcome"]) == (0, "returned"), result
    assert result["facts"]["reason"].startswith("Somebody else has rolled out another model in ")
    assert cluster.digest(cluster.stable) == models["old"].digest
    assert is_scaled_down(cluster)


def test_a_person_ends_a_canary_by_scaling_it_down(
    ground: Any, models: dict[str, Made], cluster: FakeCluster
) -> None:
    body = {"spec": {"replicas": 0}}
    cluster.after = when_baking(cluster, lambda: cluster.change(cluster.canary, body))

    code, result = ground.deploy(models["new"], serving=CANARY)

    assert (code, result["outcome"]) == (0, "returned"), result
    assert "scaled" in result["facts"]["reason"]
    assert "from 1 pods to 0" in result["facts"]["reason"]


def test_an_apply_in_mid_bake_changes_nothing(
    ground: Any, models: dict[str, Made], cluster: FakeCluster, world: None
) -> None:
    """The manifest says `paused`, and nothing of replicas or a digest."""
    body = {"spec": {"paused": True}}

    def apply() -> None:
        cluster.change(cluster.canary, body)
        cluster.deployments[cluster.canary]["spec"]["paused"] = False  # its pods stay as they are

    cluster.after = when_baking(cluster, apply)

    code, result = ground.deploy(models["new"], serving=CANARY)

    assert (code, result["outcome"]) == (0, "deployed"), result


def test_an_api_that_is_away_for_a_moment_ends_nothing(
    ground: Any, models: dict[str, Made], cluster: FakeCluster, world: None
) -> None:
    cluster.after = when_baking(cluster, lambda: cluster.refusals.extend([500, 503, 429]))

    code, result = ground.deploy(models["new"], serving=CANARY)

    assert (code, result["outcome"]) == (0, "deployed"), result


def test_an_api_that_stays_away_has_the_stage_tried_again(
    ground: Any, models: dict[str, Made], cluster: FakeCluster
) -> None:
    ground.stage = replace(ground.stage, limits=replace(ground.stage.limits, away=0.1))
    cluster.after = when_baking(cluster, lambda: cluster.refusals.extend([500] * 500))

    code, _ = ground.deploy(models["new"], serving=CANARY)
    cluster.refusals.clear()

    assert code == 75
    kept = notes_of(cluster.deployments[cluster.canary])
    assert kept is not None
    assert (kept.run, cluster.replicas(cluster.canary)) == ("run-2", 1)
