"""The stage on a real store: every day gets one decision, as of its own end."""

from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from fixtures_monitoring import SINCE, MonitoredProblem

from contract.store.client import Store
from contract.store.ledger import Ledger
from methods.controller.policy import Policy

pytestmark = pytest.mark.slow  # each one runs the stage over weeks of days

MAY = date(2013, 5, 1)


def end(day: int) -> datetime:
    """Return the end of a day of May, counted on into June."""
    return SINCE + timedelta(days=day)


def may(day: int) -> date:
    return MAY + timedelta(days=day - 1)


def verdicts(monitored: MonitoredProblem, first: int, last: int) -> list[str]:
    return [monitored.decision(may(day)).verdict for day in range(first, last + 1)]


def test_a_quiet_month_is_ok_day_by_day(monitored: MonitoredProblem) -> None:
    monitored.serve(MAY, 14)

    result = monitored.monitor(end(14))

    assert (result.outcome, result.reason, result.key, result.days) == ("ok", None, None, 14)
    assert verdicts(monitored, 1, 14) == ["insufficient_data"] * 3 + ["ok"] * 11
    newest = monitored.decision(may(14))
    assert newest.window.days == tuple(may(day) for day in range(14, 7, -1))
    assert newest.performance is not None
    assert abs(newest.performance.change) < 0.1


def test_labels_count_from_the_day_on_which_they_were_known(monitored: MonitoredProblem) -> None:
    monitored.serve(MAY, 9)

    monitored.monitor(end(9))

    assert monitored.decision(may(4)).performance is None
    labelled = {
        day: performance.n_labelled
        for day in range(5, 10)
        if (performance := monitored.decision(may(day)).performance) is not None
    }
    # Of the last day's 150 rows 113 happened 30 hours before its end; at most 7 days are pooled.
    assert labelled == {5: 563, 6: 713, 7: 863, 8: 1_013, 9: 1_013}


def test_a_broken_feed_blocks_and_the_days_after_leave_it_out(monitored: MonitoredProblem) -> None:
    monitored.serve(MAY, 9)
    monitored.serve(may(10), 1, "null")
    monitored.serve(may(11), 2)

    blocked = monitored.monitor(end(10))
    after = monitored.monitor(end(12))

    assert blocked.outcome == "blocked_data_quality"
    assert "'heavy' is empty in every row" in blocked.sentence
    assert after.outcome == "ok"
    newest = monitored.decision(may(12))
    assert newest.window.excluded == (may(10),)
    assert not newest.drift_detected
    assert monitored.entries() == [("blocked", may(10)), ("cleared", may(11))]
    assert (blocked.blocked, blocked.cleared) == (blocked.sentence, None)
    assert (after.blocked, after.cleared) == (
        None,
        "Data in limits again: 'heavy'; 2013-05-10 was blocked.",
    )


@pytest.mark.parametrize("runs", [[12], [9, 10, 11, 12], [11, 9, 12, 12]], ids=str)
def test_a_fault_of_several_days_is_one_blocked_and_one_cleared_entry(
    monitored: MonitoredProblem, runs: list[int]
) -> None:
    """In one run, in several, and in runs that are repeated or come in another order."""
    monitored.serve(MAY, 7)
    monitored.serve(may(8), 3, "null")
    monitored.serve(may(11), 2)

    results = [monitored.monitor(end(day), f"run-{day}") for day in runs]

    expected = ["ok", *["blocked_data_quality"] * 3, "ok", "ok"]
    assert verdicts(monitored, 7, 12) == expected
    assert monitored.entries() == [("blocked", may(8)), ("cleared", may(11))]
    cleared = [result.cleared for result in results if result.cleared is not None]
    assert cleared[0].endswith("3 days were blocked, 2013-05-08 to 2013-05-10.")


