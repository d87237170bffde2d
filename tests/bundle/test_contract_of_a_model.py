"""What `contract.json` and `model.json` may say."""

from typing import Any

import pytest

from bundle import Column, Contract, MemberEntry, ModelDocument, ScoreOutput

COLUMNS = (Column(name="a", type="number"),)


def contract(task: str, classes: tuple[Any, ...] = (), positive: Any = None) -> Contract:
    return Contract(
        problem="p",
        task=task,
        columns=COLUMNS,
        output=ScoreOutput(name="y"),
        classes=classes,
        positive=positive,
    )


@pytest.mark.parametrize(
    ("task", "classes", "positive", "scores"),
    [
        ("binary", (0, 1), 1, 1),
        ("binary", ("yes", "no"), "yes", 1),
        ("binary", (False, True), True, 1),
        ("multiclass", ("a", "b", "c"), None, 3),
        ("regression", (), None, 1),
    ],
)
def test_labels_keep_their_type_in_json(
    task: str, classes: tuple[Any, ...], positive: Any, scores: int
) -> None:
    made = contract(task, classes, positive)

    again = Contract.model_validate_json(made.canonical())

    assert again == made
    assert [type(label) for label in again.classes] == [type(label) for label in classes]
    assert again.scores == scores


@pytest.mark.parametrize(
    ("task", "classes", "positive", "why"),
    [
        ("binary", ("a",), "a", "2 classes, found 1"),
        ("binary", ("a", "b"), None, "names its positive class"),
        ("binary", ("a", "b"), "c", "'c' is not one of"),
        ("binary", ("a", "a"), "a", "not distinct"),
        ("multiclass", ("a",), None, "several classes"),
        ("multiclass", ("a", "b", "c"), "a", "no other problem does"),
        ("regression", ("a",), None, "0 classes, found 1"),
    ],
)
def test_classes_fit_the_task(task: str, classes: tuple[str, ...], positive: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        contract(task, classes, positive)


def test_a_range_is_low_to_high() -> None:
    with pytest.raises(ValueError, match=r"`low <= high` must hold for 'a', got 3.0 and 1.0"):
        Column(name="a", type="number", low=3, high=1)


def test_a_column_stands_once() -> None:
    with pytest.raises(ValueError, match="stands twice"):
        Contract(problem="p", task="regression", columns=COLUMNS * 2, output=ScoreOutput(name="y"))


def test_weights_sum_to_one() -> None:
    half = MemberEntry(file="members/a.tree", weight=0.5, inputs=(0,))

    with pytest.raises(ValueError, match=r"sum to 1\.5, expected 1"):
        ModelDocument(members=(half, half, half))
