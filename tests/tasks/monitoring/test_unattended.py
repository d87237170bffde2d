"""A controller that can be left alone: on a real store, over weeks of days that nobody looks at."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from fixtures_monitoring import SINCE, MonitoredProblem

from contract.store.layout import DayPageKey
from methods.controller.policy import Policy

pytestmark = pytest.mark.slow  # each one runs the stage over weeks of days

MAY = date(2013, 5, 1)


def end(day: int) -> datetime:
    """Return the end of a day of May, counted on into June."""
    return SINCE + timedelta(days=day)


def may(day: int) -> date:
    return MAY + timedelta(days=day - 1)


def asking(monitored: MonitoredProblem, first: int, last: int) -> list[int]:
    return [day for day in range(first, last + 1) if monitored.decision(may(day)).retrain]


def test_a_window_far_ahead_hides_no_day_and_is_passed_over(monitored: MonitoredProblem) -> None:
    """Such a run is refused today; what one of an earlier version wrote must not end monitoring."""
    monitored.serve(MAY, 6)
    monitored.monitor(end(6))
    monitored.monitor(end(500))

    monitored.serve(may(7), 8)
    result = monitored.monitor(end(14))

    assert (result.outcome, result.day) == ("ok", "2013-05-14")
    assert [monitored.decision(may(day)).window.rows_of_day for day in range(7, 15)] == [150] * 8
    assert monitored.decision(may(15)).window.rows_of_day == 0


def test_a_day_whose_rows_come_late_is_decided_once_they_are_there(
    monitored: MonitoredProblem,
) -> None:
    monitored.serve(MAY, 7)
    monitored.serve(may(10), 1)
    monitored.monitor(end(10))
    assert monitored.decision(may(8)).finding == "no_rows"

    monitored.serve(may(8), 1)
    monitored.serve(may(9), 1, "null")
    result = monitored.monitor(end(10), "later")

    assert result.days == 2
    assert monitored.decision(may(8)).verdict == "ok"
    assert monitored.decision(may(9)).verdict == "blocked_data_quality"
    assert monitored.monitor(end(10), "again").days == 0


def test_every_day_has_a_record_however_long_nobody_came(monitored: MonitoredProblem) -> None:
    monitored.serve(may(60), 21)

    result = monitored.monitor(end(80))

    records = [monitored.decision(may(day)) for day in range(1, 81)]
    assert result.days == 80
    assert [record.is_brief for record in records] == [True] * 24 + [False] * 56
    assert records[0].sentence == "This day was not looked at: it is more than 56 days ago."
    assert records[-1].verdict == "ok"
    page = str(DayPageKey(monitored.name, may(1)))
    assert b"was not looked at" in monitored.store.get(page)


def test_a_day_that_is_filled_in_later_starts_nothing(monitored: MonitoredProblem) -> None:
    monitored.serve(MAY, 8)
    monitored.serve(may(9), 8, "concept")
    monitored.monitor(end(16))
    first, *_ = asking(monitored, 1, 16)
    monitored.store.delete(f"{monitored.name}/monitoring/{may(first)}/decision.json")

    result = monitored.monitor(end(16), "filled-in")

    again = monitored.decision(may(first))
    assert (again.retrain, again.suppressed_by) == (False, "superseded")
    assert result.days == 1


def test_of_two_runs_at_once_one_starts_a_retraining(monitored: MonitoredProblem) -> None:
    """The clock's run and a person's, for different days: the second waits for the first."""
    monitored.cooldown = "1s"
    monitored.serve(MAY, 8)
    monitored.serve(may(9), 8, "concept")
    monitored.monitor(end(11))
    ends = [end(15), end(16)]
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda until: monitored.monitor(until, f"run-{until:%d}"), ends))

    days = asking(monitored, 12, 16)
    records = [monitored.decision(may(day)) for day in range(days[0], 17)]
    assert all(later - earlier >= 2 for earlier, later in pairwise(days))
    assert "in_flight" in {record.suppressed_by for record in records}


def test_the_change_has_its_first_day_and_the_run_gets_it(monitored: MonitoredProblem) -> None:
    monitored.serve(MAY, 9)
    monitored.serve(may(10), 5, "concept")

    result = monitored.monitor(end(14))

    assert (result.outcome, result.onset, result.replay) == ("retrain", "2013-05-10", True)
    assert result.finding == "retrain:performance"


def test_a_refused_world_stays_accepted_after_months(monitored: MonitoredProblem) -> None:
    """Its window is kept with the decision: the rows of those days are not read any more."""
    monitored.cooldown = "7d"
    monitored.serve(MAY, 8)
    monitored.serve(may(9), 10, "concept")
    asked = monitored.monitor(end(18))
    monitored.enter("refused", f"performance__{asked.key}", end(18), digest="f" * 64)
    monitored.serve(may(60), 21, "concept")

    monitored.monitor(end(80))

    records = [monitored.decision(may(day)) for day in range(70, 81)]
    assert {record.suppressed_by for record in records} == {"regime"}


def test_retrains_that_do_not_help_stop_until_a_person_runs_one(
    monitored: MonitoredProblem,
) -> None:
    """Each challenger is refused; without an accepted world nothing else would hold it back."""
    monitored.cooldown = "1s"
    policy = Policy(same_regime=0.0, longest_cooldown=timedelta(seconds=1))
    monitored.serve(MAY, 8)
    monitored.serve(may(9), 12, "concept")
    for day in range(9, 20):
        result = monitored.monitor(end(day), policy=policy)
        if result.key is not None:
            monitored.enter("refused", result.key, end(day), digest="f" * 64)

    days = asking(monitored, 9, 19)
    halted = monitored.decision(may(19))
    assert len(days) == 3
    assert [monitored.decision(may(day)).replay for day in days] == [True, False, True]
    assert (halted.verdict, halted.suppressed_by, halted.useless) == ("warn", "breaker", 3)
    assert halted.finding == "breaker:performance"
    assert len(monitored.reasons("halted")) == 1

    monitored.enter("refused", "manual__1", end(19), digest="f" * 64, by="ada")
    assert monitored.monitor(end(20), policy=policy).outcome == "retrain"


def test_the_day_of_a_promotion_is_judged_as_the_model_before(
    monitored: MonitoredProblem,
) -> None:
    new = monitored.deploy(monitored.profile, heavy=-0.2)
    monitored.serve(MAY, 9)
    monitored.serve(may(9), 1, "concept", rows=20, digest=new, heavy=-0.2)
    monitored.enter("deployed", "performance__x", end(8) + timedelta(hours=22), digest=new)
    monitored.serve(may(10), 5, "concept", digest=new, heavy=-0.2)

    monitored.monitor(end(14))

    promotion, after = monitored.decision(may(9)), monitored.decision(may(14))
    assert (promotion.digest, promotion.window.rows_of_day) == (monitored.digest, 150)
    assert promotion.verdict == "ok"
    assert monitored.decision(may(10)).digest == after.digest == new
    assert after.performance is not None
    assert after.performance.first == may(10)


def test_after_a_promotion_it_is_said_whether_it_helped(monitored: MonitoredProblem) -> None:
    new = monitored.deploy(monitored.profile, heavy=-0.2)
    monitored.serve(MAY, 8)
    monitored.enter("deployed", "performance__x", end(8), digest=new)
    monitored.serve(may(9), 12, "concept", digest=new, heavy=-0.2)

    result = monitored.monitor(end(20))

    effect = monitored.decision(may(20)).effect
    assert effect is not None
    assert (effect.digest, effect.previous) == (new, monitored.digest)
    assert effect.helped
    assert effect.is_final
    assert effect.after < effect.before
    assert (effect.earned, effect.unit) == (None, None)  # no value is declared
    assert (effect.first, effect.last) == (may(9), may(15))
    assert monitored.reasons("effect") == [effect.sentence]
    assert effect.sentence.startswith("The promotion of 2013-05-09 helped: on 1013 rows")
    assert "Did the promotion help?" in monitored.store.read(result.page).decode()


def test_what_a_promotion_earned_is_measured_in_the_declared_value(
    monitored: MonitoredProblem,
) -> None:
    monitored.value = {"true_positive": 12.0, "false_positive": -3.0, "unit": "$"}
    new = monitored.deploy(monitored.profile, heavy=-0.2)
    monitored.serve(MAY, 8)
    monitored.enter("deployed", "performance__x", end(8), digest=new)
    monitored.serve(may(9), 12, "concept", digest=new, heavy=-0.2)

    result = monitored.monitor(end(20))

    effect = monitored.decision(may(20)).effect
    assert effect is not None
    assert effect.earned is not None
    assert effect.earned_low is not None
    assert effect.earned_high is not None
    assert effect.unit == "$"
    assert 0 < effect.earned_low < effect.earned < effect.earned_high < 12
    assert f"in value that is +${effect.earned:.3g}" in effect.sentence
    assert "in all" in monitored.store.read(result.page).decode()


def test_another_threshold_helps_by_what_it_earns(monitored: MonitoredProblem) -> None:
    """The probabilities stay, and so does every loss."""
    monitored.value = {"true_positive": 10, "false_positive": -1}
    new = monitored.deploy(monitored.profile, threshold=0.1)
    monitored.serve(MAY, 1, heavy=1.2)
    monitored.enter("deployed", "performance__x", end(1), digest=new)
    monitored.serve(may(2), 10, digest=new, heavy=1.2)

    monitored.monitor(end(11))

    effect = monitored.decision(may(11)).effect
    assert effect is not None
    assert effect.before == effect.after
    assert effect.helped
    assert effect.earned is not None
    assert effect.earned > 0


def test_a_promotion_that_changed_nothing_did_not_help(monitored: MonitoredProblem) -> None:
    new = monitored.deploy(monitored.profile, heavy=1.19)
    monitored.serve(MAY, 8)
    monitored.enter("deployed", "performance__x", end(8), digest=new)
    monitored.serve(may(9), 10, digest=new, heavy=1.19)

    monitored.monitor(end(18))

    effect = monitored.decision(may(18)).effect
    assert effect is not None
    assert not effect.helped
    assert "did not help for sure" in effect.sentence


def test_without_the_model_before_the_effect_is_not_known_and_the_page_says_so(
    monitored: MonitoredProblem,
) -> None:
    new = monitored.deploy(monitored.profile, heavy=-0.2)
    monitored.enter("deployed", "performance__x", end(0), digest=new)
    for key in list(monitored.store.keys(f"{monitored.name}/models/sha256/{monitored.digest}/")):
        monitored.store.delete(key)
    monitored.serve(MAY, 6, "concept", digest=new, heavy=-0.2)

    monitored.monitor(end(6))

    newest = monitored.decision(may(6))
    assert newest.effect is None
    assert any("no longer kept" in note for note in newest.notes)
