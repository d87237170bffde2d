"""The problem's yardstick: the one number by which models are compared, and its unit.

It is the mean value of a decision where the problem declares what decisions are worth, else the
declared metric. Beside it stands a proper score, whose mean over rows no dishonest probability
improves: it sees what a metric of ranks or of decisions may not.

Sources: Elkan, "The foundations of cost-sensitive learning", IJCAI 2001 (the value of a decision);
Gneiting and Raftery, "Strictly proper scoring rules, prediction, and estimation", Journal of the
American Statistical Association 102, 2007.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np

from bundle.arrays import Floats
from contract.formatting import format_score
from contract.learning_task import LearningTask
from contract.problem import Problem
from methods.models.metrics import DEFAULTS, MetricDefinition, mean, metric_named, row_losses
from methods.models.resampling import Sample

VALUE = "value"
"""The yardstick's name where decisions have a declared value."""

Values: TypeAlias = Mapping[str, float]
"""What a decision is worth by its outcome, in the problem's own unit; see `contract.problem.Value`."""

Threshold: TypeAlias = float | Floats
RowScores: TypeAlias = Callable[[Floats, Floats, Threshold], Floats]


@dataclass(frozen=True)
class Yardstick(MetricDefinition):
    """A metric with its unit, the score of a perfect answer, and, where it has them, scores of rows."""

    unit: str | None = None
    """None: a number without a unit. Else that of one decision, "" where the problem names none."""
    values: Values | None = None
    """What decisions are worth, where this is the value of a decision."""
    by_row: RowScores | None = None
    """`(truth, predicted, threshold)` to (n,), whose mean is the score; None: it has none."""

    def rows(self, truth: Floats, predicted: Floats, threshold: Threshold = 0.5) -> Floats | None:
        """Return the score of every row, (n,), in the metric's own direction; their mean is the score.

        None where the metric is no mean over rows, as a rank metric.
        """
        return None if self.by_row is None else self.by_row(truth, predicted, threshold)

    def describe(
        self,
        score: float | None,
        low: float | None = None,
        high: float | None = None,
        *,
        signed: bool = False,
    ) -> str:
        """Write a score or a gain, and its interval, in the yardstick's unit."""
        return format_score(score, self.unit, low, high, signed=signed)

    def perfect(self, truth: Floats, classes: int) -> Floats:
        """Return the answers that nothing can beat, to be decided at 0.5: (n,), or (n, classes).

        With values it is the dearer decision of each row, which need not be the right one.
        """
        if classes > 2:  # noqa: PLR2004 - more than yes and no
            return np.eye(classes)[truth.astype(np.int64)]
        if self.values is None:
            return truth
        worth = {name: self.values.get(name, 0.0) for name in OUTCOMES}
        acts_on_positive = worth["true_positive"] >= worth["false_negative"]
        acts_on_negative = worth["false_positive"] > worth["true_negative"]
        return np.where(truth == 1.0, float(acts_on_positive), float(acts_on_negative))


OUTCOMES = ("true_positive", "false_positive", "true_negative", "false_negative")


def yardstick_of(problem: Problem, task: LearningTask) -> Yardstick:
    """Return the problem's yardstick: the value of a decision where it is declared, else the metric.

    Raises InvalidRequest if the declared metric does not fit the task.
    """
    declared = metric_named(problem.metric.name or DEFAULTS[task], task)
    value = problem.metric.value
    if value is None or task != "binary":
        return with_rows(declared)
    return value_yardstick(value.outcomes, value.unit)


def value_yardstick(values: Values, unit: str = "") -> Yardstick:
    """Return the mean value of a decision as a yardstick."""
    by_row = partial(decision_values, values)

    def formula(sample: Sample, counts: Floats) -> Floats:
        return mean(sample, by_row(sample.truth, sample.predicted, sample.threshold), counts)

    return Yardstick(
        name=VALUE,
        tasks=frozenset({"binary"}),
        greater_is_better=True,
        decides=True,
        formula=formula,
        unit=unit,
        values=values,
        by_row=by_row,
    )


def proper_score(task: LearningTask) -> Yardstick:
    """Return the proper score beside the yardstick: the mean of `row_losses`, smaller is better.

    Its name is `log_loss`, or `squared_error` for a regression.
    """

    def by_row(truth: Floats, predicted: Floats, threshold: Threshold) -> Floats:  # noqa: ARG001 - the form of `RowScores`
        return row_losses(task, truth, predicted)

    def formula(sample: Sample, counts: Floats) -> Floats:
        return mean(sample, by_row(sample.truth, sample.predicted, sample.threshold), counts)

    return Yardstick(
        name="squared_error" if task == "regression" else "log_loss",
        tasks=frozenset({task}),
        greater_is_better=False,
        decides=False,
        formula=formula,
        by_row=by_row,
    )


def decision_values(
    values: Values, truth: Floats, predicted: Floats, threshold: Threshold
) -> Floats:
    """Return what the decision about each row is worth, (n,); a NaN probability has no decision."""
    acts = predicted >= threshold
    tp, fp, tn, fn = (values.get(name, 0.0) for name in OUTCOMES)
    worth = np.where(truth == 1.0, np.where(acts, tp, fn), np.where(acts, fp, tn))
    return np.where(np.isnan(predicted), np.nan, worth)


def with_rows(metric: MetricDefinition) -> Yardstick:
    """Return a metric as a yardstick without a unit, with its row scores where it is their mean."""
    return Yardstick(
        name=metric.name,
        tasks=metric.tasks,
        greater_is_better=metric.greater_is_better,
        decides=metric.decides,
        formula=metric.formula,
        by_row=_BY_ROW.get(metric.name),
    )


def _log_losses(truth: Floats, predicted: Floats, threshold: Threshold) -> Floats:  # noqa: ARG001 - the form of `RowScores`
    return row_losses("binary", truth, predicted)


def _absolute_errors(truth: Floats, predicted: Floats, threshold: Threshold) -> Floats:  # noqa: ARG001 - the form of `RowScores`
    return np.asarray(np.abs(truth - predicted), dtype=np.float64)


def _hits(truth: Floats, predicted: Floats, threshold: Threshold) -> Floats:
    blocks = np.zeros(len(truth), dtype=np.int64)
    decided = Sample(truth, predicted, blocks, 1, threshold).decisions()
    return np.asarray(decided == truth, dtype=np.float64)


_BY_ROW: dict[str, RowScores] = {
    "log_loss": _log_losses,
    "mae": _absolute_errors,
    "accuracy": _hits,
}
