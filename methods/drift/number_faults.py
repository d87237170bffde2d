"""What breaks a column of numbers: another unit or range, a default, a limit, a coarser number."""

import math

import numpy as np

from contract.faults import Fault
from methods.drift.column_day import ColumnDay
from methods.drift.histograms import Histogram
from methods.drift.summaries import FEWEST_ROWS, SPIKE_REFERENCE, misfit, share_before, spike

KNOWN_FACTORS = (1.609344, 1.852, 2.2046226, 2.54)  # mile, knot, pound, inch


def unit(day: ColumnDay) -> list[Fault]:
    """Rescaled by one factor the day has the reference's shape, and unscaled it has not.

    The shape and not the ratios alone: a cold day is a third of a mild one in degrees, at every
    quantile alike, but not as wide as the reference.
    """
    summary, column, limits = day.summary, day.column, day.limits
    if summary is None or summary.rows < FEWEST_ROWS or not column.quantiles:
        return []
    before, now = column.quantiles, summary.quantiles
    if min(before) <= 0 or min(now) <= 0 or before[-1] <= before[0]:
        return []  # only a positive column with a shape has a unit that a factor changes
    mean = sum(math.log(b / a) for a, b in zip(before, now, strict=True)) / len(now)
    factors = [factor**sign for factor in KNOWN_FACTORS for sign in (1, -1)]
    if abs(mean) > math.log(limits.unit_factor):
        factors.append(math.exp(mean))

    def misfit_of(factor: float) -> float:
        scaled = [value / factor for value in now]
        return misfit(column.grid, column.histogram, scaled)

    best = min(factors, key=misfit_of)
    usual = max(limits.unit_misfit, limits.baseline_factor * column.calm.misfit)
    if misfit_of(best) > limits.unit_fit or misfit_of(1.0) < usual:
        return []
    what = f"is {best:.3g} times what it was, at every quantile alike: another unit"
    return day.fault("unit", best, 1.0, what)


def out_of_range(day: ColumnDay) -> list[Fault]:
    """Find values a whole range beyond the reference's limits."""

    def share(histogram: Histogram) -> float:
        return (histogram.below + histogram.above) / histogram.present

    if not day.is_countable:
        return []
    found = share(day.now)
    limit = day.step(day.limits.out_of_range, day.column.calm.out_of_range, share)
    if found < limit:
        return []
    grid = day.column.grid
    what = f"is outside {grid.low:.3g} to {grid.high:.3g} in {found:.0%} of the rows"
    return day.fault("out_of_range", found, limit, what)


def filled_spike(day: ColumnDay) -> list[Fault]:
    """Find one value that was next to never there."""
    summary, limits = day.summary, day.limits
    if day.column.grid.kind != "number" or summary is None:
        return []
    gain = spike(day.column.grid, day.column.histogram, summary)
    limit = max(limits.spike, limits.baseline_factor * day.column.calm.spike)
    if gain < limit or summary.top_share < limits.spike_alone * summary.second_share:
        return []
    what = f"is {summary.top:g} in {summary.top_share:.0%} of the rows: a default filled in"
    return day.fault("spike", gain, limit, what)


def clipped(day: ColumnDay) -> list[Fault]:
    """Find rows heaped up on the day's smallest and largest value, with values beyond before.

    A limit of a sensor, or of a type that is too small. A day in a corner of the reference has a
    smallest value too, but few rows on it.
    """
    summary, column = day.summary, day.column
    if summary is None or summary.rows < FEWEST_ROWS or not column.histogram.present:
        return []
    found = 0.0
    ends = ((summary.least, summary.least_share, 0), (summary.most, summary.most_share, -1))
    for value, share, end in ends:
        before = share_before(column.grid, column.histogram, value)
        if before <= SPIKE_REFERENCE and _beyond(day, value, end) >= share / 2:
            found += share - before
    limit = max(day.limits.clipped, day.limits.baseline_factor * column.calm.spike)
    # A day of few values has many rows on each of them.
    limit = max(limit, day.limits.spike_alone * len(ends) / max(summary.distinct, 1))
    if found < limit:
        return []
    what = (
        f"ends at {summary.least:g} and {summary.most:g}, with {found:.0%} of the rows on these "
        "values, and went further before: it is cut off"
    )
    return day.fault("clipped", found, limit, what)


def coarse(day: ColumnDay) -> list[Fault]:
    """Find far fewer distinct numbers than on any day of the reference, on a grid: rounded ones.

    The weather of one airport has two dozen values a day as well, but on no grid.
    """
    summary, calm = day.summary, day.column.calm
    if summary is None or calm.distinct is None or calm.block_rows is None:
        return []
    if summary.rows < FEWEST_ROWS or not summary.is_grid:
        return []
    limit = calm.distinct * min(1.0, summary.rows / calm.block_rows) / day.limits.coarse
    if summary.distinct > limit:
        return []
    what = (
        f"has {summary.distinct} different values, {calm.distinct} or more before: it was rounded"
    )
    return day.fault("coarse", summary.distinct, limit, what)


def _beyond(day: ColumnDay, value: float, end: int) -> float:
    """Return the reference's share beyond a value, on its lower (0) or its upper (-1) side."""
    counts = day.column.histogram.counts
    cut = int(np.searchsorted(np.asarray(day.column.grid.edges), value, side="right"))
    beyond = counts[:cut] if end == 0 else counts[cut + 1 :]
    return sum(beyond) / day.column.histogram.present
