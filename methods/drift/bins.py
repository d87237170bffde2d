"""The cells on which a column of today is compared with the reference: few, large, exhaustive.

Missing values, values out of range and unseen categories are cells like any other: a jump of the
missing share is drift, and a comparison that drops missing values is blind to it.
"""

import numpy as np

from bundle.arrays import Floats
from methods.drift.divergence import group, pool
from methods.drift.histograms import Grid, Histogram


def cells(grid: Grid, reference: Histogram, current: Histogram) -> tuple[Floats, Floats]:
    """Return the counts of both on the same cells, small cells pooled; shapes (cells,).

    Numbers: ten groups of equal reference mass, then out of range. Categories: the known ones,
    then rare and unseen. Dates: present. All: missing.
    """
    before, now = np.array(reference.counts), np.array(current.counts)
    if grid.is_numeric:
        groups = group(before)
        size = int(groups.max()) + 1
        before = np.bincount(groups, weights=before, minlength=size)
        now = np.bincount(groups, weights=now, minlength=size)
    return pool(
        np.append(before, [*_others(reference)]).astype(np.float64),
        np.append(now, [*_others(current)]).astype(np.float64),
    )


def bins(histogram: Histogram) -> Floats:
    """Return the fine bins of a number in ascending order, the out-of-range rows at both ends."""
    counts = np.array(histogram.counts, dtype=np.float64)
    counts[0] += histogram.below
    counts[-1] += histogram.above
    return counts


def _others(histogram: Histogram) -> tuple[int, int, int, int]:
    return (
        histogram.below + histogram.above,
        histogram.rare,
        histogram.unseen,
        histogram.missing,
    )
