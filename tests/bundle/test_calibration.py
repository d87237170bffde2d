"""Calibration by known answers."""

import math

import pytest

from bundle import Isotonic, Platt
from bundle.calibration import calibrate, calibrate_all

CURVE = Isotonic(x=(0.2, 0.6, 0.8), y=(0.1, 0.5, 0.9))


@pytest.mark.parametrize(
    ("score", "probability"),
    [(0.0, 0.1), (0.2, 0.1), (0.4, 0.3), (0.6, 0.5), (0.7, 0.7), (0.8, 0.9), (1.0, 0.9)],
)
def test_an_isotonic_curve_is_linear_between_its_points(score: float, probability: float) -> None:
    assert calibrate(score, CURVE) == pytest.approx(probability, abs=1e-15)


def test_platt_with_slope_one_changes_nothing() -> None:
    assert calibrate(0.3, Platt(a=1.0, b=0.0)) == pytest.approx(0.3, abs=1e-15)


def test_platt_shifts_the_logit() -> None:
    expected = 1 / (1 + math.exp(-(2 * math.log(0.3 / 0.7) + 1)))

    assert calibrate(0.3, Platt(a=2.0, b=1.0)) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("score", [0.0, 1.0])
@pytest.mark.parametrize("slope", [-1e6, 0.0, 1e6])
def test_certain_scores_stay_probabilities(score: float, slope: float) -> None:
    assert 0.0 <= calibrate(score, Platt(a=slope, b=0.0)) <= 1.0


def test_a_score_that_is_no_number_stays_none() -> None:
    assert math.isnan(calibrate(math.nan, CURVE))
    assert math.isnan(calibrate(math.nan, Platt(a=1, b=0)))


def test_classes_sum_to_one_again() -> None:
    found = calibrate_all([0.2, 0.6, 0.2], [CURVE] * 3)

    assert found == pytest.approx([0.1 / 0.7, 0.5 / 0.7, 0.1 / 0.7])


def test_classes_that_all_vanish_share_equally() -> None:
    nothing = Isotonic(x=(0.0, 1.0), y=(0.0, 0.0))

    assert calibrate_all([0.5, 0.5], [nothing] * 2) == [0.5, 0.5]


@pytest.mark.parametrize(
    ("x", "y", "why"),
    [
        ((0.0, 0.0), (0.0, 1.0), "x does not increase"),
        ((0.0, 1.0), (1.0, 0.0), "y decreases"),
        ((0.0, 1.0), (0.0, 2.0), "y leaves"),
        ((0.0, 1.0), (0.0,), "2 x against 1 y"),
    ],
)
def test_a_curve_that_is_none_is_refused(
    x: tuple[float, ...], y: tuple[float, ...], why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        Isotonic(x=x, y=y)
