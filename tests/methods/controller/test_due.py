"""Which days a run decides: those without a record, wherever they lie, and empty ones."""

from datetime import date, datetime, timedelta

from decision_factory import START, decision

from contract.decision import Decision, Window
from contract.store.ledger import LedgerEntry
from methods.controller.days import Calendar
from methods.controller.due import DueDays, due_days, is_superseded
from methods.controller.history import History
from methods.controller.policy import Policy

FIRST = START.date()
UTC_DAYS = Calendar("UTC")


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def end(number: int) -> datetime:
    return START + timedelta(days=number + 1)


def full(number: int) -> Decision:
    return decision(number, window=Window(days=(day(number),), rows=900, rows_of_day=130))


def empty(number: int) -> Decision:
    return decision(number, "insufficient_data")


def due(*decisions: Decision, until: int, since: int = 0) -> DueDays:
    since_then = START + timedelta(days=since)
    return due_days(History(decisions, []), UTC_DAYS, since_then, end(until), Policy())


def test_every_day_without_a_record_is_due() -> None:
    assert due(until=2).full == [day(0), day(1), day(2)]
    assert due(full(0), full(1), until=2).full == [day(2)]
    assert due(full(0), until=0).full == []


def test_a_record_of_a_later_day_hides_no_day_before_it() -> None:
    """A wrong window, or a year that is filled in by hand."""
    found = due(full(0), empty(700), empty(701), until=2)

    assert found == DueDays(brief=[], full=[day(1), day(2)], empty=[])


def test_an_empty_record_is_looked_at_again() -> None:
    assert due(full(0), empty(1), full(2), until=2).empty == [day(1)]


def test_days_too_long_ago_get_a_brief_record() -> None:
    found = due(empty(3), until=99)

    assert found.full == [day(n) for n in range(44, 100)]
    assert found.brief == [day(n) for n in range(44) if n != 3]
    assert found.empty == []


def test_days_count_from_the_first_model_on() -> None:
    first = LedgerEntry(
        id="first/deployed",
        kind="deployed",
        at=START,
        written=START,
        run="first",
        digest="a" * 64,
        reason="a test",
    )
    second_since = START + timedelta(days=2)
    found = due_days(History([], [first]), UTC_DAYS, second_since, end(3), Policy())

    assert found.full == [day(n) for n in range(4)]
    assert due(until=3, since=2).full == [day(2), day(3)]


def test_a_day_is_superseded_by_a_later_one_that_was_looked_at() -> None:
    history = History([full(1), full(5), empty(8)], [])

    assert is_superseded(history, day(3), end(9))
    assert not is_superseded(history, day(6), end(9))
    assert not is_superseded(history, day(3), end(4))
