"""An answer's meaning, in the words of its contract."""

import pytest

from bundle.documents import Column, Contract, ScoreOutput
from bundle.meaning import answer_meaning


def contract(task: str, **fields: object) -> Contract:
    plain = {
        "problem": "p",
        "task": task,
        "columns": (Column(name="x", type="number"),),
        "output": ScoreOutput(name="late"),
    }
    return Contract.model_validate(plain | fields)


@pytest.mark.parametrize(
    ("classes", "positive", "sentence"),
    [
        (("no", "yes"), "yes", "late is yes; the label is yes from 0.420 on, else no."),
        ((True, False), True, "late is true; the label is true from 0.420 on, else false."),
    ],
)
def test_a_probability_names_its_class_and_its_threshold(
    classes: tuple[object, ...], positive: object, sentence: str
) -> None:
    found = answer_meaning(contract("binary", classes=classes, positive=positive), 0.42)

    assert found == f"score is the probability that {sentence}"


def test_of_several_classes_the_likeliest_is_the_label() -> None:
    found = answer_meaning(contract("multiclass", classes=("a", "b", "c")), None)

    assert (
        found == "scores are the probabilities of the classes of late; the label is the likeliest."
    )


def test_a_value_has_its_unit() -> None:
    bare = answer_meaning(contract("regression"), None)
    minutes = contract("regression", output=ScoreOutput(name="late", unit="min"))

    assert bare == "value is the estimate of late."
    assert answer_meaning(minutes, None) == "value is the estimate of late, in min."
