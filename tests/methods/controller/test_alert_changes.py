"""The owner is told once when a finding begins, weekly while it lasts, and once when it is over."""

from datetime import timedelta

from decision_factory import START

from contract.alerts import AlertState, OwnerFinding
from methods.controller.alert_changes import AlertBook
from methods.controller.alert_limits import AlertLimits
from methods.controller.alert_rules import FoundAlerts

LIMITS = AlertLimits()
NOTHING = FoundAlerts(raised=(), held=frozenset())
FARE = OwnerFinding(id="blocked:fare", sentence="'fare' is empty.", command="perennial why flights")
FOUND = FoundAlerts(raised=(FARE,), held=frozenset())


def after(state: AlertState, found: FoundAlerts, days: float) -> AlertState:
    book = AlertBook("flights", "ada", START + timedelta(days=days), LIMITS)
    return book.update(state, found)


def events(state: AlertState) -> list[str]:
    return [message.event for message in state.outbox]


def test_a_fault_of_seventeen_days_is_four_messages() -> None:
    told: list[str] = []
    state = AlertState()
    for day in range(17):
        state = after(state, FOUND, day)
        told += events(state)
        state = state.model_copy(update={"outbox": ()})
    state = after(state, NOTHING, 17)

    assert [*told, *events(state)] == ["raised", "reminder", "reminder", "cleared"]
    assert state.open == ()


def test_a_run_that_is_repeated_tells_nothing_twice() -> None:
    once = after(AlertState(), FOUND, 0)

    assert after(once, FOUND, 0) == once
    assert after(once, FOUND, 0.1).outbox == once.outbox


def test_what_is_held_stays_open_and_is_reminded() -> None:
    held = FoundAlerts(raised=(), held=frozenset({FARE.id}))
    state = after(AlertState(), FOUND, 0)

    assert after(state, held, 1).open == state.open
    assert events(after(state, held, 7)) == ["reminder"]


def test_a_reminder_says_what_is_found_now_and_since_when() -> None:
    now = FARE.model_copy(update={"sentence": "'fare' is empty in half of the rows."})
    state = after(AlertState(), FOUND, 0)

    state = after(state, FoundAlerts(raised=(now,), held=frozenset()), 7)

    (message,) = state.outbox
    assert (message.finding, message.since) == (now, START)


def test_a_fault_that_comes_back_is_a_new_alert() -> None:
    state = after(after(after(AlertState(), FOUND, 0), NOTHING, 1), FOUND, 2)

    assert events(state) == ["raised", "cleared", "raised"]
    assert state.open[0].since == START + timedelta(days=2)
    assert len({message.id for message in state.outbox}) == 3


def test_an_older_run_changes_no_newer_alert() -> None:
    state = after(AlertState(), FOUND, 5)

    assert after(state, NOTHING, 2).open == state.open


def test_a_message_that_no_channel_takes_is_dropped_in_the_end() -> None:
    state = after(AlertState(), FOUND, 0)

    assert events(after(state, FOUND, 6)) == ["raised"]
    assert events(after(state, FOUND, 7)) == ["reminder"]
