"""Probabilities and values must mean what they say; a refusal names what is off."""

import numpy as np
import pyarrow as pa
import pytest
from fixtures_vault import BROKEN, NOTHING, ROWS, vault

from contract.verdict import Check
from methods.models.bootstrap import Scored
from tasks.evaluation.calibration import check_calibration, check_slope
from tasks.evaluation.vault import Vault


def calibrated(stretch: float) -> Scored:
    """Answers whose log-odds are `stretch` times the true ones."""
    truth = vault().truth
    margin = 1.2 * (truth - 0.5) + np.random.default_rng(2).normal(size=ROWS) - 0.4
    return Scored(1.0 / (1.0 + np.exp(-stretch * 1.2 * margin)))


def test_probabilities_that_mean_what_they_say_pass() -> None:
    assert check_calibration(vault(), calibrated(1.0), None).passed is True


def test_over_confident_probabilities_are_refused() -> None:
    assert check_calibration(vault(), calibrated(3.0), None).passed is False


def shifted(offset: float) -> Scored:
    """Answers whose log-odds are all too high by `offset`."""
    right = calibrated(1.0).predicted
    return Scored(1.0 / (1.0 + np.exp(-(np.log(right / (1.0 - right)) + offset))))


def test_a_right_slope_around_a_wrong_mean_is_refused() -> None:
    found = check_calibration(vault(), shifted(1.0), None)

    assert found.passed is False
    assert "costs" in found.why


def test_what_is_off_and_costs_little_passes() -> None:
    assert check_calibration(vault(), calibrated(0.7), None).passed is True


def test_a_slope_nearer_to_one_than_the_champions_passes() -> None:
    assert check_calibration(vault(), calibrated(3.0), calibrated(5.0)).passed is True
    assert check_calibration(vault(), calibrated(5.0), calibrated(3.0)).passed is False


@pytest.mark.parametrize("new", [NOTHING, BROKEN])
def test_a_slope_that_cannot_be_fitted_is_not_let_in(new: Scored) -> None:
    assert check_calibration(vault(), new, None).passed is None


def test_a_refusal_names_the_mean_where_the_slope_is_right() -> None:
    """The sentence of earlier versions said "slope 1.02; 0.8 to 1.25 is right", and refused."""
    found = check_calibration(vault(), shifted(1.0), None)

    assert found.why.startswith("the mean is off: ")
    assert "the mean probability is 0." in found.why
    assert found.found is not None
    assert found.limit == 2.5
    assert found.found > found.limit


def test_a_refusal_names_the_slope_or_both() -> None:
    odds = _odds(calibrated(3.0))
    means = [float((1.0 / (1.0 + np.exp(-odds - by))).mean()) for by in np.linspace(-3, 3, 601)]
    even = np.linspace(-3, 3, 601)[np.argmin(np.abs(np.array(means) - vault().truth.mean()))]

    steep, both = (
        check_calibration(vault(), Scored(1.0 / (1.0 + np.exp(-odds - by))), None)
        for by in (even, even + 2.0)
    )

    assert (steep.passed, both.passed) == (False, False)
    assert steep.why.startswith("the slope is off: ")
    assert both.why.startswith("the slope and the mean are off: ")


def _odds(model: Scored) -> np.ndarray:
    inside = np.clip(model.predicted, 1e-12, 1.0 - 1e-12)
    return np.asarray(np.log(inside / (1.0 - inside)))


def test_of_several_classes_the_one_farthest_off_is_named() -> None:
    truth = np.arange(ROWS) % 3.0
    rows_of_vault = Vault(vault().table, truth, vault().blocks, truth)
    shares = np.random.default_rng(0).dirichlet(np.array([8.0, 1.0, 1.0]), ROWS)

    found = check_calibration(rows_of_vault, Scored(shares), None)

    assert found.passed is False
    assert "class farthest off" in found.why


def values(seed: int = 0) -> Vault:
    """A truth with day effects, 1,000 rows on 20 days."""
    random = np.random.default_rng(seed)
    blocks = np.arange(ROWS) // 50
    truth = 10.0 + random.normal(size=ROWS) + 0.2 * random.normal(size=20)[blocks]
    return Vault(pa.table({"x": np.zeros(ROWS)}), truth, blocks, truth)


def slope_check(rows_of_vault: Vault, new: Scored, old: Scored | None = None) -> Check:
    return check_slope(rows_of_vault, new, old, confidence=0.95, seed=0)


def following(rows_of_vault: Vault, factor: float) -> Scored:
    """Predictions whose deviations from the mean are `factor` times those that are right."""
    noise = np.random.default_rng(9).normal(size=ROWS)
    signal = rows_of_vault.truth - 10.0
    return Scored(10.0 + factor * 0.5 * (signal + noise))  # of which half is signal: slope 1


def test_values_that_mean_what_they_say_pass() -> None:
    assert slope_check(values(), following(values(), 1.0)).passed is True


def test_values_that_are_all_too_high_have_the_right_slope() -> None:
    """How far a forward mean moves is no fault of the slope."""
    high = Scored(following(values(), 1.0).predicted + 5.0)

    assert slope_check(values(), high).passed is True


def test_values_that_vary_too_much_are_refused() -> None:
    check = slope_check(values(), following(values(), 3.0))

    assert (check.passed, check.why.startswith("the slope is off: ")) == (False, True)


def test_a_slope_no_farther_off_than_the_champions_passes() -> None:
    rows_of_vault = values()
    wild, wilder = following(rows_of_vault, 3.0), following(rows_of_vault, 4.0)

    assert slope_check(rows_of_vault, wild, wilder).passed is True
    assert slope_check(rows_of_vault, wilder, wild).passed is False


def test_a_slope_that_is_off_and_costs_little_passes() -> None:
    """Timid predictions: the slope is far above 1, and a line would save next to nothing."""
    rows_of_vault = values()
    random = np.random.default_rng(3)
    timid = Scored(10.0 + 0.02 * (rows_of_vault.truth - 10.0) + 0.1 * random.normal(size=ROWS))

    check = slope_check(rows_of_vault, timid)

    assert check.found is not None
    assert check.found > 1.25
    assert check.passed is True


@pytest.mark.parametrize("new", [Scored(np.full(ROWS, 10.0)), BROKEN])
def test_a_slope_of_equal_predictions_cannot_be_judged(new: Scored) -> None:
    assert slope_check(values(), new).passed is None


def test_predictions_that_say_nothing_of_the_truth_are_refused() -> None:
    """As of a model that was trained on shuffled labels: close to the mean, at random."""
    passed = 0
    for seed in range(30):
        noise = np.random.default_rng(100 + seed).normal(size=ROWS)
        check = slope_check(values(seed), Scored(10.0 + 0.02 * noise))
        passed += check.passed is True
        assert check.passed or "say nothing of the truth" in check.why

    assert passed <= 4  # each with a chance of 5 %: more than 4 of 30 are one in seventy
