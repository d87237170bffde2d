"""The stage on a real store: every day gets one decision, as of its own end."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from fixtures_monitoring import SINCE, Place

from contract.store.client import Store
from contract.store.ledger import Ledger

pytestmark = pytest.mark.slow  # each one runs the stage over weeks of days

MAY = date(2013, 5, 1)


@pytest.fixture
def place(store: Store, problem_name: str, tmp_path: Path) -> Place:
    return Place(store, problem_name, tmp_path)


def end(day: int) -> datetime:
    """Return the end of a day of May, counted on into June."""
    return SINCE + timedelta(days=day)


def may(day: int) -> date:
    return MAY + timedelta(days=day - 1)


def verdicts(place: Place, first: int, last: int) -> list[str]:
    return [place.decision(may(day)).verdict for day in range(first, last + 1)]


def test_a_quiet_month_is_ok_day_by_day(place: Place) -> None:
    place.serve(MAY, 14)

    made = place.monitor(end(14))

    assert (made.outcome, made.reason, made.key, made.days) == ("ok", None, None, 14)
    assert verdicts(place, 1, 14) == ["insufficient_data"] * 3 + ["ok"] * 11
    newest = place.decision(may(14))
    assert newest.window.days == tuple(may(day) for day in range(14, 7, -1))
    assert newest.performance is not None
    assert abs(newest.performance.change) < 0.1


def test_labels_count_from_the_day_on_which_they_were_known(place: Place) -> None:
    place.serve(MAY, 9)

    place.monitor(end(9))

    assert place.decision(may(4)).performance is None
    labelled = {
        day: found.n_labelled
        for day in range(5, 10)
        if (found := place.decision(may(day)).performance) is not None
    }
    # Of the last day's 150 rows 113 happened 30 hours before its end; at most 7 days are pooled.
    assert labelled == {5: 563, 6: 713, 7: 863, 8: 1_013, 9: 1_013}


def test_a_broken_feed_blocks_and_the_days_after_leave_it_out(place: Place) -> None:
    place.serve(MAY, 9)
    place.serve(may(10), 1, "null")
    place.serve(may(11), 2)

    blocked = place.monitor(end(10))
    after = place.monitor(end(12))

    assert blocked.outcome == "blocked_data_quality"
    assert "'heavy' is empty in every row" in blocked.sentence
    assert after.outcome == "ok"
    newest = place.decision(may(12))
    assert newest.window.excluded == (may(10),)
    assert not newest.drift_detected
    assert [e.kind for e in Ledger(place.store, place.name).entries()] == ["deployed", "blocked"]


def test_a_world_that_changed_is_retrained_once_and_then_cools_down(place: Place) -> None:
    place.serve(MAY, 8)
    place.serve(may(9), 8, "concept")

    made = place.monitor(end(16))

    found = [day for day in range(1, 17) if place.decision(may(day)).retrain]
    first = place.decision(may(found[0]))
    assert found[0] > 9
    assert first.reason == "performance"
    assert first.key == f"performance__{may(found[0])}"
    assert all(later - earlier >= 3 for earlier, later in pairwise(found))
    assert place.decision(may(found[0] + 1)).suppressed_by == "cooldown"
    assert (made.outcome, made.key) == ("retrain", place.decision(may(found[-1])).key)
    kinds = [entry.kind for entry in Ledger(place.store, place.name).entries()]
    assert kinds == ["deployed", *["retrain"] * len(found)]


def test_a_world_whose_challenger_was_refused_is_muted(place: Place) -> None:
    place.cooldown = "7d"  # the second question comes when the new world fills the window
    place.serve(MAY, 8)
    place.serve(may(9), 17, "concept")
    made = place.monitor(end(18))
    assert made.key is not None

    place.enter("refused", f"performance__{made.key}", end(18), digest="f" * 64)
    again = place.monitor(end(25))

    held = [place.decision(may(day)) for day in range(19, 26)]
    assert held[-1].suppressed_by == "regime"
    assert not any(decision.retrain for decision in held)
    assert again.outcome == "warn"


def test_a_retrained_day_is_not_hidden_by_the_days_after_it_but_by_broken_data(
    place: Place,
) -> None:
    place.serve(MAY, 8)
    place.serve(may(9), 6, "concept")
    place.serve(may(15), 1, "null")

    made = place.monitor(end(15))

    assert any(place.decision(may(day)).retrain for day in range(9, 15))
    assert (made.outcome, made.key) == ("blocked_data_quality", None)


def test_a_run_that_is_repeated_decides_nothing_anew(place: Place) -> None:
    place.serve(MAY, 6)
    first = place.monitor(end(6), "once")
    before = place.decision(may(6))

    place.serve(may(6), 1, "null", rows=151)
    again = place.monitor(end(6), "twice")

    assert (again.outcome, again.sentence, again.days) == (first.outcome, first.sentence, 0)
    assert place.decision(may(6)) == before


def test_a_day_in_the_middle_is_decided_the_same_alone_and_in_a_catch_up(
    place: Place, store: Store, problem_name: str, tmp_path: Path
) -> None:
    other = Place(store, f"{problem_name[:20]}-b", tmp_path / "other")
    for each in (place, other):
        each.serve(MAY, 9)
    place.monitor(end(9))
    for day in range(1, 10):
        other.monitor(end(day))

    for day in range(1, 10):
        alone, together = other.decision(may(day)), place.decision(may(day))
        changed = {"problem": "", "run": "", "digest": None}
        assert alone.model_copy(update=changed) == together.model_copy(update=changed)


def test_rows_of_another_model_do_not_count(place: Place) -> None:
    place.serve(MAY, 6)
    place.serve(may(6), 1, "null", digest="e" * 64)

    made = place.monitor(end(6))

    assert made.outcome == "ok"
    assert place.decision(may(6)).window.rows_of_day == 150


def test_an_empty_log_is_said_in_one_sentence(place: Place) -> None:
    made = place.monitor(end(2))

    assert made.outcome == "insufficient_data"
    assert made.sentence == "No prediction was served on 2013-05-02."


def test_no_whole_day_is_said_in_one_sentence(place: Place) -> None:
    made = place.monitor(SINCE + timedelta(hours=5))

    assert made.outcome == "insufficient_data"
    assert made.sentence.startswith("No whole day has passed since the model began to serve")


def test_no_model_is_said_in_one_sentence(place: Place) -> None:
    made = place.monitor(end(2), champion=False)

    assert (made.outcome, made.sentence) == ("insufficient_data", "No model serves yet.")


def test_feedback_is_joined_by_request_id(store: Store, problem_name: str, tmp_path: Path) -> None:
    place = Place(store, problem_name, tmp_path, labels="feedback")
    place.serve(MAY, 5)
    for number in range(20):
        name = f"{may(1)}-own-{number}"
        place.tell(name, "true", SINCE + timedelta(days=4_001, hours=number))

    place.monitor(end(5))

    notes = place.decision(may(5)).notes
    assert any("Too few labels" in note for note in notes)


def test_a_quick_refit_is_tried_once_a_window(place: Place) -> None:
    place.keep_training_rows()
    place.serve(MAY, 12)

    place.monitor(end(12))

    probes = {day: place.decision(may(day)).probe for day in range(8, 13)}
    tried = {found.day for found in probes.values() if found is not None and found.gain is not None}
    assert tried == {may(5), may(12)}
    assert place.decision(may(12)).verdict == "ok"


def test_without_labels_a_drift_warns_and_is_confirmed_a_window_later(place: Place) -> None:
    place.keep_training_rows()
    place.serve(MAY, 4, label_delay=None)
    place.serve(may(5), 14, "mean", label_delay=None)

    place.monitor(end(18))

    found = [place.decision(may(day)) for day in range(1, 19)]
    first = next(decision for decision in found if decision.alarm)
    asked = next(d for d in found if d.reason == "drift")
    assert first.verdict == "warn"
    assert (asked.day - first.day) == timedelta(days=7)
    assert asked.drifted_columns[0].name == "heavy"
    assert asked.multivariate is not None
    assert asked.multivariate.top in {"heavy", "second"}


def test_the_page_tells_verdict_reason_columns_and_next(place: Place) -> None:
    place.serve(MAY, 8)
    place.serve(may(9), 1, "null")

    made = place.monitor(end(9))

    html = place.store.read(made.page).decode()
    assert "blocked data quality" in html
    assert "&#39;heavy&#39; is empty in every row." in html
    assert "operations mends the data" in html
    assert "<script" not in html
    assert len(html) < 200_000


def test_days_before_the_problems_midnight_belong_to_its_own_zone() -> None:
    from methods.controller.days import Days

    calendar = Days("America/New_York")

    assert calendar.begin(date(2013, 3, 10)) == datetime(2013, 3, 10, 5, tzinfo=UTC)
    assert calendar.end(date(2013, 3, 10)) == datetime(2013, 3, 11, 4, tzinfo=UTC)
    assert calendar.of(datetime(2013, 3, 10, 4, 59, tzinfo=UTC)) == date(2013, 3, 9)
