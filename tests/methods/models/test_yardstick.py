"""One yardstick: the value of a decision where it is declared, else the metric; a proper score beside."""

import numpy as np
import pytest
from fixtures_models import problem_of

from contract.problem.metric import METRICS_BY_TASK
from methods.models.metrics import METRICS, metric_named
from methods.models.resampling import Sample
from methods.models.yardstick import (
    decision_values,
    proper_score,
    value_yardstick,
    with_rows,
    yardstick_of,
)

DELAYS = {
    "true_positive": 4.0,
    "false_positive": -1.0,
    "true_negative": 0.0,
    "false_negative": -2.0,
}


def rows(count: int = 200) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    predicted = random.random(count)
    return (random.random(count) < predicted).astype(np.float64), predicted


def test_each_decision_is_worth_what_the_problem_declares() -> None:
    truth = np.array([1.0, 0.0, 0.0, 1.0])
    predicted = np.array([0.9, 0.8, 0.2, 0.1])

    assert decision_values(DELAYS, truth, predicted, 0.5).tolist() == [4.0, -1.0, 0.0, -2.0]
    assert value_yardstick(DELAYS, "$").score(truth, predicted) == 0.25


def test_a_declared_value_stands_in_the_metrics_place() -> None:
    valued = problem_of("p", "binary", metric={"value": {"true_positive": 4.0, "unit": "$"}})
    plain = problem_of("p", "binary")

    assert (yardstick_of(valued, "binary").name, yardstick_of(valued, "binary").unit) == (
        "value",
        "$",
    )
    assert (yardstick_of(plain, "binary").name, yardstick_of(plain, "binary").unit) == (
        "roc_auc",
        None,
    )


def test_a_value_of_decisions_says_nothing_of_a_regression() -> None:
    problem = problem_of("p", "regression", metric={"value": {"true_positive": 4.0}})

    assert yardstick_of(problem, "regression").name == "rmse"


@pytest.mark.parametrize("name", sorted(METRICS))
def test_the_scores_of_rows_have_the_score_as_their_mean(name: str) -> None:
    truth, predicted = rows()
    yardstick = with_rows(METRICS[name])

    by_row = yardstick.rows(truth, predicted, 0.4)

    assert (by_row is None) == (name not in {"log_loss", "mae", "accuracy"})
    if by_row is not None:
        assert by_row.mean() == pytest.approx(METRICS[name].score(truth, predicted, 0.4))


def test_rows_may_be_decided_by_thresholds_of_their_own() -> None:
    truth, predicted = np.array([1.0, 1.0]), np.array([0.4, 0.4])

    by_row = value_yardstick(DELAYS).rows(truth, predicted, np.array([0.3, 0.5]))

    assert by_row is not None
    assert by_row.tolist() == [4.0, -2.0]
    assert metric_named("accuracy", "binary").score(truth, predicted, np.array([0.3, 0.5])) == 0.5


def test_a_probability_that_is_no_number_has_no_value() -> None:
    assert np.isnan(value_yardstick(DELAYS).score(np.ones(2), np.array([0.9, np.nan])))


@pytest.mark.parametrize(
    ("task", "name"),
    [("binary", "log_loss"), ("multiclass", "log_loss"), ("regression", "squared_error")],
)
def test_the_proper_score_is_the_mean_loss_of_the_rows(task: str, name: str) -> None:
    truth, predicted = rows()
    if task == "multiclass":
        predicted = np.column_stack([1.0 - predicted, predicted])
    yardstick = proper_score(task)  # type: ignore[arg-type] # one of the three

    losses = yardstick.rows(truth, predicted)

    assert losses is not None
    assert (yardstick.name, yardstick.greater_is_better) == (name, False)
    assert yardstick.score(truth, predicted) == pytest.approx(losses.mean())


@pytest.mark.parametrize(
    ("task", "name"), [(task, name) for task, names in METRICS_BY_TASK.items() for name in names]
)
def test_nothing_beats_a_perfect_answer(task: str, name: str) -> None:
    truth, predicted = rows()
    classes = 3 if task == "multiclass" else 2
    if task == "multiclass":
        truth = np.arange(200) % 3.0
        predicted = np.random.default_rng(1).dirichlet(np.ones(3), 200)
    yardstick = with_rows(METRICS[name])

    best = yardstick.score(truth, yardstick.perfect(truth, classes))

    assert yardstick.gain(best, yardstick.score(truth, predicted)) > 0.0
    assert best == pytest.approx(0.0 if not yardstick.greater_is_better else 1.0, abs=1e-6)


def test_the_best_answer_takes_the_dearer_decision_of_each_row() -> None:
    """Acting never pays here, whatever is true."""
    never = value_yardstick({"true_positive": -1.0, "false_positive": -3.0})
    truth, _ = rows()

    assert never.score(truth, never.perfect(truth, 2)) == 0.0


def test_a_formula_sees_blocks_as_the_bootstrap_draws_them() -> None:
    truth, predicted = rows(10)
    sample = Sample(truth, predicted, np.repeat([0, 1], 5), 2, 0.5)

    drawn = value_yardstick(DELAYS).resampled(sample, np.array([[2.0, 0.0]]))

    assert drawn[0] == pytest.approx(value_yardstick(DELAYS).score(truth[:5], predicted[:5]))


def test_a_score_is_written_in_its_unit() -> None:
    assert (
        value_yardstick(DELAYS, "$").describe(1.2534, 1.018, 1.4731)
        == "$1.25 a decision [1.02, 1.47]"
    )
    assert with_rows(METRICS["roc_auc"]).describe(0.71234) == "0.7123"
