"""The metrics a problem may name, each as one function of block sums.

A metric is written once, for many re-samples of the same rows at a time: its point value is the
re-sample in which every block occurs once. So the number on a page and the number inside a
confidence interval cannot come from two implementations.
"""

from dataclasses import dataclass

import numpy as np

from bundle.arrays import Floats
from contract.errors import InvalidRequest
from contract.learning_task import LearningTask
from methods.models.ranking import area, average_precision, one_against_rest
from methods.models.resampling import Blocks, Resampled, Sample, divide

# A probability of exactly 0 or 1 that is wrong would cost infinitely much; this arbitrary floor
# bounds the loss of one row at 16.
PROBABILITY_FLOOR = 1e-7


@dataclass(frozen=True)
class MetricDefinition:
    """A named metric: which tasks know it, which direction is better, whether it needs decisions.

    `formula(sample, counts)` takes counts of shape (draws, block_count), how often each block
    occurs in each draw, and returns (draws,); NaN where a draw cannot be scored.
    """

    name: str
    tasks: frozenset[str]
    greater_is_better: bool
    decides: bool
    formula: Resampled

    def resampled(self, sample: Sample, counts: Floats) -> Floats:
        """Return the metric of every draw, (draws,).

        A prediction that is not a number has no score: sorted, NaN would pass for an even one.
        """
        if not np.isfinite(sample.predicted).all():
            return np.full(len(counts), np.nan)
        return self.formula(sample, counts)

    def score(
        self,
        truth: Floats,
        predicted: Floats,
        threshold: float | Floats = 0.5,
        strata: Blocks | None = None,
    ) -> float:
        """Return the metric of the original rows, in the metric's own direction and unit."""
        one_block = np.zeros(len(truth), dtype=np.int64)
        sample = Sample(truth, predicted, one_block, 1, threshold, strata)
        return float(self.resampled(sample, np.ones((1, 1)))[0])

    def gain(self, new: float, old: float) -> float:
        """Return how much better `new` is than `old`; positive is better, whatever the metric."""
        return new - old if self.greater_is_better else old - new

    def goodness(self, score: float) -> float:
        """Return `score` turned so that greater is better."""
        return score if self.greater_is_better else -score


def metric_named(name: str, task: LearningTask) -> MetricDefinition:
    """Return the metric of that name.

    Raises InvalidRequest if the task has no such metric.
    """
    metric = METRICS.get(name)
    if metric is None or task not in metric.tasks:
        known = ", ".join(sorted(m.name for m in METRICS.values() if task in m.tasks))
        message = f"metric {name!r} does not fit task {task!r}; choose one of: {known}."
        raise InvalidRequest(message)
    return metric


def row_losses(task: LearningTask, truth: Floats, predicted: Floats) -> Floats:
    """Return the proper loss of every row, (n,): minus log-likelihood, or the squared error."""
    if task == "regression":
        return np.asarray((truth - predicted) ** 2, dtype=np.float64)
    if predicted.ndim == 1:
        of_truth = np.where(truth == 1.0, predicted, 1.0 - predicted)
    else:
        of_truth = predicted[np.arange(len(truth)), truth.astype(np.int64)]
    return np.asarray(-np.log(np.clip(of_truth, PROBABILITY_FLOOR, 1.0)), dtype=np.float64)


def mean(sample: Sample, values: Floats, counts: Floats) -> Floats:
    """Return the mean of `values` (n,) over the rows of every draw, (draws,)."""
    rows = counts @ sample.sums(np.ones(len(values)))
    return divide(counts @ sample.sums(values), rows)


def _log_loss(sample: Sample, counts: Floats) -> Floats:
    return mean(sample, row_losses("binary", sample.truth, sample.predicted), counts)


def _rmse(sample: Sample, counts: Floats) -> Floats:
    return np.sqrt(mean(sample, (sample.truth - sample.predicted) ** 2, counts))


