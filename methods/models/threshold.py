"""From scores to decisions: the threshold of a binary decision, and how sure it is.

A threshold is a part of the model that is judged. It is chosen anew with each group of blocks left
out, and decides there: what that costs against the choice from all rows, and how far the choices lie
apart, says whether it was the rows' luck.

Sources: Elkan, "The foundations of cost-sensitive learning", IJCAI 2001; Stone, "Cross-validatory
choice and assessment of statistical predictions", JRSS B 36(2), 1974 (blocks left out).
"""

from dataclasses import dataclass

import numpy as np

from bundle.arrays import Floats
from methods.models.bootstrap import group_blocks
from methods.models.metrics import METRICS, MetricDefinition
from methods.models.resampling import Blocks
from methods.models.yardstick import OUTCOMES, Values, Yardstick, with_rows

GROUPS = 10  # arbitrary: a tenth of the blocks is left out at a time


@dataclass(frozen=True)
class ChosenThreshold:
    """A threshold, and what the groups of blocks say about it."""

    cut: float
    """Positive from this probability on."""
    low: float
    """The smallest that was chosen with a group of blocks left out."""
    high: float
    """The largest."""
    score: float
    """By the yardstick it was chosen by, on the rows that chose it."""
    left_out_score: float
    """The same, where the others chose for each group; `score` where there is but one group."""
    groups: int
    """Of neighbouring blocks."""
    losing: int
    """Groups in which the best constant answer is worth more; 0 where decisions have no value."""
    yardstick: Yardstick

    @property
    def changes_sign(self) -> bool:
        """Whether deciding by the threshold pays in some groups and costs in others."""
        return 0 < self.losing < self.groups

    @property
    def sentence(self) -> str:
        """What a person must know of it."""
        if self.groups == 1:
            return f"The threshold is {self.cut:.3g}, chosen on one block: nothing tells how stable it is."
        lost = self.yardstick.describe(self.yardstick.gain(self.score, self.left_out_score))
        text = (
            f"The threshold is {self.cut:.3g}; with one of {self.groups} groups of blocks left out it "
            f"is {self.low:.3g} to {self.high:.3g}, which loses {lost} of {self.yardstick.name}"
        )
        if not self.changes_sign:
            return f"{text}."
        return (
            f"{text}. In {self.losing} of {self.groups} groups a constant answer is worth more than "
            "its decisions: it does not hold from block to block."
        )


def choose_threshold(
    truth: Floats,
    predicted: Floats,
    blocks: Blocks,
    by: Yardstick,
) -> ChosenThreshold:
    """Choose the threshold of these rows, which no member was fitted on, and see how stable it is.

    `blocks` is (n,); `by` is the problem's yardstick, and `best_cut` says what is best by it.
    """
    # A metric of ranks tells no threshold from another.
    yardstick = by if by.decides else with_rows(METRICS["f1"])
    values = yardstick.values
    cut = best_cut(truth, predicted, yardstick, values)
    numbers, count = group_blocks(blocks, GROUPS)
    score = yardstick.score(truth, predicted, cut)
    if count < 2:  # noqa: PLR2004 - nothing to leave out
        return ChosenThreshold(cut, cut, cut, score, score, 1, 0, yardstick)
    cuts = np.array(
        [
            best_cut(truth[numbers != group], predicted[numbers != group], yardstick, values)
            for group in range(count)
        ]
    )
    return ChosenThreshold(
        cut=cut,
        low=float(cuts.min()),
        high=float(cuts.max()),
        score=score,
        left_out_score=yardstick.score(truth, predicted, cuts[numbers]),
        groups=count,
        losing=_losing_groups(yardstick, truth, predicted, cut, numbers),
        yardstick=yardstick,
    )


def _losing_groups(
    yardstick: Yardstick, truth: Floats, predicted: Floats, cut: float, numbers: Blocks
) -> int:
    """Count the groups in which the cut is worth less than the constant that is best on all rows."""
    worth = yardstick.rows(truth, predicted, cut)
    if yardstick.values is None or worth is None:
        return 0
    constants = [yardstick.rows(truth, np.full(len(truth), always), 0.5) for always in (0.0, 1.0)]
    best = max((one for one in constants if one is not None), key=lambda one: float(one.mean()))
    return int((np.bincount(numbers, weights=worth - best) < 0.0).sum())


def best_cut(
    truth: Floats, predicted: Floats, metric: MetricDefinition, values: Values | None
) -> float:
    """Return the threshold of a binary decision that was best on these held-out rows.

    Where decisions have a value, the one that is worth most; else the metric's best, if the metric
    is one of decisions; else the best F1, which serves rare positives better than 0.5 does.
    The threshold lies half-way between two scores; among equals the one nearest to 0.5.
    """
    order = np.argsort(-predicted, kind="stable")
    ranked, hits = predicted[order], truth[order] == 1.0
    ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], [True]))
    # Cutting behind the row at ends[i]; the first entry says "no" to every row.
    true_positives = np.concatenate([[0.0], np.cumsum(hits)[ends].astype(np.float64)])
    predicted_positives = np.concatenate([[0.0], (ends + 1).astype(np.float64)])
    after = np.append(ranked[np.minimum(ends + 1, len(ranked) - 1)][:-1], 0.0)
    cuts = np.concatenate([[1.0], (ranked[ends] + after) / 2.0])
    worth = _worth(
        true_positives, predicted_positives, float(hits.sum()), float(len(hits)), metric, values
    )
    best = np.flatnonzero(worth >= np.nanmax(worth) - 1e-12)
    return float(cuts[best[np.argmin(np.abs(cuts[best] - 0.5))]])


def _worth(  # noqa: PLR0917 - the counts of a decision, and how they are priced
    true_positives: Floats,
    predicted_positives: Floats,
    positives: float,
    rows: float,
    metric: MetricDefinition,
    values: Values | None,
) -> Floats:
    """Return what each cut is worth, (cuts,)."""
    negatives = rows - positives
    false, missed = predicted_positives - true_positives, positives - true_positives
    if values is not None:
        counts = (true_positives, false, negatives - false, missed)
        priced = zip(OUTCOMES, counts, strict=True)
        worth = np.zeros_like(true_positives)
        for name, count in priced:
            worth += values.get(name, 0.0) * count
        return worth
    if metric.name == "accuracy":
        return true_positives - false
    if metric.name == "balanced_accuracy":
        return true_positives / max(positives, 1.0) - false / max(negatives, 1.0)
    return 2.0 * true_positives / np.maximum(predicted_positives + positives, 1.0)  # f1
