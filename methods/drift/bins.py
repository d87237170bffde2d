"""The cells on which a column of today is compared with the reference: few, large, exhaustive.

Missing values, values out of range and unseen categories are cells like any other: a jump of the
missing share is drift, and a comparison that drops missing values is blind to it.
"""

import numpy as np
from numpy.typing import NDArray

from bundle.arrays import Floats
from methods.drift.divergence import group, pool
from methods.drift.histograms import Grid, Histogram

Counts = NDArray[np.int64]

FEWEST_LEVEL = 5  # of a category in the reference, below which it has no cell of its own


def cells(grid: Grid, reference: Histogram, current: Histogram) -> tuple[Floats, Floats]:
    """Return the counts of both on the same cells, small cells pooled; shapes (cells,).

    Numbers: ten groups of equal reference mass, then out of range. Categories: the frequent ones,
    the others together, and unseen. Dates: present. All: missing.
    """
    before, now = np.array(reference.counts), np.array(current.counts)
    if grid.is_numeric:
        groups = group(before)
        size = int(groups.max()) + 1
        before = np.bincount(groups, weights=before, minlength=size)
        now = np.bincount(groups, weights=now, minlength=size)
    if grid.kind == "category":
        before, now = _categories(grid, reference, current)
    return pool(
        np.append(before, [*_others(reference, grid)]).astype(np.float64),
        np.append(now, [*_others(current, grid)]).astype(np.float64),
    )


def bins(histogram: Histogram) -> Floats:
    """Return the fine bins of a number in ascending order, the out-of-range rows at both ends."""
    counts = np.array(histogram.counts, dtype=np.float64)
    counts[0] += histogram.below
    counts[-1] += histogram.above
    return counts


def unseen_share(reference: Histogram, current: Histogram) -> float:
    """Return the share of present values in unseen categories beyond chance; below 0 for fewer."""
    expected = reference.singles / max(reference.present, 1)
    return current.unseen / max(current.present, 1) - expected


def _categories(grid: Grid, reference: Histogram, current: Histogram) -> tuple[Counts, Counts]:
    """Return the frequent categories, all others that the reference knows, and the unseen, of both.

    A rare category that came by chance is counted too high in the reference, and one that did not
    come, as unseen, too low. The rare ones therefore share a cell, and the rows that are the only
    ones of their category count as unseen: so much of later rows is unseen by chance alone. Of
    1,000 levels a quiet window else "drifted" whenever it was looked at.
    """
    before, now = np.array(reference.counts), np.array(current.counts)
    is_frequent = before >= FEWEST_LEVEL
    singles = 0 if grid.is_open else reference.singles  # an open grid calls the unseen rare
    others = before[~is_frequent].sum() + reference.rare - singles
    others_now = now[~is_frequent].sum() + current.rare
    return (
        np.append(before[is_frequent], [others, reference.unseen + singles]),
        np.append(now[is_frequent], [others_now, current.unseen]),
    )


def _others(histogram: Histogram, grid: Grid) -> tuple[int, ...]:
    """Return what is in no cell of the grid."""
    if grid.kind == "category":
        return (histogram.missing,)
    return (
        histogram.below + histogram.above,
        histogram.rare,
        histogram.unseen,
        histogram.missing,
    )
