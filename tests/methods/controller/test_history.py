"""What earlier decisions and the ledger mean for a day."""

from datetime import date, datetime, timedelta

import pytest
from decision_factory import START, decision

from contract.store.ledger import LedgerEntry
from methods.controller.history import History, Promotion
from methods.controller.policy import Policy

OLD, NEW = "a" * 64, "b" * 64
WEEK = timedelta(days=7)
POLICY = Policy()


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


def test_the_champion_of_a_day_is_who_was_put_in_place_before_its_end() -> None:
    history = History(
        [], [entry("deployed", 0), entry("refused", 5, NEW), entry("deployed", 9, NEW)]
    )

    assert history.serving_at(at(0)) is None
    assert [history.serving_at(at(day)).digest for day in (1, 9, 9.5)] == [OLD, OLD, NEW]  # type: ignore[union-attr] # each is there


def test_a_rollback_serves_and_is_as_old_as_its_first_deployment() -> None:
    history = History(
        [], [entry("deployed", 0), entry("deployed", 9, NEW), entry("rollback", 10, OLD)]
    )

    serving = history.serving_at(at(11))

    assert serving is not None
    assert (serving.digest, serving.since) == (OLD, at(10))
    assert history.first_deployed(OLD, at(10)) == at(0)
    assert history.first_deployed("c" * 64, at(3)) == at(3)


@pytest.mark.parametrize(("refusals", "days"), [(0, 7), (1, 14), (2, 28), (5, 28)])
def test_each_refusal_in_a_row_lengthens_the_cooldown_as_the_policy_says(
    refusals: int, days: int
) -> None:
    entries = [entry("deployed", 0)] + [entry("refused", n, NEW) for n in range(1, refusals + 1)]

    doubling = Policy(cooldown_factor=2.0)
    assert History([], entries).cooldown_until(at(30), WEEK, doubling) == at(refusals + days)
    assert History([], entries).cooldown_until(at(30), WEEK, POLICY) == at(refusals + 7)


def test_a_deployment_ends_the_doubling() -> None:
    entries = [entry("refused", 1, NEW), entry("returned", 2, NEW), entry("deployed", 3)]

    assert History([], entries).cooldown_until(at(4), WEEK, POLICY) == at(10)


def test_a_retraining_that_was_asked_for_cools_down_and_later_ones_are_not_known_yet() -> None:
    history = History([decision(4, "retrain"), decision(9, "retrain")], [])

    assert history.cooldown_until(at(6), WEEK, POLICY) == at(12)
    assert history.cooldown_until(at(3), WEEK, POLICY) is None


def test_retrainings_are_counted_over_thirty_days() -> None:
    history = History([decision(day, "retrain") for day in (0, 10, 20, 35)] + [decision(5)], [])

    assert history.retrains(at(33), POLICY) == 2


def test_alarms_are_those_of_the_two_windows_before() -> None:
    history = History([decision(0), decision(7, alarm=True), decision(13, alarm=True)], [])
    day = date(2013, 5, 15)

    assert history.alarms(day, OLD, WEEK, POLICY) == (True, False)
    assert History([], []).alarms(day, OLD, WEEK, POLICY) == ()


def test_alarms_of_the_model_before_are_no_evidence_about_the_new_one() -> None:
    history = History([decision(0, alarm=True), decision(7, alarm=True, digest=NEW)], [])

    assert history.alarms(date(2013, 5, 15), NEW, WEEK, POLICY) == (True,)
    assert history.alarms(date(2013, 5, 15), OLD, WEEK, POLICY) == (True,)


def test_a_day_begins_with_the_model_that_was_put_in_place_by_then() -> None:
    history = History([], [entry("deployed", 0), entry("deployed", 9, NEW)])

    assert history.serving_from(at(-1)) is None
    assert [history.serving_from(at(day)).digest for day in (0, 8, 9)] == [OLD, OLD, NEW]  # type: ignore[union-attr] # each is there


def test_a_promotion_is_a_change_from_one_model_to_another() -> None:
    again = [entry("deployed", 0), entry("deployed", 4, OLD, run="again")]
    changed = [*again, entry("deployed", 9, NEW)]

    assert History([], []).promotion(at(9)) is None
    assert History([], again).promotion(at(9)) is None
    assert History([], changed).promotion(at(9)) is None
    assert History([], changed).promotion(at(10)) == Promotion(NEW, OLD, at(9))


def test_the_newest_day_that_asked_before_a_day() -> None:
    history = History([decision(2, "retrain"), decision(4, "retrain"), decision(5)], [])

    assert history.last_asked(date(2013, 5, 5)) == date(2013, 5, 3)
    assert history.last_asked(date(2013, 5, 6)) == date(2013, 5, 5)
    assert history.last_asked(date(2013, 5, 3)) is None


def test_the_first_model_began_to_serve_with_its_deployment() -> None:
    assert History([], []).first_served() is None
    assert History([], [entry("refused", 0), entry("deployed", 1)]).first_served() == at(1)


def test_a_refusal_accepts_the_regime_that_asked_for_it_until_something_is_deployed() -> None:
    asked = decision(4, "retrain", key="drift__2013-05-05")
    refused = entry("refused", 6, NEW, run="drift__drift__2013-05-05")
    by_hand = entry("refused", 6, NEW, run="manual")
    deployed = entry("deployed", 8, NEW)

    assert History([asked], [refused]).refused_decision(at(7)) == asked
    assert History([asked], [refused]).refused_decision(at(5)) is None
    assert History([asked], [by_hand]).refused_decision(at(7)) is None
    assert History([asked], [refused, deployed]).refused_decision(at(9)) is None
    assert History([asked], []).refused_decision(at(9)) is None


def test_days_are_blocked_or_not() -> None:
    history = History([decision(3, "blocked_data_quality"), decision(4)], [])

    assert [history.is_blocked(START.date() + timedelta(days=day)) for day in (2, 3, 4)] == [
        False,
        True,
        False,
    ]
