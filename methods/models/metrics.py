"""The metrics a problem may name, each as one function of block sums.

A metric is written once, for many re-samples of the same rows at a time: its point value is the
re-sample in which every block stands once. So the number on a page and the number inside a
confidence interval cannot come from two implementations. All of them stand here: the list
at the end is the one that the problem file's words are taken from.

Sources: Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27 (2006), sections
7-8 (area under the curve as a rank statistic, one class against the rest); Davis and Goadrich,
"The relationship between Precision-Recall and ROC curves", ICML 2006 (average precision).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from bundle.arrays import Floats
from contract.errors import AskedWrongly
from contract.learning_task import LearningTask

Blocks: TypeAlias = NDArray[np.int64]

# A probability of exactly 0 or 1 that is wrong would cost infinitely much; this arbitrary floor
# bounds the loss of one row at 16.
PROBABILITY_FLOOR = 1e-7

# Re-samples times rows held in memory at once by the metrics that need rows (16 MB of float64).
_CELLS = 2_000_000


@dataclass(frozen=True)
class Sample:
    """Rows with their truth and their predictions, grouped in blocks that are re-sampled together.

    `truth` is (n,): class index, 0/1 or value. `predicted` is (n,) for a binary probability of the
    positive class or a value, (n, classes) for multiclass. `blocks` is (n,) in [0, block_count).
    `threshold` turns a binary probability into a decision: positive where probability >= threshold.
    """

    truth: Floats
    predicted: Floats
    blocks: Blocks
    block_count: int
    threshold: float = 0.5

    def sums(self, values: Floats) -> Floats:
        """Sum `values` of shape (n,) by block; (block_count,)."""
        found = np.bincount(self.blocks, weights=values, minlength=self.block_count)
        return found.astype(np.float64, copy=False)

    def decisions(self) -> Floats:
        """Return the decided class index of every row, (n,)."""
        if self.predicted.ndim == 1:
            return (self.predicted >= self.threshold).astype(np.float64)
        return np.asarray(np.argmax(self.predicted, axis=1), dtype=np.float64)

    def classes(self) -> range:
        """Return the class indices, [0, classes)."""
        return range(2 if self.predicted.ndim == 1 else self.predicted.shape[1])


Resampled: TypeAlias = Callable[[Sample, Floats], Floats]


@dataclass(frozen=True)
class MetricDefinition:
    """A named metric: which tasks know it, which direction is better, whether it needs decisions.

    `formula(sample, counts)` takes counts of shape (draws, block_count), how often each block
    stands in each draw, and returns (draws,); NaN where a draw cannot be scored.
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

    def score(self, truth: Floats, predicted: Floats, threshold: float = 0.5) -> float:
        """Return the metric of the rows as they stand, in the metric's own direction and unit."""
        one_block = np.zeros(len(truth), dtype=np.int64)
        sample = Sample(truth, predicted, one_block, 1, threshold)
        return float(self.resampled(sample, np.ones((1, 1)))[0])

    def gain(self, new: float, old: float) -> float:
        """Return how much better `new` is than `old`; positive is better, whatever the metric."""
        return new - old if self.greater_is_better else old - new

    def goodness(self, score: float) -> float:
        """Return `score` turned so that greater is better."""
        return score if self.greater_is_better else -score


def metric_named(name: str, task: LearningTask) -> MetricDefinition:
    """Return the metric of that name.

    Raises AskedWrongly if the task has no such metric.
    """
    metric = METRICS.get(name)
    if metric is None or task not in metric.tasks:
        known = ", ".join(sorted(m.name for m in METRICS.values() if task in m.tasks))
        message = f"metric {name!r} does not fit task {task!r}; choose one of: {known}."
        raise AskedWrongly(message)
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


def area_under_roc(scores: Floats, positive: NDArray[np.bool_]) -> float:
    """Return the area under the ROC curve of scores, (n,), ties counted half.

    `positive` is (n,); NaN where it holds one class only. Infinite scores are ranked, NaN is not
    allowed.
    """
    one_block = Sample(scores, scores, np.zeros(len(scores), dtype=np.int64), 1)
    return float(_area(one_block, positive, scores, np.ones((1, 1)))[0])


def _divide(numerator: Floats, denominator: Floats) -> Floats:
    """Divide element by element; NaN where the denominator is zero."""
    out = np.full(np.broadcast(numerator, denominator).shape, np.nan)
    np.divide(numerator, denominator, out=out, where=denominator != 0.0)
    return out


def _mean(sample: Sample, values: Floats, counts: Floats) -> Floats:
    rows = counts @ sample.sums(np.ones(len(values)))
    return _divide(counts @ sample.sums(values), rows)


def _log_loss(sample: Sample, counts: Floats) -> Floats:
    return _mean(sample, row_losses("binary", sample.truth, sample.predicted), counts)


def _rmse(sample: Sample, counts: Floats) -> Floats:
    return np.sqrt(_mean(sample, (sample.truth - sample.predicted) ** 2, counts))


def _mae(sample: Sample, counts: Floats) -> Floats:
    return _mean(sample, np.abs(sample.truth - sample.predicted), counts)


def _r2(sample: Sample, counts: Floats) -> Floats:
    """Coefficient of determination; the truth is centred first, or large values cancel badly."""
    centred = sample.truth - (sample.truth.mean() if len(sample.truth) else 0.0)
    explained = counts @ sample.sums((sample.truth - sample.predicted) ** 2)
    rows = counts @ sample.sums(np.ones(len(centred)))
    total = counts @ sample.sums(centred**2) - _divide((counts @ sample.sums(centred)) ** 2, rows)
    return 1.0 - _divide(explained, np.where(total > 0.0, total, 0.0))


