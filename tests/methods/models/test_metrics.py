from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as reference

from contract.errors import InvalidRequest
from methods.models.metrics import METRICS, metric_named, row_losses
from methods.models.resampling import Sample


def rows(seed: int = 0, count: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Labels with tied probabilities: ties are where rank metrics go wrong."""
    random = np.random.default_rng(seed)
    truth = (random.random(count) < 0.3).astype(np.float64)
    return truth, np.round(np.clip(0.3 * truth + 0.7 * random.random(count), 0.01, 0.99), 2)


def classes(seed: int = 0, count: int = 300) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    truth = random.integers(0, 3, count).astype(np.float64)
    shares = random.random((count, 3)) + np.eye(3)[truth.astype(int)]
    return truth, shares / shares.sum(axis=1, keepdims=True)


BINARY: dict[str, Callable[[Any, Any], float]] = {
    "roc_auc": reference.roc_auc_score,
    "average_precision": reference.average_precision_score,
    "log_loss": reference.log_loss,
    "accuracy": lambda y, p: reference.accuracy_score(y, p >= 0.4),
    "balanced_accuracy": lambda y, p: reference.balanced_accuracy_score(y, p >= 0.4),
    "f1": lambda y, p: reference.f1_score(y, p >= 0.4),
}
SEVERAL: dict[str, Callable[[Any, Any], float]] = {
    "log_loss": reference.log_loss,
    "accuracy": lambda y, p: reference.accuracy_score(y, p.argmax(axis=1)),
    "balanced_accuracy": lambda y, p: reference.balanced_accuracy_score(y, p.argmax(axis=1)),
    "f1": lambda y, p: reference.f1_score(y, p.argmax(axis=1), average="macro"),
    "roc_auc": lambda y, p: reference.roc_auc_score(y, p, multi_class="ovr"),
    "average_precision": lambda y, p: reference.average_precision_score(
        np.eye(3)[y.astype(int)], p
    ),
}
VALUES: dict[str, Callable[[Any, Any], float]] = {
    "rmse": reference.root_mean_squared_error,
    "mae": reference.mean_absolute_error,
    "r2": reference.r2_score,
}


@pytest.mark.parametrize("name", BINARY)
def test_binary_metrics_agree_with_scikit_learn(name: str) -> None:
    truth, predicted = rows()

    assert metric_named(name, "binary").score(truth, predicted, 0.4) == pytest.approx(
        BINARY[name](truth, predicted), abs=1e-12
    )


@pytest.mark.parametrize("name", SEVERAL)
def test_metrics_of_several_classes_agree_with_scikit_learn(name: str) -> None:
    truth, predicted = classes()

    assert metric_named(name, "multiclass").score(truth, predicted) == pytest.approx(
        SEVERAL[name](truth, predicted), abs=1e-12
    )


@pytest.mark.parametrize("name", VALUES)
def test_metrics_of_a_value_agree_with_scikit_learn(name: str) -> None:
    random = np.random.default_rng(0)
    truth = 1e6 + random.normal(size=200)

    predicted = truth + random.normal(size=200)

    assert metric_named(name, "regression").score(truth, predicted) == pytest.approx(
        VALUES[name](truth, predicted), rel=1e-9
    )


@pytest.mark.parametrize("name", BINARY)
def test_a_resample_scores_what_its_repeated_rows_score(name: str) -> None:
    truth, predicted = rows()
    blocks = np.arange(len(truth)) // 30
    counts = np.array([[2, 0, 1, 1, 3, 0, 1, 1, 1, 0], [1] * 10], dtype=np.float64)
    repeated = np.repeat(np.arange(len(truth)), counts[0][blocks].astype(int))
    metric = metric_named(name, "binary")

    found = metric.resampled(Sample(truth, predicted, blocks, 10, 0.4), counts)

    expected = [
        metric.score(truth[repeated], predicted[repeated], 0.4),
        metric.score(truth, predicted, 0.4),
    ]
    assert found.tolist() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", ["roc_auc", "average_precision", "balanced_accuracy"])
def test_rows_of_one_class_have_no_score(name: str) -> None:
    score = metric_named(name, "binary").score(np.zeros(10), np.linspace(0.1, 0.9, 10))

    assert np.isnan(score)


def test_no_row_has_no_score() -> None:
    empty = np.empty(0)

    scores = [
        metric.score(empty, empty) for metric in METRICS.values() if "regression" in metric.tasks
    ]

    assert np.isnan(scores).all()


@pytest.mark.parametrize("name", [name for name in METRICS if name in BINARY])
def test_a_prediction_that_is_not_a_number_has_no_score(name: str) -> None:
    truth, predicted = rows()
    predicted[5] = np.nan

    assert np.isnan(metric_named(name, "binary").score(truth, predicted))


def test_a_certain_and_wrong_row_costs_a_bounded_loss() -> None:
    losses = row_losses("binary", np.array([1.0, 0.0]), np.array([0.0, 1.0]))

    assert losses.tolist() == pytest.approx([-np.log(1e-7)] * 2)


def test_gain_is_positive_for_the_better_score_whatever_the_direction() -> None:
    assert metric_named("roc_auc", "binary").gain(0.8, 0.7) > 0
    assert metric_named("rmse", "regression").gain(0.7, 0.8) > 0


def test_a_metric_of_another_task_is_an_invalid_request() -> None:
    with pytest.raises(InvalidRequest, match="choose one of: mae, r2, rmse"):
        metric_named("roc_auc", "regression")