def test_every_day_of_a_fault_has_its_outcome_and_the_first_one_its_event(
    monitored: MonitoredProblem,
) -> None:
    monitored.serve(MAY, 7)
    monitored.serve(may(8), 3, "null")
    monitored.monitor(end(7))

    results = [monitored.monitor(end(day)) for day in (8, 9, 10)]

    assert [result.outcome for result in results] == ["blocked_data_quality"] * 3
    assert [result.blocked is not None for result in results] == [True, False, False]


def test_an_entry_that_a_killed_run_did_not_write_is_written_by_the_next(
    monitored: MonitoredProblem,
) -> None:
    monitored.serve(MAY, 7)
    monitored.serve(may(8), 2, "null")
    monitored.monitor(end(8))
    newest = list(monitored.store.keys(f"{monitored.name}/ledger/"))[-1]
    monitored.store.delete(newest)

    monitored.monitor(end(9))

    assert monitored.entries() == [("blocked", may(8))]


def test_another_policy_decides_otherwise(monitored: MonitoredProblem) -> None:
    """What a rehearsal does: the same days by thresholds of its own."""
    monitored.serve(MAY, 8)
    monitored.serve(may(9), 8, "concept")

    monitored.monitor(end(16), policy=Policy(loss_worse=1.0, probe_gain=1.0))

    assert not any(monitored.decision(may(day)).retrain for day in range(1, 17))
    assert monitored.decision(may(16)).thresholds["loss_worse"] == 1.0


def test_a_world_that_changed_is_retrained_once_and_then_cools_down(
    monitored: MonitoredProblem,
) -> None:
    monitored.serve(MAY, 8)
    monitored.serve(may(9), 8, "concept")

    result = monitored.monitor(end(16))

    asking = [day for day in range(1, 17) if monitored.decision(may(day)).retrain]
    first = monitored.decision(may(asking[0]))
    assert asking[0] > 9
    assert first.reason == "performance"
    assert first.key == f"performance__{may(asking[0])}"
    assert all(later - earlier >= 3 for earlier, later in pairwise(asking))
    assert monitored.decision(may(asking[0] + 1)).suppressed_by == "cooldown"
    assert (result.outcome, result.key) == ("retrain", monitored.decision(may(asking[-1])).key)
    kinds = [entry.kind for entry in Ledger(monitored.store, monitored.name).entries()]
    assert kinds == ["deployed", *["retrain"] * len(asking)]


def test_a_world_whose_challenger_was_refused_is_muted(monitored: MonitoredProblem) -> None:
    monitored.cooldown = "7d"  # the second question comes when the new world fills the window
    monitored.serve(MAY, 8)
    monitored.serve(may(9), 17, "concept")
    result = monitored.monitor(end(18))
    assert result.key is not None

    monitored.enter("refused", f"performance__{result.key}", end(18), digest="f" * 64)
    again = monitored.monitor(end(25))

    decisions = [monitored.decision(may(day)) for day in range(19, 26)]
    assert decisions[-1].suppressed_by == "regime"
    assert not any(decision.retrain for decision in decisions)
    assert again.outcome == "warn"


def test_a_retrained_day_is_not_hidden_by_the_days_after_it_but_by_broken_data(
    monitored: MonitoredProblem,
) -> None:
    monitored.serve(MAY, 8)
    monitored.serve(may(9), 6, "concept")
    monitored.serve(may(15), 1, "null")

    result = monitored.monitor(end(15))

    assert any(monitored.decision(may(day)).retrain for day in range(9, 15))
    assert (result.outcome, result.key) == ("blocked_data_quality", None)


def test_a_run_that_is_repeated_decides_nothing_anew(monitored: MonitoredProblem) -> None:
    monitored.serve(MAY, 6)
    first = monitored.monitor(end(6), "once")
    before = monitored.decision(may(6))

    monitored.serve(may(6), 1, "null", rows=151)
    again = monitored.monitor(end(6), "twice")

    assert (again.outcome, again.sentence, again.days) == (first.outcome, first.sentence, 0)
    assert monitored.decision(may(6)) == before


