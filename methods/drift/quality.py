"""Is the data broken? The gate that keeps a fault from being learnt.

A fault is a step: a column gone, null, rescaled, renamed or filled with a default. Retraining on it
makes the model worse, so a fault blocks retraining and calls a person. A limit that the
reference's own days broke is raised to what they did (`methods.drift.baseline`).

Not checked: stale timestamps (days are made from the rows' own times) and a change of unit by an
offset, such as Celsius to Fahrenheit, which the range shows.
"""

import math
from collections.abc import Sequence
from statistics import median

from contract.decision import Check, Fault
from methods.drift.histograms import Histogram
from methods.drift.profile import ColumnReference, DayProfile, ReferenceProfile
from methods.drift.summaries import FEWEST_ROWS, is_constant, misfit, spike

MISSING = 0.15  # more of all rows than in the reference
UNSEEN = 0.30  # of the present values
OUT_OF_RANGE = 0.05  # of the present values
SPIKE_ALONE = 2.5  # times the next value; a 30 % default fill stands out tenfold
SPIKE = 0.10  # share gained by one value
CONSTANT = 0.90  # share of one cell in the reference from which a constant day is no news
CONSTANT_ROWS = 100  # 0.9 ** 100 < 0.003 %: chance does not make such a day constant
ROWS = (0.3, 3.0)  # times the trailing median
ROWS_DAYS = 5  # days that make a median
DUPLICATES = 0.20  # arbitrary: clients ask twice now and then, a feed sent twice is half
CALM_FACTOR = 2.0  # above what the reference's own days did: four weeks see no storm of a year
UNIT_FACTOR = 3.0  # from which any factor may be a unit
KNOWN_FACTORS = (1.609344, 1.852, 2.2046226, 2.54)  # mile, knot, pound, inch
UNIT_FIT = 0.10  # largest distance of a rescaled quantile from its share
UNIT_MISFIT = 0.20  # of an unscaled one, from which something has happened at all


def check(
    reference: ReferenceProfile,
    day: DayProfile,
    trailing: Sequence[int] = (),
    duplicates: int = 0,
) -> list[Fault]:
    """Return what is broken in a day's data, the gravest first; empty: nothing.

    Args:
        reference: of the champion.
        day: one day on the same grids; without summaries a wrong unit, a spike and a constant number
            are not seen.
        trailing: rows of the days before, newest last; fewer than five tell nothing.
        duplicates: rows of the day that repeat another row's key and values.
    """
    found = [
        fault for name, column in reference.columns.items() for fault in _column(name, column, day)
    ]
    found.sort(key=lambda fault: -reference.columns[fault.column or ""].importance)
    return [*found, *_rows(day.rows, trailing), *_duplicates(day.rows, duplicates)]


def _column(name: str, column: ColumnReference, day: DayProfile) -> list[Fault]:
    """Return the faults of a column; the first cause that explains the others stands alone."""
    before, now = column.histogram, day.columns[name]
    if name in day.absent:
        return [_fault("absent", name, 1.0, 0.0, "did not come with every request")]
    if now.rows < FEWEST_ROWS or not before.present:
        return []  # too few rows to say; or a column that was empty from the beginning
    if not now.present:
        return [_fault("null", name, 1.0, _missing(before), "is empty in every row")]
    checks = (_unit, _missing_fault, _unseen, _out_of_range, _spike, _constant)
    faults = [fault for test in checks for fault in test(name, column, day)]
    return faults[:1]


def _unit(name: str, column: ColumnReference, day: DayProfile) -> list[Fault]:
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
    if abs(mean) > math.log(UNIT_FACTOR):
        factors.append(math.exp(mean))

    def misfit_of(factor: float) -> float:
        scaled = [value / factor for value in now]
        return misfit(column.grid, column.histogram, scaled)

    best = min(factors, key=misfit_of)
    usual = max(UNIT_MISFIT, CALM_FACTOR * column.calm.misfit)
    if misfit_of(best) > UNIT_FIT or misfit_of(1.0) < usual:
        return []
    what = f"is {best:.3g} times what it was, at every quantile alike: another unit"
    return [_fault("unit", name, best, 1.0, what)]