def _mae(sample: Sample, counts: Floats) -> Floats:
    return mean(sample, np.abs(sample.truth - sample.predicted), counts)


def _r2(sample: Sample, counts: Floats) -> Floats:
    """Coefficient of determination; the truth is centred first, or large values cancel badly."""
    centred = sample.truth - (sample.truth.mean() if len(sample.truth) else 0.0)
    explained = counts @ sample.sums((sample.truth - sample.predicted) ** 2)
    rows = counts @ sample.sums(np.ones(len(centred)))
    total = counts @ sample.sums(centred**2) - divide((counts @ sample.sums(centred)) ** 2, rows)
    return 1.0 - divide(explained, np.where(total > 0.0, total, 0.0))


def _accuracy(sample: Sample, counts: Floats) -> Floats:
    return mean(sample, (sample.decisions() == sample.truth).astype(np.float64), counts)


def _balanced_accuracy(sample: Sample, counts: Floats) -> Floats:
    """Mean recall of the classes; NaN where a class is absent from a draw."""
    decided = sample.decisions()
    recalls = []
    for each in sample.classes():
        is_class = sample.truth == each
        hits = counts @ sample.sums((is_class & (decided == each)).astype(np.float64))
        recalls.append(divide(hits, counts @ sample.sums(is_class.astype(np.float64))))
    present = [k for k in sample.classes() if bool((sample.truth == k).any())]
    if len(present) < min(2, len(recalls)):
        return np.full(len(counts), np.nan)
    return np.asarray(np.mean([recalls[k] for k in present], axis=0), dtype=np.float64)


def _f1(sample: Sample, counts: Floats) -> Floats:
    """Harmonic mean of precision and recall; of the positive class, or the mean over classes."""
    decided = sample.decisions()
    classes = [1] if sample.predicted.ndim == 1 else list(sample.classes())
    scores = []
    for each in classes:
        is_class, is_predicted = sample.truth == each, decided == each
        if not is_class.any():
            continue
        hits = counts @ sample.sums((is_class & is_predicted).astype(np.float64))
        both = counts @ sample.sums(is_class.astype(np.float64) + is_predicted.astype(np.float64))
        scores.append(divide(2.0 * hits, both))
    return np.mean(scores, axis=0) if scores else np.full(len(counts), np.nan)


_CLASSES = frozenset({"binary", "multiclass"})
_VALUES = frozenset({"regression"})

_RANKED: tuple[tuple[str, Resampled], ...] = (
    ("roc_auc", one_against_rest(area)),
    ("average_precision", one_against_rest(average_precision)),
)
_DECIDED: tuple[tuple[str, Resampled], ...] = (
    ("accuracy", _accuracy),
    ("balanced_accuracy", _balanced_accuracy),
    ("f1", _f1),
)
_ERRORS: tuple[tuple[str, Resampled], ...] = (("rmse", _rmse), ("mae", _mae))


def _known() -> list[MetricDefinition]:
    """Return all metrics, by what they need and which way is better."""

    def metric(
        name: str, tasks: frozenset[str], up: bool, decides: bool, how: Resampled
    ) -> MetricDefinition:
        return MetricDefinition(
            name=name, tasks=tasks, greater_is_better=up, decides=decides, formula=how
        )

    metrics = [metric(n, _CLASSES, up=True, decides=False, how=how) for n, how in _RANKED]
    metrics += [metric(n, _CLASSES, up=True, decides=True, how=how) for n, how in _DECIDED]
    metrics += [metric(n, _VALUES, up=False, decides=False, how=how) for n, how in _ERRORS]
    metrics.append(metric("log_loss", _CLASSES, up=False, decides=False, how=_log_loss))
    metrics.append(metric("r2", _VALUES, up=True, decides=False, how=_r2))
    return metrics


# The metric of a problem that names none.
DEFAULTS: dict[LearningTask, str] = {
    "binary": "roc_auc",
    "multiclass": "log_loss",
    "regression": "rmse",
}
METRICS = {metric.name: metric for metric in _known()}
