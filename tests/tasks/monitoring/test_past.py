"""What earlier decisions and the ledger mean for a day."""

from datetime import UTC, date, datetime, timedelta

import pytest

from contract.decision import Decision, Window
from contract.store.ledger import LedgerEntry
from tasks.monitoring.past import Past

START = datetime(2013, 5, 1, tzinfo=UTC)
OLD, NEW = "a" * 64, "b" * 64
WEEK = timedelta(days=7)


def at(day: float) -> datetime:
    return START + timedelta(days=day)


def entry(kind: str, day: float, digest: str = OLD, run: str = "run") -> LedgerEntry:
    return LedgerEntry.model_validate(
        {
            "id": f"{run}/{kind}/{day}",
            "kind": kind,
            "at": at(day),
            "written": at(day),
            "run": run,
            "digest": digest,
            "reason": "a test",
        }
    )


def decision(day: int, verdict: str = "ok", **words: object) -> Decision:
    given = {
        "problem": "flights",
        "day": (START + timedelta(days=day)).date(),
        "at": at(day + 1),
        "run": "run",
        "digest": OLD,
        "verdict": verdict,
        "reason": None,
        "sentence": "",
        "next": "",
        "retrain": verdict == "retrain",
        "suppressed_by": None,
        "key": None,
        "drift_detected": False,
        "alarm": False,
        "window": Window(days=(), rows=0, rows_of_day=0),
    }
    return Decision.model_validate(given | words)


def test_the_champion_of_a_day_is_who_was_put_in_place_before_its_end() -> None:
    past = Past([], [entry("deployed", 0), entry("refused", 5, NEW), entry("deployed", 9, NEW)])

    assert past.champion(at(0)) is None
    assert [past.champion(at(day)).digest for day in (1, 9, 9.5)] == [OLD, OLD, NEW]  # type: ignore[union-attr] # each is there


def test_a_rollback_serves_and_is_as_old_as_its_first_deployment() -> None:
    past = Past([], [entry("deployed", 0), entry("deployed", 9, NEW), entry("rollback", 10, OLD)])

    serving = past.champion(at(11))

    assert serving is not None
    assert (serving.digest, serving.since) == (OLD, at(10))
    assert past.made(OLD, at(10)) == at(0)
    assert past.made("c" * 64, at(3)) == at(3)


@pytest.mark.parametrize(("refusals", "days"), [(0, 7), (1, 14), (2, 28), (5, 28)])
def test_each_refusal_in_a_row_doubles_the_cooldown_up_to_four_weeks(
    refusals: int, days: int
) -> None:
    entries = [entry("deployed", 0)] + [entry("refused", n, NEW) for n in range(1, refusals + 1)]

    assert Past([], entries).cooldown_until(at(30), WEEK) == at(refusals + days)


def test_a_deployment_ends_the_doubling() -> None:
    entries = [entry("refused", 1, NEW), entry("returned", 2, NEW), entry("deployed", 3)]

    assert Past([], entries).cooldown_until(at(4), WEEK) == at(10)


def test_a_retraining_that_was_asked_for_cools_down_and_later_ones_are_not_known_yet() -> None:
    past = Past([decision(4, "retrain"), decision(9, "retrain")], [])

    assert past.cooldown_until(at(6), WEEK) == at(12)
    assert past.cooldown_until(at(3), WEEK) is None


def test_retrainings_are_counted_over_thirty_days() -> None:
    past = Past([decision(day, "retrain") for day in (0, 10, 20, 35)] + [decision(5)], [])

    assert past.retrains(at(33)) == 2


def test_alarms_are_those_of_the_two_windows_before() -> None:
    past = Past([decision(0), decision(7, alarm=True), decision(13, alarm=True)], [])
    day = date(2013, 5, 15)

    assert past.alarms(day, WEEK) == (True, False)
    assert Past([], []).alarms(day, WEEK) == ()


def test_a_refusal_accepts_the_regime_that_asked_for_it_until_something_is_deployed() -> None:
    asked = decision(4, "retrain", key="drift__2013-05-05")
    refused = entry("refused", 6, NEW, run="drift__drift__2013-05-05")
    by_hand = entry("refused", 6, NEW, run="manual")
    deployed = entry("deployed", 8, NEW)

    assert Past([asked], [refused]).refused_regime(at(7)) == asked
    assert Past([asked], [refused]).refused_regime(at(5)) is None
    assert Past([asked], [by_hand]).refused_regime(at(7)) is None
    assert Past([asked], [refused, deployed]).refused_regime(at(9)) is None
    assert Past([asked], []).refused_regime(at(9)) is None


def test_days_are_blocked_or_not() -> None:
    past = Past([decision(3, "blocked_data_quality"), decision(4)], [])

    assert [past.blocked(START.date() + timedelta(days=day)) for day in (2, 3, 4)] == [
        False,
        True,
        False,
    ]