def test_a_day_in_the_middle_is_decided_the_same_alone_and_in_a_catch_up(
    monitored: MonitoredProblem, store: Store, problem_name: str, tmp_path: Path
) -> None:
    other = MonitoredProblem(store, f"{problem_name[:20]}-b", tmp_path / "other")
    for each in (monitored, other):
        each.serve(MAY, 9)
    monitored.monitor(end(9))
    for day in range(1, 10):
        other.monitor(end(day))

    for day in range(1, 10):
        alone, together = other.decision(may(day)), monitored.decision(may(day))
        changed = {"problem": "", "run": "", "digest": None}
        assert alone.model_copy(update=changed) == together.model_copy(update=changed)


def test_rows_of_another_model_do_not_count(monitored: MonitoredProblem) -> None:
    monitored.serve(MAY, 6)
    monitored.serve(may(6), 1, "null", digest="e" * 64)

    result = monitored.monitor(end(6))

    assert result.outcome == "ok"
    assert monitored.decision(may(6)).window.rows_of_day == 150


def test_an_empty_log_is_reported_in_one_sentence(monitored: MonitoredProblem) -> None:
    result = monitored.monitor(end(2))

    assert result.outcome == "insufficient_data"
    assert result.sentence == "No prediction was served on 2013-05-02."


def test_no_whole_day_is_reported_in_one_sentence(monitored: MonitoredProblem) -> None:
    result = monitored.monitor(SINCE + timedelta(hours=5))

    assert result.outcome == "insufficient_data"
    assert result.sentence.startswith("No whole day has passed since the model began to serve")


def test_no_model_is_reported_in_one_sentence(monitored: MonitoredProblem) -> None:
    result = monitored.monitor(end(2), champion=False)

    assert (result.outcome, result.sentence) == ("insufficient_data", "No model serves yet.")


def test_feedback_is_joined_by_request_id(store: Store, problem_name: str, tmp_path: Path) -> None:
    monitored = MonitoredProblem(store, problem_name, tmp_path, labels="feedback")
    monitored.serve(MAY, 5)
    for number in range(20):
        name = f"{may(1)}-own-{number}"
        monitored.send_feedback(name, "true", SINCE + timedelta(days=4_001, hours=number))

    monitored.monitor(end(5))

    notes = monitored.decision(may(5)).notes
    assert any("Too few labels" in note for note in notes)


def test_a_quick_refit_is_tried_once_a_window(monitored: MonitoredProblem) -> None:
    monitored.keep_training_rows()
    monitored.serve(MAY, 12)

    monitored.monitor(end(12))

    probes = {day: monitored.decision(may(day)).probe for day in range(8, 13)}
    tried = {probe.day for probe in probes.values() if probe and probe.gain is not None}
    assert tried == {may(5), may(12)}
    assert monitored.decision(may(12)).verdict == "ok"


def test_without_labels_a_drift_warns_and_is_confirmed_a_window_later(
    monitored: MonitoredProblem,
) -> None:
    monitored.keep_training_rows()
    monitored.serve(MAY, 4, label_delay=None)
    monitored.serve(may(5), 14, "mean", label_delay=None)

    monitored.monitor(end(18))

    decisions = [monitored.decision(may(day)) for day in range(1, 19)]
    first = next(decision for decision in decisions if decision.alarm)
    asked = next(d for d in decisions if d.reason == "drift")
    assert first.verdict == "warn"
    assert (asked.day - first.day) == timedelta(days=7)
    assert asked.drifted_columns[0].name == "heavy"
    assert asked.multivariate is not None
    assert asked.multivariate.top in {"heavy", "second"}


def test_the_page_shows_verdict_reason_columns_and_next(monitored: MonitoredProblem) -> None:
    monitored.serve(MAY, 8)
    monitored.serve(may(9), 1, "null")

    result = monitored.monitor(end(9))

    html = monitored.store.read(result.page).decode()
    assert "blocked data quality" in html
    assert "&#39;heavy&#39; is empty in every row." in html
    assert "operations mends the data" in html
    assert "<script" not in html
    assert len(html) < 200_000
