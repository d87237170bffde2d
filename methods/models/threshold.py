"""From scores to decisions: the threshold of a binary decision.

Source: Elkan, "The foundations of cost-sensitive learning", IJCAI 2001.
"""

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np

from bundle.arrays import Floats
from methods.models.metrics import MetricDefinition

# The value of a decision by its outcome, in the business's own unit.
Values: TypeAlias = Mapping[str, float]
OUTCOMES = ("true_positive", "false_positive", "true_negative", "false_negative")


def choose_threshold(
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
