import numpy as np
import pytest

from methods.retrain.thresholds import RetrainLimits
from methods.retrain.twin_agreement import measure_agreement, typical_change

LIMITS = RetrainLimits()
TWIN = np.linspace(0.1, 0.9, 101)


def test_a_model_agrees_that_differs_as_two_refits_do() -> None:
    assert measure_agreement(TWIN + 0.04, TWIN, 0.03, LIMITS, are_values=False).holds


def test_a_model_that_differs_more_is_another_one() -> None:
    assert not measure_agreement(TWIN + 0.05, TWIN, 0.03, LIMITS, are_values=False).holds


def test_equal_refits_allow_the_floor() -> None:
    assert measure_agreement(TWIN + 0.019, TWIN, 0.0, LIMITS, are_values=False).holds
    assert not measure_agreement(TWIN + 0.021, TWIN, 0.0, LIMITS, are_values=False).holds


def test_values_are_compared_in_their_own_spread() -> None:
    large = 1_000.0 * TWIN

    assert measure_agreement(large + 4.0, large, 0.0, LIMITS, are_values=True).holds
    assert measure_agreement(np.ones(9), np.ones(9), 0.0, LIMITS, are_values=True).holds


def test_of_several_classes_the_one_that_moved_most_counts() -> None:
    twin = np.tile([0.2, 0.3, 0.5], (9, 1))
    moved = twin + np.array([0.0, 0.05, -0.03])

    assert typical_change(moved, twin, are_values=False) == pytest.approx(0.05)


def test_a_score_that_is_no_number_agrees_with_nothing() -> None:
    assert not measure_agreement(TWIN * np.nan, TWIN, 0.0, LIMITS, are_values=False).holds
