"""What monitoring keeps of a day in the store: profile, page, decision record, ledger entries.

The record is written last and once: it says that the day is done, and a run that comes second takes
what the first one decided. Only a record that no row had come for is followed by another.
"""

from datetime import UTC, date, datetime

from contract.canonical_json import canonical_json
from contract.decision import Decision
from contract.errors import Conflict
from contract.problem import Problem
from contract.run import Run
from contract.store.client import Store
from contract.store.decisions import read_decisions
from contract.store.documents import read_with_etag
from contract.store.layout import DayPageKey, DecisionKey, WindowProfileKey
from contract.store.ledger import Ledger, LedgerEntry
from methods.controller.days import Calendar
from methods.controller.decide import undecided
from methods.controller.due import is_empty
from methods.controller.events import events_of
from methods.controller.history import History
from methods.controller.policy import Policy
from tasks.monitoring.context import MonitoringContext
from tasks.monitoring.course_section import earlier_decisions
from tasks.monitoring.day import DecidedDay
from tasks.monitoring.page import page


def read_history(store: Store, problem: str, ledger: Ledger) -> History:
    """Read every decision record and the ledger of a problem.

    Raises:
        DamagedDocument: a record cannot be read.
    """
    return History(read_decisions(store, problem), ledger.entries())


def save_day(store: Store, context: MonitoringContext, decided: DecidedDay) -> None:
    """Write what belongs to a day, its record last, and add the decision to the history."""
    decision = decided.decision
    problem, day = decision.problem, decision.day
    if decision.retrain and decided.window is not None:
        window = canonical_json(decided.window.model_dump(mode="json"))
        store.put(str(WindowProfileKey(problem, day)), window, "application/json")
    _save_page(store, context, decided)
    kept = _keep(store, decision)
    if kept != decision:
        _save_page(store, context, DecidedDay(kept, decided.window))
    context.history.add(kept)


def save_brief(  # noqa: PLR0917 - what a record needs
    store: Store,
    problem: Problem,
    history: History,
    calendar: Calendar,
    run: Run,
    policy: Policy,
    day: date,
) -> None:
    """Write the record of a day that was too long ago to be looked at."""
    serving = history.serving_at(calendar.end(day))
    decision = undecided(
        problem.name,
        day,
        calendar.end(day),
        run=run.run_id,
        digest=None if serving is None else serving.digest,
        sentence=f"This day was not looked at: it is more than {policy.catch_up_days} days ago.",
        is_brief=True,
    )
    html = page(decision, [], None, None, policy)
    key = DayPageKey(problem.name, day)
    store.put(str(key), html.encode(), "text/html; charset=utf-8")
    history.add(_keep(store, decision))


def _keep(store: Store, decision: Decision) -> Decision:
    """Write a day's record, and return the one that is kept: the first that rests on rows."""
    record = str(DecisionKey(decision.problem, decision.day))
    try:
        store.create(record, decision.canonical())
    except Conflict:
        found = read_with_etag(store, record, Decision)
        if found is None:
            return decision
        kept, etag = found
        if not is_empty(kept) or is_empty(decision):
            return kept
        store.swap(record, decision.canonical(), etag)
    return decision


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
