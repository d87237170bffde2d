"""Which days a run decides: those without a record, wherever they lie, and those recorded as empty.

A record that another run wrote for a later day (a wrong window, a year filled in by hand) says
nothing of the days before it, so no day is counted on from the newest one. A day whose record says
that no prediction was served is decided again once rows of it are there: an empty record holds no
evidence, and a run that came before its day's rows has written nothing else.
"""

from dataclasses import dataclass
from datetime import date, datetime

from contract.decision import Decision
from methods.controller.days import ONE_DAY, Calendar
from methods.controller.history import History
from methods.controller.policy import Policy


@dataclass(frozen=True)
class DueDays:
    """The days of one run, each list ascending."""

    brief: list[date]
    """Too long ago to be looked at; a record says so."""
    full: list[date]
    empty: list[date]
    """Recorded as empty: to be decided again where rows are there now."""


def due_days(
    history: History, calendar: Calendar, since: datetime, end: datetime, policy: Policy
) -> DueDays:
    """Return what a run that ends at `end` decides, where the first model serves `since`."""
    first = history.first_served()
    days = calendar.whole_days(since if first is None else min(first, since), end)
    oldest = calendar.day_of(end) - policy.catch_up_days * ONE_DAY
    decided = {day: history.decision(day) for day in days}
    missing = [day for day, decision in decided.items() if decision is None]
    return DueDays(
        brief=[day for day in missing if day < oldest],
        full=[day for day in missing if day >= oldest],
        empty=[
            day
            for day, decision in decided.items()
            if day >= oldest and decision is not None and is_empty(decision)
        ],
    )


def is_empty(decision: Decision) -> bool:
    """Return True where a record says that no row was served, and so rests on nothing.

    Where rows are usual, such a day is blocked for it.
    """
    return not decision.window.rows_of_day


def is_superseded(history: History, day: date, end: datetime) -> bool:
    """Return True where a later day was looked at already, by a run that ended by `end`."""
    return any(each.day > day and not is_empty(each) for each in history.decided_by(end))
