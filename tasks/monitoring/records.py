"""What monitoring keeps of a day in the store: profile, page, decision record, ledger entries.

The record is written last and once: it says that the day is done, and a run that comes second takes
what the first one decided.
"""

from datetime import UTC, date, datetime

from contract.decision import Decision
from contract.errors import Conflict
from contract.store.client import Store
from contract.store.documents import parse_document
from contract.store.layout import DayPageKey, DecisionKey, parse_keys
from contract.store.ledger import Ledger, LedgerEntry
from methods.controller.events import events_of
from methods.controller.history import History
from tasks.monitoring.context import MonitoringContext
from tasks.monitoring.day import DecidedDay
from tasks.monitoring.page import earlier_decisions, page


def read_history(store: Store, problem: str, ledger: Ledger) -> History:
    """Read every decision record and the ledger of a problem.

    Raises:
        DamagedDocument: a record cannot be read.
    """
    keys = parse_keys(store.keys(DecisionKey.prefix(problem)), DecisionKey)
    decisions = [parse_document(store.get(str(key)), Decision, str(key)) for key in keys]
    return History(decisions, ledger.entries())


def save_day(store: Store, context: MonitoringContext, decided: DecidedDay) -> None:
    """Write what belongs to a day, its record last, and add the decision to the history."""
    decision = decided.decision
    problem, day = decision.problem, decision.day
    _save_page(store, context, decided)
    record = str(DecisionKey(problem, day))
    try:
        store.create(record, decision.canonical())
    except Conflict:
        decision = parse_document(store.get(record), Decision, record)
        _save_page(store, context, DecidedDay(decision, decided.window))
    context.history.add(decision)


def _save_page(store: Store, context: MonitoringContext, decided: DecidedDay) -> None:
    decision = decided.decision
    html = page(
        decision,
        earlier_decisions(context.history, decision.day),
        context.models[decision.day].reference,
        decided.window,
        context.policy,
    )
    key = DayPageKey(decision.problem, decision.day)
    store.put(str(key), html.encode(), "text/html; charset=utf-8")


def write_events(ledger: Ledger, history: History, day: date) -> None:
    """Write a decided day's ledger entries; those that are there already are not written again."""
    decision = history.decision(day)
    if decision is None:
        return
    for kind, sentence in events_of(history, day):
        ledger.append(
            LedgerEntry(
                id=f"monitoring/{day}/{kind}",
                kind=kind,
                at=decision.at,
                written=datetime.now(UTC),
                run=decision.key or f"monitoring__{day}",
                digest=decision.digest,
                reason=sentence,
                reasons=tuple(fault.sentence for fault in decision.dq),
            )
        )
