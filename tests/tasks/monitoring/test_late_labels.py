"""Labels as late as they come, or as wrong, on a real store: what is measured, and what is said."""

from datetime import date, datetime, timedelta

import pyarrow as pa
import pytest
from fixtures_monitoring import SINCE, MonitoredProblem

from contract.labels import LabelHealth

pytestmark = pytest.mark.slow  # each one runs the stage over weeks of days

MAY = date(2013, 5, 1)


def end(day: int) -> datetime:
    """Return the end of a day of May, counted on into later months."""
    return SINCE + timedelta(days=day)


def may(day: int) -> date:
    return MAY + timedelta(days=day - 1)


def health(monitored: MonitoredProblem, day: int) -> LabelHealth:
    found = monitored.decision(may(day)).labels
    assert found is not None
    return found


def test_labels_that_come_after_ninety_days_are_measured_from_the_first_mature_day(
    monitored: MonitoredProblem,
) -> None:
    late = timedelta(days=90)
    monitored.serve(MAY, 10, rows=120, label_delay=late)
    monitored.serve(may(11), 98, "concept", rows=120, label_delay=late)
    outcome = monitored.monitor(end(108))

    assert monitored.decision(may(94)).performance is None
    assert "no loss is measured" in " ".join(health(monitored, 85).sentences)
    first = monitored.decision(may(95)).performance
    assert first is not None
    assert first.z < first.z_limit
    assert (first.first, first.last) == (MAY, may(5))
    asked = next(n for n in range(95, 109) if monitored.decision(may(n)).retrain)
    changed = monitored.decision(may(asked))
    assert asked <= 100 + 7  # the first changed day is complete on day 100
    assert changed.performance is not None
    assert changed.performance.last == may(asked - 90)
    assert health(monitored, asked).mature_days == 90
    assert health(monitored, asked).curve[90] == 1.0
    assert (outcome.outcome, outcome.reason) == ("retrain", "performance")


def test_a_day_counts_when_its_labels_are_complete(monitored: MonitoredProblem) -> None:
    monitored.serve(MAY, 12, label_delay=timedelta(days=3))
    monitored.monitor(end(12))

    decision = monitored.decision(may(12))
    assert decision.performance is not None
    assert decision.performance.last == may(9)
    assert health(monitored, 12).newest_mature == may(9)
    assert health(monitored, 12).coverage == 1.0


def test_labels_that_stop_are_a_warning_and_not_ok(monitored: MonitoredProblem) -> None:
    monitored.serve(MAY, 12)
    monitored.serve(may(13), 6, "concept", label_delay=None)
    monitored.monitor(end(18))

    assert monitored.decision(may(12)).verdict == "ok"
    stopped = monitored.decision(may(17))
    assert health(monitored, 17).stopped
    assert health(monitored, 17).arrived == 0
    assert (stopped.verdict, stopped.finding) == ("warn", "labels_stopped")
    assert "ask where labels come from" in stopped.sentence


def test_labels_for_other_rows_only_are_a_warning(monitored: MonitoredProblem) -> None:
    monitored.serve(MAY, 10)
    monitored.truths = [
        truth.set_column(
            0, "flight", pa.array([f"other-{name}" for name in truth.column("flight").to_pylist()])
        )
        for truth in monitored.truths
    ]
    monitored.monitor(end(10))

    decision = monitored.decision(may(10))
    assert health(monitored, 10).unmatched > 1_000
    assert decision.verdict == "warn"
    assert "target.labels.on" in decision.sentence


def test_contradicting_labels_measure_no_loss(monitored: MonitoredProblem) -> None:
    monitored.serve(MAY, 10)
    for truth in list(monitored.truths):
        wrong = [not late for late in truth.column("late").to_pylist()]
        doubled = truth.set_column(1, "late", pa.array(wrong))
        monitored.truths.append(doubled.slice(0, truth.num_rows // 3))
    monitored.monitor(end(10))

    decision = monitored.decision(may(10))
    assert health(monitored, 10).contradicting == 50 * 9
    assert health(monitored, 10).suspect
    assert decision.performance is None
    assert (decision.verdict, decision.finding) == ("warn", "labels_suspect")
    assert "two different labels" in decision.sentence


def test_an_unknown_class_is_counted_and_said(monitored: MonitoredProblem) -> None:
    monitored.serve(MAY, 10)
    monitored.truths = [
        truth.set_column(
            1,
            "late",
            pa.array(
                [
                    "maybe" if n < 5 else str(late).lower()
                    for n, late in enumerate(truth.column("late").to_pylist())
                ]
            ),
        )
        for truth in monitored.truths
    ]
    monitored.monitor(end(10))

    found = health(monitored, 10)
    assert found.unknown_class == 9 * 5
    assert not found.suspect
    assert any("of a class that the model does not know" in said for said in found.sentences)
    assert monitored.decision(may(10)).verdict == "ok"


def test_one_file_without_the_key_leaves_the_labels_of_the_others(
    monitored: MonitoredProblem,
) -> None:
    monitored.serve(MAY, 10)
    (key,) = [
        key for key in monitored.store.keys(f"{monitored.name}/predictions/") if "05-04" in key
    ]
    table = monitored.parquet(key).drop_columns("key.flight")
    monitored.put_parquet(key.removeprefix(f"{monitored.name}/"), table)
    monitored.monitor(end(10))

    decision = monitored.decision(may(10))
    assert decision.performance is not None
    assert decision.performance.n_labelled == 6 * 150 + 113  # a day's morning is not yet known
    assert any(key in note and "key.flight" in note for note in decision.notes)
