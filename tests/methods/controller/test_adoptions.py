"""What a person accepted: which days it frees, and until when it holds."""

from datetime import date, timedelta

import pytest
from decision_factory import DIGEST, START, decision

from contract.decision import Decision
from contract.faults import Fault
from contract.store.ledger import LedgerEntry
from methods.controller.events import events_of
from methods.controller.history import History

EMPTY = Fault(check="null", column="fare", found=1, limit=0, sentence="'fare' is empty.")
FEW = Fault(check="rows", column=None, found=0, limit=9, sentence="Few rows.")


def day(number: int) -> date:
    return (START + timedelta(days=number)).date()


def adopted(number: int | None, *subjects: str, digest: str = DIGEST) -> LedgerEntry:
    at = START + timedelta(days=20)
    return LedgerEntry(
        id=f"{number}",
        kind="adopted",
        at=at,
        written=at,
        run="by hand",
        digest=digest,
        reason="so it is",
        subjects=subjects,
        day=None if number is None else day(number),
    )


def blocked(number: int, *faults: Fault) -> Decision:
    return decision(number, "blocked_data_quality", *faults)


FIVE = (decision(0), blocked(1, EMPTY), decision(2, "insufficient_data"), blocked(3, EMPTY))


def test_the_days_that_led_to_it_are_free() -> None:
    history = History(FIVE, [adopted(3, "column fare")])

    assert [history.is_blocked(day(n)) for n in range(5)] == [False] * 5
    assert history.adopted(DIGEST) == {"column fare": day(3)}


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [adopted(3, "rows")],
        [adopted(3, "column fare", digest="b" * 64)],
        [adopted(3, "column fare"), adopted(None, "column fare")],
        [adopted(1, "column fare")],
    ],
    ids=["nothing", "another subject", "another model", "taken back", "an earlier day"],
)
def test_what_was_not_accepted_stays_blocked(entries: list[LedgerEntry]) -> None:
    assert History(FIVE, entries).is_blocked(day(3))


def test_an_earlier_fault_of_the_same_column_is_not_freed() -> None:
    decisions = [blocked(0, EMPTY), decision(1), blocked(2, EMPTY)]
    history = History(decisions, [adopted(2, "column fare")])

    assert [history.is_blocked(day(n)) for n in (0, 2)] == [True, False]


def test_a_day_with_two_faults_needs_both() -> None:
    decisions = [blocked(0, EMPTY, FEW)]

    assert History(decisions, [adopted(0, "column fare")]).is_blocked(day(0))
    assert not History(decisions, [adopted(0, "column fare", "rows")]).is_blocked(day(0))


def test_what_was_accepted_is_not_told_as_cleared() -> None:
    decisions = [blocked(0, EMPTY), decision(1)]

    assert [kind for kind, _ in events_of(History(decisions, []), day(1))] == ["cleared"]
    assert events_of(History(decisions, [adopted(0, "column fare")]), day(1)) == []


def test_a_day_whose_rows_came_late_and_broken_is_left_out_and_no_event() -> None:
    history = History([decision(0), decision(1)], [])

    history.block_late(day(0))

    assert history.is_blocked(day(0))
    assert events_of(history, day(1)) == []
