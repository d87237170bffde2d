"""The decisions of monitoring, one document a day, read by day or the newest ones alone."""

from datetime import date

from contract.decision import Decision
from contract.store.client import Store
from contract.store.documents import parse_document, read_document
from contract.store.layout import DecisionKey, parse_keys


def decided_days(store: Store, problem: str) -> list[date]:
    """Return the days that have a decision, ascending; no decision is read."""
    keys = parse_keys(store.keys(DecisionKey.prefix(problem)), DecisionKey)
    return sorted(key.day for key in keys)


def read_decision(store: Store, problem: str, day: date) -> Decision | None:
    """Return the decision of a day; None where there is none.

    Raises:
        DamagedDocument: it cannot be read.
    """
    return read_document(store, str(DecisionKey(problem, day)), Decision)


def read_decisions(store: Store, problem: str, last: int | None = None) -> list[Decision]:
    """Return the decisions of the `last` decided days, oldest first; None: all.

    Raises:
        DamagedDocument: one cannot be read.
    """
    days = decided_days(store, problem)
    keys = [str(DecisionKey(problem, day)) for day in (days if last is None else days[-last:])]
    return [parse_document(store.get(key), Decision, key) for key in keys]
