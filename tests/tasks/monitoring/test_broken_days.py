"""Days without rows, files that come late, and what a person accepts: the stage on a real store."""

from datetime import date, datetime, timedelta

import pytest
from fixtures_monitoring import SINCE, MonitoredProblem

from perennial.adoption import AdoptionRequest, adopt, take_back

pytestmark = pytest.mark.slow  # each one runs the stage over weeks of days

MAY = date(2013, 5, 1)


def end(day: int) -> datetime:
    return SINCE + timedelta(days=day)


def may(day: int) -> date:
    return MAY + timedelta(days=day - 1)


def verdicts(monitored: MonitoredProblem, first: int, last: int) -> list[str]:
    return [monitored.decision(may(day)).verdict for day in range(first, last + 1)]


def request(monitored: MonitoredProblem, column: str | None) -> AdoptionRequest:
    return AdoptionRequest(problem=monitored.name, column=column, reason="so it is", by="anna")


def test_days_without_a_row_are_as_loud_as_broken_ones(monitored: MonitoredProblem) -> None:
    monitored.serve(MAY, 6)
    monitored.serve(may(9), 1)

    result = monitored.monitor(end(8))
    monitored.monitor(end(9))

    assert verdicts(monitored, 6, 9) == ["ok", *["blocked_data_quality"] * 2, "ok"]
    assert result.sentence.startswith("No row was answered on 2013-05-08; 45 to 450 are usual")
    assert monitored.entries() == [("blocked", may(7)), ("cleared", may(9))]


def test_a_broken_day_is_blocked_before_there_are_rows_for_a_verdict(
    monitored: MonitoredProblem,
) -> None:
    monitored.serve(MAY, 1, "null")

    assert monitored.monitor(end(1)).outcome == "blocked_data_quality"


def test_a_file_that_comes_late_is_checked_like_any_other(monitored: MonitoredProblem) -> None:
    monitored.serve(MAY, 8)
    monitored.monitor(end(8))
    monitored.serve(may(7), 1, "null", rows=140, file="late")
    monitored.serve(may(9), 2)

    monitored.monitor(end(10))

    assert verdicts(monitored, 7, 10) == ["ok"] * 4
    for day in (9, 10):
        newest = monitored.decision(may(day))
        assert newest.window.excluded == (may(7),)
        assert not newest.drift_detected
        assert any(note.startswith(f"{may(7)} had 150 rows when") for note in newest.notes)


def test_a_file_that_comes_late_and_is_whole_counts(monitored: MonitoredProblem) -> None:
    monitored.serve(MAY, 8)
    monitored.monitor(end(8))
    monitored.serve(may(7), 1, rows=30, file="late")
    monitored.serve(may(9), 1)

    monitored.monitor(end(9))

    newest = monitored.decision(may(9))
    assert newest.window.excluded == ()
    assert newest.window.rows == 7 * 150 + 30


def test_what_a_person_accepts_no_longer_blocks_and_its_days_count(
    monitored: MonitoredProblem,
) -> None:
    monitored.serve(MAY, 6)
    monitored.serve(may(7), 4, "null")
    monitored.monitor(end(8))

    entry = adopt(monitored.store, request(monitored, "heavy"))
    monitored.monitor(end(9))

    assert (entry.kind, entry.by, entry.subjects, entry.day) == (
        "adopted", "anna", ("column heavy",), may(8),
    )  # fmt: skip
    newest = monitored.decision(may(9))
    assert newest.verdict != "blocked_data_quality"
    assert newest.window.excluded == ()
    assert "heavy" in [column.name for column in newest.drifted_columns]

    take_back(monitored.store, request(monitored, "heavy"))
    assert monitored.monitor(end(10)).outcome == "blocked_data_quality"


def test_a_further_fault_of_an_accepted_column_blocks_again(monitored: MonitoredProblem) -> None:
    monitored.serve(MAY, 6)
    monitored.serve(may(7), 2, "filled")
    monitored.monitor(end(7))
    adopt(monitored.store, request(monitored, None))
    monitored.serve(may(9), 1, "null")

    monitored.monitor(end(9))

    assert verdicts(monitored, 7, 9) == ["blocked_data_quality", "ok", "blocked_data_quality"]


def test_an_accepted_volume_is_the_usual_one(monitored: MonitoredProblem) -> None:
    monitored.serve(MAY, 6, rows=600)
    monitored.serve(may(7), 2, rows=100)
    monitored.monitor(end(7))
    assert monitored.decision(may(7)).dq[0].check == "rows"

    adopt(monitored.store, request(monitored, None))
    monitored.monitor(end(8))

    assert verdicts(monitored, 7, 8) == ["blocked_data_quality", "ok"]


def test_the_page_of_a_blocked_day_names_the_command(monitored: MonitoredProblem) -> None:
    monitored.serve(MAY, 1, "null")

    result = monitored.monitor(end(1))

    page = monitored.store.read(result.page).decode()
    assert f"perennial adopt {monitored.name} heavy --reason TEXT" in page
