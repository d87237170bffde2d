"""What counts on a grid do not show of a day's numbers: quantiles, and whether one value dominates.

A summary is of whole values and does not add up; it is taken from a day's rows, or a sample of them.
"""

from collections.abc import Sequence

import numpy as np

from bundle.arrays import Floats
from contract.strict import Strict
from methods.drift.histograms import Grid, Histogram, finite

FEWEST_ROWS = 50  # present values below which a share is too uncertain
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
SPIKE_REFERENCE = 0.02  # largest share of a bin in the reference that counts as nearly empty
FEWEST_ON_GRID, MOST_ON_GRID = 5, 1_000  # values: fewer lie on one by chance, more are not coarse
GRID_TOLERANCE = 1e-3  # of a step
DIGITS = 6  # significant, in the JSON


class Summary(Strict):
    """Of one column of numbers on one day."""

    rows: int
    """Present values."""
    quantiles: tuple[float, ...]
    """.1, .25, .5, .75 and .9: a wrong unit moves all of them by one factor."""
    top: float
    """The most frequent value."""
    top_share: float
    """Its share of the present values."""
    second_share: float
    """That of the value after it."""
    distinct: int = 0
    """Different values; 0: not counted, by an earlier version."""
    is_grid: bool = False
    """True where five values or more are whole multiples of one step apart: rounded ones are."""
    least: float = 0.0
    """The smallest value."""
    least_share: float = 0.0
    """Its share of the present values."""
    most: float = 0.0
    """The largest value."""
    most_share: float = 0.0


def summarise(numbers: Floats) -> Summary | None:
    """Summarise a column, shape (n,), NaN where missing; None where nothing is present."""
    present = finite(numbers)
    if not present.size:
        return None
    values, counts = np.unique(present, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return Summary(
        rows=len(present),
        quantiles=tuple(significant(value) for value in np.quantile(present, QUANTILES)),
        top=float(values[order[0]]),
        top_share=significant(counts[order[0]] / len(present)),
        second_share=significant(counts[order[1]] / len(present)) if len(order) > 1 else 0.0,
        distinct=len(values),
        is_grid=_is_grid(values),
        least=float(values[0]),
        least_share=significant(counts[0] / len(present)),
        most=float(values[-1]),
        most_share=significant(counts[-1] / len(present)),
    )


def _is_grid(values: Floats) -> bool:
    """Tell whether ascending distinct values lie on a grid of equal steps."""
    if not FEWEST_ON_GRID <= len(values) <= MOST_ON_GRID:
        return False
    steps = np.diff(values) / np.diff(values).min()
    return bool(np.allclose(steps, np.rint(steps), atol=GRID_TOLERANCE, rtol=0))


def spike(grid: Grid, reference: Histogram, summary: Summary | None) -> float:
    """Return the gain in share of one value whose bin was nearly empty before.

    Zero where there is none. A single value, not a bin: a season that moves into the reference's
    tail fills its wide last bins too.
    """
    if summary is None or summary.rows < FEWEST_ROWS or not reference.present:
        return 0.0
    before = share_before(grid, reference, summary.top)
    return 0.0 if before > SPIKE_REFERENCE else max(0.0, summary.top_share - before)


def top_gain(grid: Grid, reference: Histogram, summary: Summary | None) -> float:
    """Return the gain in share of the most frequent value, whatever its bin held before."""
    if summary is None or summary.rows < FEWEST_ROWS or not reference.present:
        return 0.0
    return max(0.0, summary.top_share - share_before(grid, reference, summary.top))


def share_before(grid: Grid, reference: Histogram, value: float) -> float:
    """Return the share of the reference in the bin of a value; 0 beyond its range."""
    if grid.low is not None and grid.high is not None and not grid.low <= value <= grid.high:
        return 0.0
    bin_of_value = int(np.searchsorted(np.asarray(grid.edges), value, side="right"))
    return reference.counts[bin_of_value] / reference.present


def misfit(grid: Grid, reference: Histogram, quantiles: Sequence[float]) -> float:
    """Return how far a day's quantiles are from their position in the reference, in [0, 1]."""
    shares = np.array(reference.counts) / max(sum(reference.counts), 1)
    bins = np.searchsorted(np.asarray(grid.edges), quantiles, side="right")
    until = np.cumsum(shares)[bins]
    expected = np.asarray(QUANTILES)
    # A value that many rows share covers a whole range of quantiles.
    return float(
        np.maximum(0.0, np.maximum(until - shares[bins] - expected, expected - until)).max()
    )


def is_constant(grid: Grid, histogram: Histogram, summary: Summary | None) -> bool:
    """Return whether all present values are equal; of numbers only a summary shows it."""
    if histogram.present < FEWEST_ROWS or grid.kind in {"date", "text"}:
        return False
    if grid.is_numeric:
        return summary is not None and summary.top_share == 1.0
    return max(histogram.counts, default=0) == histogram.present


def significant(value: float) -> float:
    """Return six significant digits of a number: enough for a person, and short in JSON."""
    return float(f"{float(value):.{DIGITS}g}")
