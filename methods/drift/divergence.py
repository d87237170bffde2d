"""How far apart are two histograms of the same cells? Numbers to decide on, and numbers to show.

Decisions rest on the bias-corrected population stability index and Pearson's two-sample test.
Without drift the plain index is about (1/N + 1/M) chi2 with B - 1 degrees of freedom: with 200
categories and 500 rows its noise alone is 0.4. The distances after it are for people.

Sources: Yurdakul, "Statistical Properties of Population Stability Index", Western Michigan
University, 2018 (its distribution); Benjamini and Hochberg, "Controlling the False Discovery
Rate", JRSS B 57(1), 1995; Lin, "Divergence Measures Based on the Shannon Entropy", IEEE
Transactions on Information Theory 37(1), 1991.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bundle.arrays import Floats

LAPLACE = 0.5  # added to each cell instead of a floor on shares, which inflates empty cells
FEWEST_EXPECTED = 5.0  # of a cell, in the smaller sample; Cochran's rule for Pearson's test
GROUPS = 10  # of equal reference mass


def pool(reference: Floats, current: Floats) -> tuple[Floats, Floats]:
    """Merge the cells in which fewer than 5 rows are expected in the smaller sample into one.

    Shapes (cells,); the pooled cell is the last one. Where one cell is small it joins the next
    smallest, so that no cell is left below the rule.
    """
    sizes = reference.sum(), current.sum()
    total = sizes[0] + sizes[1]
    if not total or not min(sizes):
        return reference, current
    expected = (reference + current) * min(sizes) / total
    is_small = expected < FEWEST_EXPECTED
    if not is_small.any() or is_small.all():
        return (reference, current) if not is_small.any() else (_one(reference), _one(current))
    if expected[is_small].sum() < FEWEST_EXPECTED:
        is_small[np.argmin(np.where(is_small, np.inf, expected))] = True
    return (
        np.append(reference[~is_small], reference[is_small].sum()),
        np.append(current[~is_small], current[is_small].sum()),
    )


def group(reference: NDArray[np.int64], groups: int = GROUPS) -> NDArray[np.int64]:
    """Number fine bins by about equal reference mass; (bins,) from 0, ascending, without gaps."""
    total = max(int(reference.sum()), 1)
    before = (np.cumsum(reference) - reference) / total
    numbers = np.minimum((before * groups + 1e-9).astype(np.int64), groups - 1)
    return np.unique(numbers, return_inverse=True)[1].astype(np.int64)


def stability_index(reference: Floats, current: Floats) -> tuple[float, float]:
    """Return the population stability index and its bias-corrected value, both >= 0.

    Shapes (cells,), counts. Every cell gets 0.5 more. An empty sample gives (0, 0): nothing is
    known. The correction subtracts what the same number of rows gives without any drift.
    """
    rows, now = float(reference.sum()), float(current.sum())
    if not rows or not now:
        return 0.0, 0.0
    cells = len(reference)
    p = (reference + LAPLACE) / (rows + LAPLACE * cells)
    q = (current + LAPLACE) / (now + LAPLACE * cells)
    index = float(((p - q) * np.log(p / q)).sum())
    return index, max(0.0, index - (cells - 1) * (1 / rows + 1 / now))


def two_sample_p(reference: Floats, current: Floats) -> float:
    """Return the p-value of Pearson's chi-squared test that both samples share one distribution.

    Shapes (cells,), counts; cells that are empty in both are left out. One cell, or an empty
    sample, gives 1.
    """
    rows, now = float(reference.sum()), float(current.sum())
    both = reference + current
    used = both > 0
    if not rows or not now or used.sum() < 2:  # noqa: PLR2004 - one cell cannot differ
        return 1.0
    expected, expected_now = both * rows / (rows + now), both * now / (rows + now)
    statistic = float(
        ((reference - expected)[used] ** 2 / expected[used]).sum()
        + ((current - expected_now)[used] ** 2 / expected_now[used]).sum()
    )
    return chi_squared_tail(statistic, int(used.sum()) - 1)


def chi_squared_tail(statistic: float, degrees: int) -> float:
    """Return P(X >= statistic) for chi-squared with `degrees` >= 1.

    The finite sum for whole degrees (Abramowitz and Stegun, 1964, 26.4.4 and 26.4.5): scipy's
    import would cost more CPU than a whole day's comparison.

    >>> round(chi_squared_tail(3.841458820694124, 1), 12), round(chi_squared_tail(5.0, 2), 6)
    (0.05, 0.082085)
    """
    if statistic <= 0:
        return 1.0
    half = statistic / 2
    odd = degrees % 2
    tail = math.erfc(math.sqrt(half)) if odd else 0.0
    order = 0.5 if odd else 0.0
    while order < degrees / 2:
        tail += math.exp(order * math.log(half) - half - math.lgamma(order + 1))
        order += 1
    return min(tail, 1.0)


def false_discovery(p_values: Sequence[float]) -> list[float]:
    """Return Benjamini and Hochberg's adjusted p-values, in the given order.

    Rejecting where the adjusted value is <= q keeps the expected share of false rejections at q,
    for independent or positively dependent tests.

    >>> false_discovery([0.01, 0.04, 0.03, 0.5])
    [0.04, 0.05333333333333334, 0.05333333333333334, 0.5]
    """
    tests = len(p_values)
    adjusted = [1.0] * tests
    lowest = 1.0
    for rank, index in enumerate(sorted(range(tests), key=lambda i: -p_values[i])):
        lowest = min(lowest, p_values[index] * tests / (tests - rank))
        adjusted[index] = lowest
    return adjusted


def jensen_shannon(reference: Floats, current: Floats) -> float:
    """Return the Jensen-Shannon distance in [0, 1]: the root of the divergence to base 2."""
    if not reference.sum() or not current.sum():
        return 0.0
    p, q = reference / reference.sum(), current / current.sum()
    middle = (p + q) / 2

    def divergence(share: Floats) -> float:
        used = share > 0
        return float((share[used] * np.log2(share[used] / middle[used])).sum())

    return math.sqrt(max(0.0, (divergence(p) + divergence(q)) / 2))


def kolmogorov_smirnov(reference: Floats, current: Floats) -> float:
    """Return the largest distance of the two distribution functions at the edges, in [0, 1].

    Shapes (bins,), counts in ascending order of the bins.
    """
    if not reference.sum() or not current.sum():
        return 0.0
    gap = np.cumsum(reference) / reference.sum() - np.cumsum(current) / current.sum()
    return float(np.abs(gap).max())


def wasserstein(
    reference: Floats, current: Floats, edges: Floats, low: float, high: float
) -> float:
    """Return the area between the two distribution functions from `low` to `high`.

    In the column's own unit. `edges` are the k inner edges of the k + 1 bins. Bounded on both
    sides, because the open tail bins inflate the distance of heavy tails threefold.
    """
    if not reference.sum() or not current.sum() or not edges.size or low >= high:
        return 0.0
    gap = np.cumsum(reference) / reference.sum() - np.cumsum(current) / current.sum()
    inside = (edges > low) & (edges < high)
    points = np.concatenate([[low], edges[inside], [high]])
    heights = np.abs(np.interp(points, edges, gap[:-1]))
    return float(np.trapezoid(heights, points))


def _one(cells: Floats) -> Floats:
    return np.array([cells.sum()])
