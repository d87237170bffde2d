"""Does the model that ships answer as the one that was judged for it?

It has learnt more rows, so that it differs a little: by about as much as two of the recipe's refits
differ from one another. More than that, and the verdict is about another model.
"""

from dataclasses import dataclass

import numpy as np

from bundle.arrays import Floats
from methods.retrain.thresholds import RetrainLimits


@dataclass(frozen=True)
class Agreement:
    """How far two models' answers lie apart, and how far they may."""

    found: float
    """Median over rows: of a probability, or of a value in standard deviations of the twin's."""
    limit: float

    @property
    def holds(self) -> bool:
        """Whether the model that ships is the one that was judged."""
        return self.found <= self.limit  # NaN compares false


def measure_agreement(
    shipped: Floats, twin: Floats, before: Floats, limits: RetrainLimits, *, are_values: bool
) -> Agreement:
    """Compare the scores of the same rows, each (n,) or (n, classes).

    Args:
        shipped: of the model that may serve.
        twin: of the one that was judged.
        before: of the refit before it.
        limits: how much more the first two may differ than the last two.
        are_values: True where scores are values and no probabilities.
    """
    scale = float(np.std(twin)) if are_values else 1.0
    unit = scale if scale > 0.0 else 1.0
    usual = _median_change(twin, before) / unit
    limit = max(limits.agreement * usual, limits.agreement_floor)
    return Agreement(_median_change(shipped, twin) / unit, limit)


def _median_change(new: Floats, old: Floats) -> float:
    change = np.abs(new - old)
    return float(np.median(change if change.ndim == 1 else change.max(axis=1)))
