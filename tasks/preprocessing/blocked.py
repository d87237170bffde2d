"""What monitoring knows and training must not learn: days of broken data, columns that are gone.

A model is never fitted on a day whose requests were blocked: the same feed fills the sources. A day
on which nothing at all was served shows nothing broken and stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contract.decision import Decision
from contract.problem import Problem
from contract.store.client import Store
from contract.store.decisions import read_decisions
from contract.store.ledger import Ledger
from contract.times import microseconds
from methods.controller.days import Calendar
from methods.controller.history import History
from methods.split.event_times import microseconds as column_microseconds

_COLUMN = "column "  # how a fault's subject begins where it is about a column
_GONE = {"absent", "null"}


@dataclass(frozen=True)
class KnownFaults:
    """What is left out of the prepared rows."""

    days: tuple[date, ...]
    """Blocked, and accepted by nobody; ascending."""
    retired: frozenset[str]
    """Columns that no longer come with requests, as a person accepted."""


NO_FAULTS = KnownFaults((), frozenset())


def known_faults(store: Store, problem: str, window_end: datetime) -> KnownFaults:
    """Return what monitoring had found by `window_end`.

    Raises:
        DamagedDocument: a decision or the ledger cannot be read, and what is broken is not known.
    """
    decisions = [each for each in read_decisions(store, problem) if each.at <= window_end]
    entries = [each for each in Ledger(store, problem).entries() if each.at <= window_end]
    history = History(decisions, entries)
    by_day = {each.day: each for each in decisions}
    blocked = {day for day, each in by_day.items() if each.dq and history.is_fault(day)}
    # A day whose broken rows came after its decision is left out by the decisions after it.
    late = {day for each in decisions for day in each.window.excluded}
    late -= {day for day in late if day in by_day and by_day[day].dq}
    retired: dict[str, bool] = {}
    for entry in entries:
        if entry.kind != "adopted":
            continue
        gone = [] if entry.day is None else _gone(by_day.get(entry.day))
        retired |= {subject: subject in gone for subject in entry.subjects}
    return KnownFaults(
        days=tuple(
            sorted(day for day in blocked | late if day not in by_day or _was_served(by_day[day]))
        ),
        retired=frozenset(
            subject.removeprefix(_COLUMN) for subject, is_gone in retired.items() if is_gone
        ),
    )


def outside_days(table: pa.Table, problem: Problem, days: Sequence[date]) -> pa.BooleanArray:
    """Return which rows of `table` happened on none of the days, (n,); all where rows have no time."""
    name = problem.main_source.event_time
    kept = np.ones(table.num_rows, dtype=bool)
    if name is not None and days:
        calendar = Calendar(problem.timezone)
        column = table.column(name)
        moments = column_microseconds(
            pc.fill_null(column, pa.scalar(0, pa.int64()).cast(column.type))
        )
        for day in days:
            begin, end = microseconds(calendar.begin(day)), microseconds(calendar.end(day))
            kept &= (moments < begin) | (moments >= end)
    return pa.array(kept)


def _was_served(decision: Decision) -> bool:
    return decision.window.rows_of_day > 0


def _gone(decision: Decision | None) -> set[str]:
    """Return the subjects that did not come, or came empty, on a day."""
    if decision is None:
        return set()
    return {fault.subject for fault in decision.dq if fault.check in _GONE}
