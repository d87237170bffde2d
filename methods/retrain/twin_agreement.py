"""Does the model that ships answer as the one that was judged for it?

It has learnt more rows, among them those that are compared, so that it differs a little: by about
as much as two of the recipe's refits differ on rows that only the later one has learnt. More than
that, and the verdict is about another model.
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
    shipped: Floats, twin: Floats, refit_change: float, limits: RetrainLimits, *, are_values: bool
) -> Agreement:
    """Compare the scores of the same rows, each (n,) or (n, classes).

    Args:
        shipped: of the model that may serve, which has learnt the rows.
        twin: of the one that was judged, which has not.
        refit_change: `typical_change` of two refits in the same position.
        limits: how much more the first two may differ than these.
        are_values: True where scores are values and no probabilities.
    """
    limit = max(limits.agreement * refit_change, limits.agreement_floor)
    return Agreement(typical_change(shipped, twin, are_values=are_values), limit)


def typical_change(new: Floats, old: Floats, *, are_values: bool) -> float:
    """Return the median change of a row's score, both (n,) or (n, classes).

    Of several classes the one that changed most; of values in standard deviations of `old`.
    """
    change = np.abs(new - old)
    scale = float(np.std(old)) if are_values else 1.0
    by_row = change if change.ndim == 1 else change.max(axis=1)
    return float(np.median(by_row)) / (scale if scale > 0.0 else 1.0)
