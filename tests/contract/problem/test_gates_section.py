"""The gates of the problem file: a margin is a share, and what earlier versions wrote is read."""

import pytest
from pydantic import ValidationError

from contract.problem.gates import BeatsChampion
from contract.problem.metric import Value


def test_the_margin_is_a_tenth_of_the_champions_gain_by_default() -> None:
    default = BeatsChampion()

    assert (default.margin_share, default.metric_margin, default.notice) == (0.1, None, None)


@pytest.mark.parametrize(("written", "share"), [("5%", 0.05), ("12.5 %", 0.125), ("0%", 0.0)])
def test_a_margin_with_a_percent_sign_is_a_share(written: str, share: float) -> None:
    found = BeatsChampion.model_validate({"margin": written})

    assert (found.margin_share, found.metric_margin) == (share, None)
    assert BeatsChampion.model_validate_json(found.model_dump_json()) == found


def test_a_margin_by_number_is_one_of_an_earlier_version() -> None:
    found = BeatsChampion.model_validate({"margin": 0.01})

    assert (found.margin_share, found.metric_margin) == (0.1, 0.01)
    assert "write a share" in (found.notice or "")
    assert BeatsChampion.model_validate_json(found.model_dump_json()) == found


@pytest.mark.parametrize("written", [0, 0.0])
def test_the_default_of_an_earlier_version_is_todays(written: float) -> None:
    """Runs of earlier versions stored it, and nobody had chosen it."""
    found = BeatsChampion.model_validate({"margin": written})

    assert (found.margin_share, found.metric_margin, found.notice) == (0.1, None, None)


@pytest.mark.parametrize("written", ["ten", "150%", -0.1, True, float("inf"), float("nan"), None])
def test_another_margin_is_an_error_with_an_example(written: object) -> None:
    with pytest.raises(ValidationError, match="such as 1"):
        BeatsChampion.model_validate({"margin": written})


def test_a_values_outcomes_are_without_its_unit() -> None:
    value = Value(true_positive=12.0, false_positive=-3.0, unit="$")

    assert value.outcomes == {
        "true_positive": 12.0,
        "false_positive": -3.0,
        "true_negative": 0.0,
        "false_negative": 0.0,
    }
