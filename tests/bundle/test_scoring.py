"""From raw rows to scores and labels."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import bundle
from bundle import BundleRefused

New = Callable[..., Any]
TASKS = ["binary", "multiclass", "regression"]


@pytest.mark.parametrize("task", TASKS)
def test_one_row_has_the_bits_it_has_in_a_batch(
    kernel: str, new_parts: New, new_table: New, task: str
) -> None:
    parts = new_parts(task)
    scorer = parts.scorer()
    rows = parts.golden_rows * 20

    batch = scorer.batch(new_table(rows))
    alone = np.array([scorer.one(row) for row in rows])

    assert alone.shape == ((len(rows), 3) if task == "multiclass" else (len(rows),))
    assert alone.tobytes() == batch.tobytes()


def test_an_empty_table_has_no_scores(new_parts: New, new_table: New) -> None:
    assert new_parts("binary").scorer().batch(new_table([])).shape == (0,)
    assert new_parts("multiclass").scorer().batch(new_table([])).shape == (0, 3)


def test_a_score_is_the_weighted_mean_of_the_members(new_parts: New) -> None:
    parts = new_parts("regression")
    scorer = parts.scorer()
    row = parts.golden_rows[0]

    tree, dense = scorer.stages(scorer.encoder.one(row))

    assert scorer.one(row) == pytest.approx(0.25 * tree[0] + 0.75 * dense[0], rel=1e-15)


def test_probabilities_of_classes_sum_to_one(new_parts: New, new_table: New) -> None:
    parts = new_parts("multiclass")

    found = parts.scorer().batch(new_table(parts.golden_rows))

    assert found.sum(axis=1) == pytest.approx(1.0, abs=1e-14)


def test_a_member_sees_only_its_own_columns(new_parts: New) -> None:
    parts = new_parts("regression")
    alone = bundle.MemberEntry(file="members/m0.tree", weight=1.0, inputs=(1, 0, 3, 4))
    scorer = parts.but(model=bundle.ModelDocument(members=(alone,))).scorer()
    encoded = scorer.encoder.one(parts.golden_rows[0])

    member = bundle.Trees(parts.members["members/m0.tree"])
    expected = member.batch(np.array([[encoded[place] for place in (1, 0, 3, 4)]]))

    assert scorer.one(parts.golden_rows[0]) == expected[0, 0]


@pytest.mark.parametrize(("score", "label"), [(0.4, 1), (0.39999, 0), (1.0, 1), (0.0, 0)])
def test_the_threshold_itself_is_positive(parts: Any, score: float, label: int) -> None:
    assert parts.scorer().decide(score) == label


def test_the_positive_class_may_stand_first(parts: Any) -> None:
    changed = parts.contract.model_copy(update={"positive": 0})

    assert parts.but(contract=changed).scorer().decide(0.9) == 0


def test_the_largest_share_wins_and_the_first_of_equal_ones(new_parts: New) -> None:
    scorer = new_parts("multiclass").scorer()

    assert scorer.decide([0.2, 0.5, 0.3]) == "b"
    assert scorer.decide([0.2, 0.4, 0.4]) == "b"


def test_a_value_is_its_own_label(new_parts: New) -> None:
    assert new_parts("regression").scorer().decide(3.5) == 3.5


def entry(**changes: Any) -> bundle.ModelDocument:
    fields = {"file": "members/m0.tree", "weight": 1.0, "inputs": (0, 1, 2, 3)} | changes
    return bundle.ModelDocument(members=(bundle.MemberEntry(**fields),), threshold=0.5)


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (entry(file="members/m9.tree"), "'members/m9.tree' is not in the bundle"),
        (entry(inputs=(0, 1, 2)), "does not fit the 5 encoded columns"),
        (entry(inputs=(0, 1, 2, 5)), "does not fit the 5 encoded columns"),
        (entry().model_copy(update={"threshold": None}), "a binary model has a threshold"),
        (
            entry().model_copy(update={"calibration": (bundle.Platt(a=1, b=0),) * 2}),
            "2 calibrations do not fit a binary model",
        ),
    ],
)
def test_parts_that_do_not_fit_are_refused(parts: Any, document: Any, why: str) -> None:
    with pytest.raises(BundleRefused, match=why):
        parts.but(model=document).scorer()


def test_a_member_of_another_task_is_refused(new_parts: New) -> None:
    members = new_parts("multiclass").members

    with pytest.raises(BundleRefused, match="gives 3 scores, not 1"):
        new_parts("binary").but(members=members).scorer()


def test_a_plan_for_an_unknown_column_is_refused(parts: Any) -> None:
    columns = parts.contract.columns[1:]
    contract = parts.contract.model_copy(update={"columns": columns})

    with pytest.raises(BundleRefused, match=r"the encoder reads \['delay'\]"):
        parts.but(contract=contract).scorer()
