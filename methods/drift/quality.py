"""Is the data broken? The gate that keeps faults out of the training data.

A fault is a step: a column gone, null, rescaled, renamed or filled with a default. Retraining on it
makes the model worse, so a fault blocks retraining and alerts the owner. A limit that the
reference's own days exceeded is raised to what they reached (`methods.drift.baseline`).

Not checked: stale timestamps (days are made from the rows' own times) and a change of unit by an
offset, such as Celsius to Fahrenheit, which the range shows.
"""

import math
from collections.abc import Sequence
from statistics import median

from contract.decision import Check, Fault
from methods.drift.histograms import Histogram
from methods.drift.limits import QualityLimits
from methods.drift.profile import ColumnReference, DayProfile, ReferenceProfile
from methods.drift.summaries import FEWEST_ROWS, is_constant, misfit, spike

KNOWN_FACTORS = (1.609344, 1.852, 2.2046226, 2.54)  # mile, knot, pound, inch


def check(
    reference: ReferenceProfile,
    day: DayProfile,
    trailing: Sequence[int] = (),
    duplicates: int = 0,
    *,
    limits: QualityLimits,
) -> list[Fault]:
    """Return what is broken in a day's data, the gravest first; empty: nothing.

    Args:
        reference: of the champion.
        day: one day on the same grids; without summaries a wrong unit, a spike and a constant number
            are not detected.
        trailing: rows of the days before, newest last; too few days tell nothing.
        duplicates: rows of the day that repeat another row's key and values.
        limits: of the retrain controller's policy.
    """
    faults = [
        fault
        for name, column in reference.columns.items()
        for fault in _column(name, column, day, limits)
    ]
    faults.sort(key=lambda fault: -reference.columns[fault.column or ""].importance)
    return [
        *faults,
        *_rows(day.rows, trailing, limits),
        *_duplicates(day.rows, duplicates, limits),
    ]


def _column(
    name: str, column: ColumnReference, day: DayProfile, limits: QualityLimits
) -> list[Fault]:
    """Return the faults of a column; where one cause explains the others, it alone."""
    before, now = column.histogram, day.columns[name]
    if name in day.absent:
        return [_fault("absent", name, 1.0, 0.0, "did not come with every request")]
    if now.rows < FEWEST_ROWS or not before.present:
        return []  # too few rows to say; or a column that was empty from the beginning
    if not now.present:
        return [_fault("null", name, 1.0, _missing(before), "is empty in every row")]
    checks = (_unit, _missing_fault, _unseen, _out_of_range, _spike, _constant)
    faults = [fault for check_column in checks for fault in check_column(name, column, day, limits)]
    return faults[:1]


def _unit(
    name: str, column: ColumnReference, day: DayProfile, limits: QualityLimits
) -> list[Fault]:
    """Rescaled by one factor the day has the reference's shape, and unscaled it has not.

    The shape and not the ratios alone: a cold day is a third of a mild one in degrees, at every
    quantile alike, but not as wide as the reference.
    """
    summary = day.summaries.get(name)
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
    return [_fault("unit", name, best, 1.0, what)]


def _missing_fault(
    name: str, column: ColumnReference, day: DayProfile, limits: QualityLimits
) -> list[Fault]:
    before = _missing(column.histogram)
    now = _missing(day.columns[name])
    limit = before + max(limits.missing, limits.baseline_factor * column.calm.missing)
    if now < limit:
        return []
    what = f"is missing in {now:.0%} of the rows, against {before:.0%} before"
    return [_fault("missing", name, now, limit, what)]


def _unseen(
    name: str, column: ColumnReference, day: DayProfile, limits: QualityLimits
) -> list[Fault]:
    now = day.columns[name]
    share = now.unseen / now.present
    if column.grid.is_open:  # unknown categories cannot be distinguished from rare ones
        rare = column.histogram.rare / max(column.histogram.present, 1)
        share = now.rare / now.present - rare
    limit = max(limits.unseen, limits.baseline_factor * column.calm.unseen)
    if column.grid.is_numeric or now.present < FEWEST_ROWS or share < limit:
        return []
    return [_fault("unseen", name, share, limit, f"has unseen values in {share:.0%} of the rows")]


def _out_of_range(
    name: str, column: ColumnReference, day: DayProfile, limits: QualityLimits
) -> list[Fault]:
    now = day.columns[name]
    share = (now.below + now.above) / now.present
    limit = max(limits.out_of_range, limits.baseline_factor * column.calm.out_of_range)
    if now.present < FEWEST_ROWS or share < limit:
        return []
    grid = column.grid
    what = f"is outside {grid.low:.3g} to {grid.high:.3g} in {share:.0%} of the rows"
    return [_fault("out_of_range", name, share, limit, what)]


def _spike(
    name: str, column: ColumnReference, day: DayProfile, limits: QualityLimits
) -> list[Fault]:
    if column.grid.kind != "number":
        return []
    summary = day.summaries.get(name)
    gain = spike(column.grid, column.histogram, summary)
    limit = max(limits.spike, limits.baseline_factor * column.calm.spike)
    if summary is None or gain < limit:
        return []
    if summary.top_share < limits.spike_alone * summary.second_share:
        return []
    what = f"is {summary.top:g} in {summary.top_share:.0%} of the rows: a default filled in"
    return [_fault("spike", name, gain, limit, what)]


def _constant(
    name: str, column: ColumnReference, day: DayProfile, limits: QualityLimits
) -> list[Fault]:
    now = day.columns[name]
    is_new = not column.calm.is_constant and is_constant(column.grid, now, day.summaries.get(name))
    if not is_new or now.present < limits.constant_rows:
        return []
    share = max(column.histogram.counts) / column.histogram.present
    if share >= limits.constant:
        return []
    return [_fault("constant", name, 1.0, limits.constant, "has one value in every row")]


def _rows(rows: int, trailing: Sequence[int], limits: QualityLimits) -> list[Fault]:
    if len(trailing) < limits.rows_days:
        return []
    usual = float(median(trailing))
    low, high = limits.rows_low * usual, limits.rows_high * usual
    if low <= rows <= high:
        return []
    sentence = (
        f"The day has {rows} rows; {low:.0f} to {high:.0f} are usual "
        f"({limits.rows_low:g} to {limits.rows_high:g} times the median of {len(trailing)} days)."
    )
    return [
        Fault(
            check="rows",
            column=None,
            found=float(rows),
            limit=low if rows < low else high,
            sentence=sentence,
        )
    ]


def _duplicates(rows: int, duplicates: int, limits: QualityLimits) -> list[Fault]:
    share = duplicates / max(rows, 1)
    if rows < FEWEST_ROWS or share < limits.duplicates:
        return []
    sentence = (
        f"{share:.0%} of the day's rows repeat another row's key and values; "
        f"less than {limits.duplicates:.0%} is usual."
    )
    return [
        Fault(
            check="duplicates",
            column=None,
            found=share,
            limit=limits.duplicates,
            sentence=sentence,
        )
    ]


def _fault(check: Check, name: str, value: float, limit: float, what: str) -> Fault:
    return Fault(
        check=check,
        column=name,
        found=round(value, 4),
        limit=round(limit, 4),
        sentence=f"{name!r} {what}.",
    )


def _missing(histogram: Histogram) -> float:
    return histogram.missing / max(histogram.rows, 1)
