"""What of a day is written into the ledger: once a fault, and once when it ends."""

from datetime import timedelta

from decision_factory import START, decision

from contract.decision import Decision
from contract.faults import Fault
from contract.performance import Effect
from methods.controller.events import events_of
from methods.controller.history import History

FIRST = START.date()
NULL = Fault(check="null", column="fare", found=1, limit=0, sentence="'fare' is empty.")
MISSING = NULL.model_copy(update={"check": "missing", "sentence": "'fare' is missing."})
UNIT = Fault(check="unit", column="distance", found=2, limit=1, sentence="'distance' is doubled.")
ROWS = Fault(check="rows", column=None, found=3, limit=9, sentence="The day has 3 rows.")


def blocked(number: int, *faults: Fault) -> Decision:
    return decision(number, "blocked_data_quality", *faults)


def kinds(*decisions: Decision) -> list[list[str]]:
    """Return the kinds of each day's events, each day as it was decided."""
    history = History([], [])
    by_day = []
    for each in decisions:
        history.add(each)
        by_day.append([kind for kind, _ in events_of(history, each.day)])
    return by_day


def test_a_fault_is_blocked_once_and_cleared_once() -> None:
    days = [decision(0, "ok"), *(blocked(n, NULL) for n in range(1, 8))]

    assert kinds(*days, decision(8, "watch"), decision(9, "ok")) == [
        [],
        ["blocked"],
        *[[]] * 6,
        ["cleared"],
        [],
    ]


def test_a_later_fault_of_another_column_is_news_and_of_the_same_column_is_not() -> None:
    assert kinds(
        blocked(0, NULL), blocked(1, MISSING), blocked(2, MISSING, UNIT), blocked(3, UNIT)
    ) == [["blocked"], [], ["blocked"], []]


def test_a_fault_that_comes_back_is_a_new_one() -> None:
    assert kinds(blocked(0, ROWS), decision(1, "ok"), blocked(2, ROWS)) == [
        ["blocked"],
        ["cleared"],
        ["blocked"],
    ]


def test_a_day_with_too_few_rows_says_nothing_of_a_fault() -> None:
    few = decision(1, "insufficient_data")

    assert kinds(blocked(0, NULL), few, blocked(2, NULL)) == [["blocked"], [], []]
    assert kinds(blocked(0, NULL), few, decision(2, "ok")) == [["blocked"], [], ["cleared"]]


def test_days_that_were_never_decided_end_no_fault() -> None:
    assert kinds(blocked(0, NULL), blocked(70, NULL), decision(80, "ok")) == [
        ["blocked"],
        [],
        ["cleared"],
    ]


def test_a_retraining_is_an_event_of_its_own() -> None:
    assert kinds(blocked(0, NULL), decision(1, "insufficient_data"), decision(2, "retrain")) == [
        ["blocked"],
        [],
        ["cleared", "retrain"],
    ]


def test_the_sentence_says_what_is_in_limits_again_and_for_how_long_it_was_not() -> None:
    days = [blocked(0, NULL, ROWS), blocked(1, MISSING), decision(2, "ok")]

    (one,) = events_of(History([days[0], decision(1, "ok")], []), FIRST + timedelta(days=1))
    (several,) = events_of(History(days, []), FIRST + timedelta(days=2))

    assert one[1] == "Data in limits again: 'fare', the rows; 2013-05-01 was blocked."
    assert several[1] == (
        "Data in limits again: 'fare', the rows; 2 days were blocked, 2013-05-01 to 2013-05-02."
    )


def test_an_event_does_not_depend_on_the_days_after_it() -> None:
    history = History([blocked(0, NULL), decision(1, "ok"), blocked(2, NULL)], [])

    assert [kind for kind, _ in events_of(history, FIRST)] == ["blocked"]


def test_a_day_that_is_not_decided_has_no_event() -> None:
    assert events_of(History([], []), FIRST) == []


def measured(*, is_final: bool) -> Effect:
    return Effect(
        digest="b" * 64,
        previous="a" * 64,
        promoted=START,
        first=FIRST,
        last=FIRST,
        rows=900,
        metric="log_loss",
        before=0.7,
        after=0.6,
        z=5.0,
        helped=True,
        is_final=is_final,
        sentence="The promotion helped.",
    )


def test_whether_a_promotion_helped_is_written_once_when_it_is_known_for_good() -> None:
    days = [decision(n, effect=measured(is_final=n > 1)) for n in range(4)]

    assert kinds(*days) == [[], [], ["effect"], []]


def test_that_monitoring_asks_for_no_more_is_written_once_a_row() -> None:
    def halted(day: int, useless: int = 3) -> Decision:
        return decision(day, "warn", suppressed_by="breaker", useless=useless)

    first = [decision(0, useless=2), halted(1), decision(2, useless=3), halted(3), halted(4, 4)]
    brief = decision(5, "insufficient_data", is_brief=True)
    again = [decision(7), halted(8)]

    assert kinds(*first, brief, halted(6), *again) == [
        [],
        ["halted"],
        [],
        [],
        [],
        [],
        [],
        [],
        ["halted"],
    ]
    assert kinds(halted(0)) == [["halted"]]
