from collections.abc import Callable
from typing import Any

import pytest
from fixtures_models import Prepared, people, schema_of

from contract.errors import Refused
from methods.models.encoders.column import EncodingSettings
from methods.models.families import PlannedMember, TrainingPlan
from methods.models.metrics import metric_named
from methods.split.weights import TrainingWindow
from tasks.tuning.plan import verify_stored_plan
from tasks.tuning.task import Inputs, Params, run

SCHEMA = schema_of(people(200), "binary")
AUC = metric_named("roc_auc", "binary")


def plan(**changes: Any) -> TrainingPlan:
    member = PlannedMember(
        family="tree", settings={"depth": 3, "leaf_rows": 20}, iterations=0, seed=0, weight=1.0
    )
    given = TrainingPlan(
        task="binary",
        classes=("false", "true"),
        metric="roc_auc",
        members=(member,),
        encoding=EncodingSettings(),
        window=TrainingWindow(),
        calibration="none",
        threshold=0.4,
        rows=500,
        seed=0,
        score=0.7,
    )
    return given.model_copy(update=changes)


@pytest.mark.slow
def test_a_stored_plan_is_handed_on_unchanged(prepare: Callable[..., Prepared]) -> None:
    made = prepare(rows=200)
    stored = made.out("tuning").document("plan", plan())
    leaderboard = made.out("selection").document("leaderboard", {"unread": True})
    again = made.with_replay(stored, leaderboard)

    found = run(
        Inputs(**again.given("schema", "assignment"), leaderboard=leaderboard),
        Params(),
        made.out("tuning"),
    )

    assert found.plan.sha256 == stored.sha256
    assert (found.journal, found.trials) == (None, 0)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"task": "multiclass"}, "has task 'multiclass', the problem has 'binary'"),
        ({"classes": ("no", "yes")}, "has classes"),
        ({"metric": "f1"}, "has metric 'f1', the problem has 'roc_auc'"),
    ],
)
def test_a_plan_of_another_problem_is_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        verify_stored_plan(plan(**changes).model_dump(mode="json"), SCHEMA, AUC)


def test_a_plan_of_an_unknown_family_is_refused() -> None:
    member = plan().members[0].model_copy(update={"family": "oracle"})

    with pytest.raises(Refused, match="unknown families"):
        verify_stored_plan(plan(members=(member,)).model_dump(mode="json"), SCHEMA, AUC)


def test_what_is_no_plan_is_refused() -> None:
    with pytest.raises(Refused, match="cannot be read"):
        verify_stored_plan({"members": []}, SCHEMA, AUC)
