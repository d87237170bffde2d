from typing import Any

import pytest
from pydantic import ValidationError

from methods.models.encoders.column import EncodingSettings
from methods.models.families import FAMILIES, PlannedMember, TrainingPlan
from methods.split.weights import TrainingWindow


def member(**changes: Any) -> PlannedMember:
    given = {"family": "boosting", "settings": {}, "iterations": 100, "seed": 0, "weight": 1.0}
    return PlannedMember.model_validate(given | changes)


def plan(*members: PlannedMember) -> TrainingPlan:
    return TrainingPlan(
        task="binary",
        classes=("no", "yes"),
        metric="roc_auc",
        members=members,
        encoding=EncodingSettings(),
        window=TrainingWindow(),
        calibration="none",
        threshold=0.5,
        rows=1000,
        seed=0,
        score=0.7,
    )


def test_rounds_grow_with_the_root_of_the_rows() -> None:
    grow = FAMILIES["boosting"].iterations_grow

    assert member().iterations_for(2_000, 1_000, grow=grow) == 141


def test_rounds_are_not_stretched_without_end() -> None:
    most = member().iterations_for(3_000, 1_000, grow=True)

    assert member().iterations_for(1_000_000, 1_000, grow=True) == most


def test_a_forest_keeps_its_trees() -> None:
    grow = FAMILIES["forest"].iterations_grow

    assert member(family="forest").iterations_for(2_000, 1_000, grow=grow) == 100


def test_a_family_without_iterations_is_asked_for_none() -> None:
    assert member(family="tree", iterations=0).iterations_for(2_000, 1_000, grow=True) is None


def test_a_plan_survives_its_document() -> None:
    made = plan(member(settings={"leaves": 31, "extra_trees": False, "learning_rate": 0.05}))

    assert TrainingPlan.model_validate_json(made.canonical()) == made


def test_weights_that_do_not_sum_to_one_are_no_plan() -> None:
    with pytest.raises(ValidationError, match="weights sum to"):
        plan(member(weight=0.5), member(weight=0.4))
