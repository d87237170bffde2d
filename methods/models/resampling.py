"""Rows in blocks that are re-sampled together, as every metric and the bootstrap see them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from bundle.arrays import Floats

Blocks: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True)
class Sample:
    """Rows with their truth and their predictions, grouped in blocks that are re-sampled together.

    `truth` is (n,): class index, 0/1 or value. `predicted` is (n,) for a binary probability of the
    positive class or a value, (n, classes) for multiclass. `blocks` is (n,) in [0, block_count).
    `threshold` turns a binary probability into a decision: positive where probability >= threshold;
    one number, or (n,) where rows were decided by different ones. `strata` is (n,) where rows were
    scored by different models: a metric of ranks ranks them within each stratum alone.
    """

    truth: Floats
    predicted: Floats
    blocks: Blocks
    block_count: int
    threshold: float | Floats = 0.5
    strata: Blocks | None = None

    def stratum_masks(self) -> "list[NDArray[np.bool_]]":
        """Return which rows are in each stratum, (n,) each; all rows in one where there is none."""
        if self.strata is None:
            return [np.ones(len(self.truth), dtype=bool)]
        return [self.strata == stratum for stratum in np.unique(self.strata)]

    def sums(self, values: Floats) -> Floats:
        """Sum `values` of shape (n,) by block; (block_count,)."""
        sums = np.bincount(self.blocks, weights=values, minlength=self.block_count)
        return sums.astype(np.float64, copy=False)

    def decisions(self) -> Floats:
        """Return the decided class index of every row, (n,)."""
        if self.predicted.ndim == 1:
            return (self.predicted >= self.threshold).astype(np.float64)
        return np.asarray(np.argmax(self.predicted, axis=1), dtype=np.float64)

    def classes(self) -> range:
        """Return the class indices, [0, classes)."""
        return range(2 if self.predicted.ndim == 1 else self.predicted.shape[1])


Resampled: TypeAlias = Callable[[Sample, Floats], Floats]


def divide(numerator: Floats, denominator: Floats) -> Floats:
    """Divide element by element; NaN where the denominator is zero."""
    out = np.full(np.broadcast(numerator, denominator).shape, np.nan)
    np.divide(numerator, denominator, out=out, where=denominator != 0.0)
    return out
