"""What became of the retrainings that monitoring asked for, and which kind comes next."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from decision_factory import DIGEST, START, decision

from contract.decision import Decision
from contract.performance import Effect, Performance
from contract.store.ledger import LedgerEntry
from methods.controller.attempts import has_ended, is_replay_next, useless_in_a_row
from methods.controller.history import History
from methods.controller.policy import Policy

NEW = "b" * 64
POLICY = Policy()


def at(day: float) -> datetime:
    return START + timedelta(days=day)


def key(day: int) -> str:
    return f"performance__{day}"


def asked(day: int, *, replay: bool | None = True, **fields: Any) -> Decision:
    return decision(day, "retrain", key=key(day), replay=replay, **fields)


def entry(kind: str, asked_on: int | str, day: float, **fields: Any) -> LedgerEntry:
    run = key(asked_on) if isinstance(asked_on, int) else asked_on
    return LedgerEntry.model_validate(
        {
            "id": f"{run}/{kind}",
            "kind": kind,
            "at": at(day),
            "written": at(day),
            "run": run,
            "digest": NEW,
            "reason": "a test",
        }
        | fields
    )


def effect(*, helped: bool, is_final: bool = True, after: float = 0.69) -> Effect:
    return Effect(
        digest=NEW,
        previous=DIGEST,
        promoted=at(2),
        first=date(2013, 5, 3),
        last=date(2013, 5, 9),
        rows=900,
        metric="log_loss",
        before=0.7,
        after=after,
        z=1.0,
        helped=helped,
        is_final=is_final,
        sentence="It did.",
    )


def useless(decisions: list[Decision], entries: list[LedgerEntry], day: float = 90) -> list[int]:
    found = useless_in_a_row(History(decisions, entries), at(day))
    return [(each.at - START).days - 1 for each in found]


ASKED = [asked(0), asked(20), asked(40)]
REFUSED = [entry("refused", day, day + 1.5) for day in (0, 20, 40)]


def test_refused_and_returned_challengers_did_not_help() -> None:
    returned = [*REFUSED[:2], entry("returned", 40, 41.5)]

    assert useless(ASKED, REFUSED) == [40, 20, 0]
    assert useless(ASKED, returned) == [40, 20, 0]
    assert useless(ASKED, REFUSED, day=41) == [20, 0]
    assert useless([], []) == []


def test_one_retraining_counts_once() -> None:
    """A canary that is taken back has an entry before its end."""
    entries = [entry("refused", 0, 1.5), entry("returned", 0, 1.6)]

    assert useless(ASKED[:1], entries) == [0]


@pytest.mark.parametrize(
    ("measured", "expected"),
    [
        (effect(helped=False), [20, 0]),
        (effect(helped=False, is_final=False), [0]),
        (None, [0]),
        (effect(helped=True), []),
        (effect(helped=True, is_final=False), []),
    ],
)
def test_a_deployment_counts_by_what_it_did(measured: Effect | None, expected: list[int]) -> None:
    decisions = [*ASKED[:2], decision(30, effect=measured)]

    assert useless(decisions, [REFUSED[0], entry("deployed", 20, 21.5)]) == expected


@pytest.mark.parametrize(
    "ending",
    [
        {"kind": "refused", "asked_on": "manual__1", "by": "ada"},
        {"kind": "rollback", "asked_on": "by hand"},
        {"kind": "deployed", "asked_on": "scheduled__1"},
    ],
)
def test_a_person_and_a_deployment_that_nobody_asked_for_end_the_row(
    ending: dict[str, Any],
) -> None:
    assert useless(ASKED, [*REFUSED[:2], entry(day=30, **ending), REFUSED[2]]) == [40]


def test_what_is_no_end_of_a_retraining_changes_nothing() -> None:
    others = [entry("refused", "scheduled__1", 50), entry("blocked", "monitoring__2", 51)]

    assert useless(ASKED, [*REFUSED, *others]) == [40, 20, 0]


def replays(decisions: list[Decision], entries: list[LedgerEntry] | None = None) -> bool:
    return is_replay_next(History(decisions, entries or []), at(90), POLICY)


def test_a_retraining_replays_and_each_fourth_one_searches() -> None:
    assert replays([])
    assert replays([asked(0), asked(20)])
    assert not replays([asked(0), asked(20), asked(40)])
    assert replays([asked(0), asked(20), asked(40), asked(60, replay=False)])
    assert replays([asked(0, replay=None), asked(20), asked(40)])
    always = Policy(search_every=1)
    assert not is_replay_next(History([], []), at(9), always)


LOST = Performance(
    metric="log_loss",
    ref=0.5,
    cur=0.7,
    low=0.6,
    high=0.8,
    change=0.4,
    z=5.0,
    z_limit=3.0,
    n_labelled=900,
    coverage=1.0,
    first=date(2013, 5, 1),
    last=date(2013, 5, 7),
)


def test_after_a_replay_that_was_refused_comes_a_search_and_after_that_a_replay() -> None:
    refused = [entry("refused", 0, 1.5)]

    assert not replays([asked(0)], refused)
    assert replays([asked(0, replay=False)], refused)


@pytest.mark.parametrize(
    ("performance", "measured", "expected"),
    [
        (LOST, effect(helped=True, after=0.61), False),
        (LOST, effect(helped=True, after=0.59), True),
        (LOST, effect(helped=True, after=0.7).model_copy(update={"earned_low": 0.2}), True),
        (LOST, effect(helped=True, after=0.7).model_copy(update={"earned_low": -0.2}), False),
        (LOST, None, True),
        (None, effect(helped=True), True),
        (LOST.model_copy(update={"ref": 0.7}), effect(helped=True), True),
    ],
)
def test_after_a_replay_that_won_back_less_than_half_comes_a_search(
    performance: Performance | None, measured: Effect | None, expected: bool
) -> None:
    decisions = [asked(0, performance=performance), decision(9, effect=measured)]

    assert replays(decisions, [entry("deployed", 0, 1.5)]) is expected


def test_a_retraining_has_ended_when_it_left_its_entry() -> None:
    history = History([], [entry("progress", 0, 1), *REFUSED[:1]])

    assert not has_ended(history, key(0), at(1.2))
    assert has_ended(history, key(0), at(2))
    assert not has_ended(history, key(20), at(2))
