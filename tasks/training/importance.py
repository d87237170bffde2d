"""Permutation importance: what the metric loses when a column's values are shuffled.

All outputs of one column (its code and its lookup, the parts of its date) are shuffled together, or
one would stand in for another. Correlated columns still share their importance.

Source: Breiman, "Random Forests", Machine Learning 45 (2001), section 10; Fisher, Rudin and
Dominici, "All Models are Wrong, but Many are Useful", JMLR 20 (2019).
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from bundle.arrays import Floats
from contract.strict import Strict
from methods.models.metrics import MetricDefinition
from methods.tables.sampling import evenly_spaced

ROWS = 4_000  # arbitrary: one column costs one prediction of so many rows


class Importance(Strict):
    """The importance of one column."""

    column: str
    loss: float
    """What the metric loses without the column, in the metric's unit; may be below 0 by chance."""
    share: float
    """Of all losses above 0; sums to 1 over the columns, or is 0 everywhere."""


def permutation_importance(
    encoded: Floats,
    truth: Floats,
    predict: Callable[[Floats], Floats],
    outputs: Mapping[str, Sequence[int]],
    metric: MetricDefinition,
    *,
    seed: int,
    threshold: float = 0.5,
) -> list[Importance]:
    """Return the importance of each column, the greatest first, ties by name.

    `encoded` is (n, outputs) of held-out rows, `outputs` gives each column's positions in it.
    Deterministic for a seed.
    """
    rows = evenly_spaced(len(truth), ROWS)
    sample, known = encoded[rows], truth[rows]
    whole = metric.score(known, predict(sample), threshold)
    generator = np.random.default_rng(seed)
    losses: dict[str, float] = {}
    for column, positions in outputs.items():
        shuffled = sample.copy()
        order = generator.permutation(len(sample))
        shuffled[:, list(positions)] = sample[order][:, list(positions)]
        loss = metric.gain(whole, metric.score(known, predict(shuffled), threshold))
        losses[column] = loss if np.isfinite(loss) else 0.0
    total = sum(loss for loss in losses.values() if loss > 0.0)
    importances = [
        Importance(column=column, loss=loss, share=max(0.0, loss) / total if total > 0.0 else 0.0)
        for column, loss in losses.items()
    ]
    return sorted(importances, key=lambda one: (-one.loss, one.column))
