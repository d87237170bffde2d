"""What of a day is written into the ledger: retrainings, whether they helped, faults of the data.

A fault that lasts is one `blocked` entry on its first day and one `cleared` entry on the first day
whose data is in limits again. A day with too few rows for a check says nothing: the fault lasts.
Entries follow from the decision records alone, so that a run that is repeated writes the same ones.
"""

from datetime import date

from contract.decision import Decision
from contract.store.ledger import Kind
from methods.controller.history import History


def events_of(history: History, day: date) -> list[tuple[Kind, str]]:
    """Return the kinds of the day's ledger entries, each with its sentence; `day` is decided."""
    decision = history.decision(day)
    if decision is None:
        return []
    events: list[tuple[Kind, str]] = []
    blocked = open_fault(history, day)
    subjects = {fault.subject for each in blocked for fault in each.dq}
    if decision.verdict == "blocked_data_quality":
        if not subjects.issuperset(fault.subject for fault in decision.dq):
            events.append(("blocked", decision.sentence))
    elif decision.verdict != "insufficient_data" and blocked:
        events.append(("cleared", _cleared(blocked)))
    if decision.retrain:
        events.append(("retrain", decision.sentence))
    earlier = [each for each in history.decided_by(decision.at) if each.day < day]
    if _is_news(decision, earlier):
        events.append(("effect", str(decision.effect and decision.effect.sentence)))
    if decision.suppressed_by == "breaker" and not _is_halted(decision, earlier):
        events.append(("halted", decision.next))
    return events


def _is_news(decision: Decision, earlier: list[Decision]) -> bool:
    """Return True on the first day that knows for good what a promotion did."""
    effect = decision.effect
    return (
        effect is not None
        and effect.is_final
        and not any(each.effect == effect for each in earlier)
    )


def _is_halted(decision: Decision, earlier: list[Decision]) -> bool:
    """Return True where an earlier day of the same row of useless retrains said so."""
    for each in reversed(earlier):
        if each.suppressed_by == "breaker":
            return True
        if each.useless < decision.useless and not each.is_brief:
            return False
    return False


def open_fault(history: History, day: date) -> list[Decision]:
    """Return the blocked days, oldest first, of a fault that had not ended before `day`."""
    blocked: list[Decision] = []
    for earlier in reversed(history.days):
        decision = history.decision(earlier)
        if decision is None or earlier >= day or decision.verdict == "insufficient_data":
            continue
        if not history.is_fault(earlier):
            break
        blocked.append(decision)
    return blocked[::-1]


def _cleared(blocked: list[Decision]) -> str:
    """Say what is in limits again, and for how long it was not."""
    names = dict.fromkeys(
        "the rows" if fault.column is None else repr(fault.column)
        for decision in blocked
        for fault in decision.dq
    )
    first, last, days = blocked[0].day, blocked[-1].day, len(blocked)
    span = f"{first} was blocked" if days == 1 else f"{days} days were blocked, {first} to {last}"
    return f"Data in limits again: {', '.join(names)}; {span}."
