import numpy as np
import pytest

from bundle.documents import Isotonic, Platt
from methods.models.calibration import (
    apply_calibration,
    calibration_offset,
    calibration_slope,
    choose_calibration,
    fit_calibration,
)
from methods.models.metrics import metric_named, row_losses
from methods.models.threshold import best_cut

F1 = metric_named("f1", "binary")
ACCURACY = metric_named("accuracy", "binary")
BALANCED = metric_named("balanced_accuracy", "binary")
AUC = metric_named("roc_auc", "binary")


def sample(factor: float, count: int = 2000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels drawn by a true log-odds, and probabilities whose log-odds are `factor` times it."""
    random = np.random.default_rng(seed)
    margin = random.normal(size=count) - 1.0
    truth = (random.random(count) < 1.0 / (1.0 + np.exp(-margin))).astype(np.float64)
    return truth, 1.0 / (1.0 + np.exp(-factor * margin))


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_the_slope_is_what_the_log_odds_were_stretched_by(factor: float) -> None:
    slope, error = calibration_slope(*sample(factor))

    assert abs(slope - 1.0 / factor) < 3.0 * error
    assert error < 0.2 / factor


def test_equal_probabilities_have_no_slope() -> None:
    slope, _ = calibration_slope(np.array([0.0, 1.0]), np.array([0.5, 0.5]))

    assert np.isnan(slope)


def test_classes_that_are_told_apart_perfectly_leave_the_slope_open() -> None:
    truth = np.array([0.0] * 20 + [1.0] * 20)

    slope, error = calibration_slope(truth, np.where(truth == 1.0, 0.99, 0.01))

    assert slope > 1.0
    assert error > slope / 4


@pytest.mark.parametrize("kind", ["platt", "isotonic"])
def test_calibration_mends_what_is_over_confident(kind: str) -> None:
    truth, predicted = sample(3.0)

    mended = apply_calibration(fit_calibration(truth, predicted, kind), predicted)  # type: ignore[arg-type] # one of the kinds

    assert (
        row_losses("binary", truth, mended).mean() < row_losses("binary", truth, predicted).mean()
    )


def test_platt_finds_the_stretch() -> None:
    (found,) = fit_calibration(*sample(3.0, count=20_000), "platt")

    assert isinstance(found, Platt)
    assert (found.a, found.b) == pytest.approx((1.0 / 3.0, 0.0), abs=0.05)


def test_isotonic_points_increase() -> None:
    (found,) = fit_calibration(*sample(3.0), "isotonic")

    assert isinstance(found, Isotonic)
    assert np.diff(found.x).min() > 0.0
    assert np.diff(found.y).min() >= 0.0


def test_several_classes_sum_to_one_after_calibration() -> None:
    random = np.random.default_rng(0)
    predicted = random.dirichlet([1.0, 1.0, 1.0], 200)
    truth = random.integers(0, 3, 200).astype(np.float64)

    mended = apply_calibration(fit_calibration(truth, predicted, "platt"), predicted)

    assert mended.sum(axis=1) == pytest.approx(np.ones(200))


def test_what_is_over_confident_gets_a_calibration() -> None:
    truth, predicted = sample(3.0)

    assert choose_calibration(truth, predicted, np.arange(2000)) == "platt"


def test_a_bend_that_no_line_mends_asks_for_isotonic() -> None:
    random = np.random.default_rng(0)
    share = random.uniform(0.05, 0.95, 12_000)
    truth = (random.uniform(size=12_000) < np.where(share > 0.5, 0.8, 0.2)).astype(np.float64)

    assert choose_calibration(truth, share, np.arange(12_000)) == "isotonic"


def test_a_stretch_asks_for_platt_however_many_rows_there_are() -> None:
    truth, predicted = sample(3.0, count=12_000)

    assert choose_calibration(truth, predicted, np.arange(12_000)) == "platt"


def test_no_step_is_certain() -> None:
    predicted = np.linspace(0.01, 0.99, 1_000)
    truth = (predicted > 0.5).astype(np.float64)

    (found,) = fit_calibration(truth, predicted, "isotonic")

    assert isinstance(found, Isotonic)
    assert 0.0 < found.y[0] < 0.01
    assert 0.99 < found.y[-1] < 1.0


def test_what_is_calibrated_stays_as_it_is() -> None:
    """On these rows a fitted line only adds noise."""
    truth, predicted = sample(1.0, count=200, seed=1)

    assert choose_calibration(truth, predicted, np.arange(200)) == "none"


def test_a_half_without_a_class_cannot_choose() -> None:
    truth = np.array([0.0, 1.0] * 10)

    assert choose_calibration(truth, np.full(20, 0.5), np.arange(20)) == "none"


@pytest.mark.parametrize("metric", [F1, ACCURACY, BALANCED])
def test_no_other_threshold_is_better_on_the_rows_that_chose_it(metric: object) -> None:
    truth, predicted = sample(1.0, count=300)

    chosen = best_cut(truth, predicted, metric, None)  # type: ignore[arg-type] # a metric

    others = [metric.score(truth, predicted, cut) for cut in np.linspace(0, 1, 401)]  # type: ignore[attr-defined] # a metric
    assert metric.score(truth, predicted, chosen) >= max(others) - 1e-12  # type: ignore[attr-defined] # a metric


def test_a_metric_without_decisions_leaves_the_threshold_to_f1() -> None:
    truth, predicted = sample(1.0, count=300)

    assert best_cut(truth, predicted, AUC, None) == best_cut(truth, predicted, F1, None)


def test_what_a_decision_is_worth_sets_the_threshold() -> None:
    """With calibrated scores the best cut is cost / (cost + benefit): Elkan 2001, equation 2."""
    truth, predicted = sample(1.0, count=20_000)

    dear = best_cut(truth, predicted, AUC, {"true_positive": 1.0, "false_positive": -3.0})
    cheap = best_cut(truth, predicted, AUC, {"true_positive": 3.0, "false_positive": -1.0})

    assert (dear, cheap) == pytest.approx((0.75, 0.25), abs=0.05)


def test_where_no_decision_pays_the_answer_is_no() -> None:
    truth, predicted = sample(1.0, count=300)

    cut = best_cut(truth, predicted, AUC, {"true_positive": -1.0, "false_positive": -1.0})

    assert not (predicted >= cut).any()


def test_a_mean_that_misses_the_base_rate_is_far_off() -> None:
    truth = np.array([0.0] * 80 + [1.0] * 20)

    assert calibration_offset(truth, np.full(100, 0.2)) == pytest.approx(0.0)
    assert calibration_offset(truth, np.full(100, 0.3)) == pytest.approx(10.0 / 21.0**0.5)


def test_a_few_rows_without_doubt_say_nothing_of_the_mean() -> None:
    truth = np.array([0.0] * 20 + [1.0] * 10)
    sure = np.where(truth == 1.0, 0.999, 0.001)
    sure[0] = 0.999

    assert calibration_offset(truth, sure) == 0.0