def _missing_fault(name: str, column: ColumnReference, day: DayProfile) -> list[Fault]:
    before = _missing(column.histogram)
    now = _missing(day.columns[name])
    height = before + max(MISSING, CALM_FACTOR * column.calm.missing)
    if now < height:
        return []
    what = f"is missing in {now:.0%} of the rows, against {before:.0%} before"
    return [_fault("missing", name, now, height, what)]


def _unseen(name: str, column: ColumnReference, day: DayProfile) -> list[Fault]:
    now = day.columns[name]
    share = now.unseen / now.present
    if column.grid.is_open:  # unknown categories cannot be told from rare ones
        rare = column.histogram.rare / max(column.histogram.present, 1)
        share = now.rare / now.present - rare
    height = max(UNSEEN, CALM_FACTOR * column.calm.unseen)
    if column.grid.is_numeric or now.present < FEWEST_ROWS or share < height:
        return []
    return [_fault("unseen", name, share, height, f"has unseen values in {share:.0%} of the rows")]


def _out_of_range(name: str, column: ColumnReference, day: DayProfile) -> list[Fault]:
    now = day.columns[name]
    share = (now.below + now.above) / now.present
    height = max(OUT_OF_RANGE, CALM_FACTOR * column.calm.out_of_range)
    if now.present < FEWEST_ROWS or share < height:
        return []
    grid = column.grid
    what = f"is outside {grid.low:.3g} to {grid.high:.3g} in {share:.0%} of the rows"
    return [_fault("out_of_range", name, share, height, what)]


def _spike(name: str, column: ColumnReference, day: DayProfile) -> list[Fault]:
    if column.grid.kind != "number":
        return []
    summary = day.summaries.get(name)
    gain = spike(column.grid, column.histogram, summary)
    height = max(SPIKE, CALM_FACTOR * column.calm.spike)
    if summary is None or gain < height or summary.top_share < SPIKE_ALONE * summary.second_share:
        return []
    what = f"is {summary.top:g} in {summary.top_share:.0%} of the rows: a default filled in"
    return [_fault("spike", name, gain, height, what)]


def _constant(name: str, column: ColumnReference, day: DayProfile) -> list[Fault]:
    now = day.columns[name]
    is_new = not column.calm.is_constant and is_constant(column.grid, now, day.summaries.get(name))
    if not is_new or now.present < CONSTANT_ROWS:
        return []
    share = max(column.histogram.counts) / column.histogram.present
    if share >= CONSTANT:
        return []
    return [_fault("constant", name, 1.0, CONSTANT, "has one value in every row")]


def _rows(rows: int, trailing: Sequence[int]) -> list[Fault]:
    if len(trailing) < ROWS_DAYS:
        return []
    usual = float(median(trailing))
    low, high = ROWS[0] * usual, ROWS[1] * usual
    if low <= rows <= high:
        return []
    sentence = (
        f"The day has {rows} rows; {low:.0f} to {high:.0f} are usual "
        f"(0.3 to 3 times the median of {len(trailing)} days)."
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


def _duplicates(rows: int, duplicates: int) -> list[Fault]:
    share = duplicates / max(rows, 1)
    if rows < FEWEST_ROWS or share < DUPLICATES:
        return []
    sentence = (
        f"{share:.0%} of the day's rows repeat another row's key and values; "
        f"less than {DUPLICATES:.0%} is usual."
    )
    return [
        Fault(check="duplicates", column=None, found=share, limit=DUPLICATES, sentence=sentence)
    ]


def _fault(check: Check, name: str, found: float, limit: float, what: str) -> Fault:
    return Fault(
        check=check,
        column=name,
        found=round(found, 4),
        limit=round(limit, 4),
        sentence=f"{name!r} {what}.",
    )


def _missing(histogram: Histogram) -> float:
    return histogram.missing / max(histogram.rows, 1)