def _accuracy(sample: Sample, counts: Floats) -> Floats:
    return _mean(sample, (sample.decisions() == sample.truth).astype(np.float64), counts)


def _balanced_accuracy(sample: Sample, counts: Floats) -> Floats:
    """Mean recall of the classes; NaN where a class is absent from a draw."""
    decided = sample.decisions()
    recalls = []
    for each in sample.classes():
        is_class = sample.truth == each
        hits = counts @ sample.sums((is_class & (decided == each)).astype(np.float64))
        recalls.append(_divide(hits, counts @ sample.sums(is_class.astype(np.float64))))
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
        is_class, said = sample.truth == each, decided == each
        if not is_class.any():
            continue
        hits = counts @ sample.sums((is_class & said).astype(np.float64))
        both = counts @ sample.sums(is_class.astype(np.float64) + said.astype(np.float64))
        scores.append(_divide(2.0 * hits, both))
    return np.mean(scores, axis=0) if scores else np.full(len(counts), np.nan)


def _one_against_rest(
    rank: Callable[[Sample, NDArray[np.bool_], Floats, Floats], Floats],
) -> Resampled:
    """Lift a ranking metric of two classes to the mean over classes against the rest."""

    def metric(sample: Sample, counts: Floats) -> Floats:
        if sample.predicted.ndim == 1:
            return rank(sample, sample.truth == 1.0, sample.predicted, counts)
        each = [
            rank(sample, sample.truth == k, np.ascontiguousarray(sample.predicted[:, k]), counts)
            for k in sample.classes()
            if bool((sample.truth == k).any())
        ]
        return np.mean(each, axis=0) if len(each) > 1 else np.full(len(counts), np.nan)

    return metric


def _area(sample: Sample, positive: NDArray[np.bool_], scores: Floats, counts: Floats) -> Floats:
    """Area under the ROC curve from wins[g, h]: positives of block g above negatives of block h.

    Exact for any draw of blocks, ties counted half; (draws,) at the cost of draws * blocks^2.
    """
    size = sample.block_count
    order = np.argsort(scores, kind="stable")
    order_positive = order[positive[order]]
    # Sorted queries walk the memory in one direction: 3 x faster than the rows' own order.
    of_positive, block_positive = scores[order_positive], sample.blocks[order_positive]
    order_negative = order[~positive[order]]
    block_negative = sample.blocks[order_negative]
    wins = np.zeros((size, size))
    for block in np.unique(block_negative):
        negatives = scores[order_negative[block_negative == block]]
        below = np.searchsorted(negatives, of_positive, side="left")
        not_above = np.searchsorted(negatives, of_positive, side="right")
        half = 0.5 * (below + not_above)
        wins[:, block] = np.bincount(block_positive, weights=half, minlength=size)
    won = np.einsum("dg,dg->d", counts @ wins, counts)
    pairs = (counts @ np.bincount(block_positive, minlength=size)) * (
        counts @ np.bincount(block_negative, minlength=size)
    )
    return _divide(won, pairs)


def _average_precision(
    sample: Sample, positive: NDArray[np.bool_], scores: Floats, counts: Floats
) -> Floats:
    """Average precision: precision at each distinct score, weighted by the recall it adds."""
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], [True]))
    blocks, hits = sample.blocks[order], positive[order].astype(np.float64)
    out = np.empty(len(counts))
    step = max(1, _CELLS // max(1, len(scores)))
    for at in range(0, len(counts), step):
        # Draws side by side: sums run down the rows, 3 x faster than along them.
        weight = counts[at : at + step].T[blocks]
        taken = np.cumsum(weight, axis=0)[ends]
        weight *= hits[:, None]
        found = np.cumsum(weight, axis=0)[ends]
        precision = np.divide(found, taken, out=np.zeros_like(found), where=taken > 0.0)
        whole = found[-1].copy()
        found[1:] -= found[:-1].copy()
        out[at : at + step] = _divide(np.einsum("rd,rd->d", found, precision), whole)
    return out


_CLASSES = frozenset({"binary", "multiclass"})
_VALUES = frozenset({"regression"})

_RANKED: tuple[tuple[str, Resampled], ...] = (
    ("roc_auc", _one_against_rest(_area)),
    ("average_precision", _one_against_rest(_average_precision)),
)
_DECIDED: tuple[tuple[str, Resampled], ...] = (
    ("accuracy", _accuracy),
    ("balanced_accuracy", _balanced_accuracy),
    ("f1", _f1),
)
_ERRORS: tuple[tuple[str, Resampled], ...] = (("rmse", _rmse), ("mae", _mae))


def _known() -> list[MetricDefinition]:
    """Return all metrics, by what they need and which way is better."""

    def made(
        name: str, tasks: frozenset[str], up: bool, decides: bool, how: Resampled
    ) -> MetricDefinition:
        return MetricDefinition(
            name=name, tasks=tasks, greater_is_better=up, decides=decides, formula=how
        )

    found = [made(n, _CLASSES, up=True, decides=False, how=how) for n, how in _RANKED]
    found += [made(n, _CLASSES, up=True, decides=True, how=how) for n, how in _DECIDED]
    found += [made(n, _VALUES, up=False, decides=False, how=how) for n, how in _ERRORS]
    found.append(made("log_loss", _CLASSES, up=False, decides=False, how=_log_loss))
    found.append(made("r2", _VALUES, up=True, decides=False, how=_r2))
    return found


# What a problem is measured by where its file names nothing.
DEFAULTS: dict[LearningTask, str] = {
    "binary": "roc_auc",
    "multiclass": "log_loss",
    "regression": "rmse",
}
METRICS = {metric.name: metric for metric in _known()}
