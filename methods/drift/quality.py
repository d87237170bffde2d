"""Is the data broken? The gate that keeps faults out of the training data.

A fault is a step: a column gone, null, rescaled, renamed, filled with a default or put beside the
wrong rows; a day that is empty, doubled or yesterday's. Retraining on it makes the model worse, so
a fault blocks retraining and alerts the owner. A limit that the reference's own days exceeded is
raised to what they reached (`methods.drift.baseline`), one that earlier days in limits approached
is raised too (`ColumnDay.step`), and what a person accepted is no fault any longer.

What no test of features shows: columns exchanged that move with no other and look alike, a sign
turned in a symmetric column that moves with no other, and labels that are wrong.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from contract.faults import Fault
from methods.drift import category_faults, number_faults
from methods.drift.column_day import ColumnDay, missing_share
from methods.drift.limits import QualityLimits
from methods.drift.profile import DayProfile, ReferenceProfile
from methods.drift.relation_faults import relation_faults
from methods.drift.row_faults import repeat_faults
from methods.drift.summaries import FEWEST_ROWS, is_constant

NEVER = 0.0005  # share missing in the reference up to which nothing was; half a row of a thousand


@dataclass(frozen=True)
class AcceptedState:
    """What a person accepted as it is, until the next reference."""

    columns: Mapping[str, DayProfile] = field(default_factory=dict)
    """The day whose state of a column is accepted."""
    checks: frozenset[str] = frozenset()
    """Checks of all rows that no longer block."""


def check(
    reference: ReferenceProfile,
    day: DayProfile,
    before: Mapping[date, DayProfile] | None = None,
    accepted: AcceptedState | None = None,
    *,
    limits: QualityLimits,
) -> list[Fault]:
    """Return what is broken in a day's data, the gravest first; empty: nothing.

    How many rows there are is looked at apart (`methods.drift.row_faults.volume_faults`).

    Args:
        reference: of the champion.
        day: one day on the same grids; without summaries a wrong unit, a spike and a constant number
            are not detected.
        before: earlier days in limits, on the same grids; None: none are known.
        accepted: what no longer blocks; None: nothing was accepted.
        limits: of the retrain controller's policy.
    """
    before, accepted = before or {}, accepted or AcceptedState()
    by_column = {
        name: _new_faults(name, reference, day, before, accepted=accepted, limits=limits)
        for name in reference.columns
    }
    faults = [found[0] for found in by_column.values() if found]
    broken = {fault.column for fault in faults if fault.column is not None}
    related = relation_faults(reference, day, before, broken | set(accepted.columns), limits)
    faults += [fault for fault in related if fault.check not in accepted.checks or fault.column]
    faults.sort(
        key=lambda fault: -reference.columns[fault.column].importance if fault.column else -1.0
    )
    repeats = repeat_faults(day, before, limits)
    return [*[fault for fault in repeats if fault.check not in accepted.checks], *faults]


def _new_faults(
    name: str,
    reference: ReferenceProfile,
    day: DayProfile,
    before: Mapping[date, DayProfile],
    *,
    accepted: AcceptedState,
    limits: QualityLimits,
) -> list[Fault]:
    """Return the faults of a column, without those that a person accepted."""
    faults = _column(name, reference, day, list(before.values()), limits)
    if name not in accepted.columns:
        return faults
    known = {
        fault.check: fault.found
        for fault in _column(name, reference, accepted.columns[name], [], limits)
    }
    return [
        fault
        for fault in faults
        if fault.check not in known
        or abs(fault.found - known[fault.check])
        > limits.accepted * max(1.0, abs(known[fault.check]))
    ]


def _column(
    name: str,
    reference: ReferenceProfile,
    profile: DayProfile,
    before: list[DayProfile],
    limits: QualityLimits,
) -> list[Fault]:
    """Return every fault of a column by itself, the one that explains the others first."""
    column = reference.columns[name]
    day = ColumnDay(
        name=name,
        column=column,
        now=profile.columns[name],
        summary=profile.summaries.get(name),
        before=[each.columns[name] for each in before],
        limits=limits,
    )
    if name in profile.absent:
        return day.fault("absent", 1.0, 0.0, "did not come with every request")
    if day.now.rows < FEWEST_ROWS or not column.histogram.present:
        return []  # too few rows to say; or a column that was empty from the beginning
    if not day.now.present:
        usual = missing_share(column.histogram)
        if usual + limits.baseline_factor * column.calm.missing >= 1:
            return []  # such as gusts, of which a calm day has none
        return day.fault("null", 1.0, usual, "is empty in every row")
    checks = (
        number_faults.unit,
        _missing,
        category_faults.respelt,
        category_faults.renamed,
        category_faults.unseen,
        number_faults.out_of_range,
        number_faults.filled_spike,
        _constant,
        number_faults.clipped,
        number_faults.coarse,
        category_faults.vanished,
        category_faults.relabelled,
        category_faults.filled,
    )
    return [fault for check_column in checks for fault in check_column(day)]


def _missing(day: ColumnDay) -> list[Fault]:
    before = missing_share(day.column.histogram)
    calm = day.column.calm.missing
    is_complete = before <= NEVER and calm <= NEVER and day.now.rows >= day.limits.constant_rows
    least = day.limits.never_missing if is_complete else day.limits.missing
    now = missing_share(day.now)
    limit = before + day.step(least, calm, lambda each: missing_share(each) - before)
    if now < limit:
        return []
    what = f"is missing in {now:.0%} of the rows, against {before:.0%} before"
    return day.fault("missing", now, limit, what)


def _constant(day: ColumnDay) -> list[Fault]:
    column, now, limits = day.column, day.now, day.limits
    is_new = not column.calm.is_constant and is_constant(column.grid, now, day.summary)
    if not is_new or now.present < limits.constant_rows:
        return []
    if max(column.histogram.counts) / column.histogram.present >= limits.constant:
        return []
    return day.fault("constant", 1.0, limits.constant, "has one value in every row")
