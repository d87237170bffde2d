"""What needs a person: bad news that lasts, and every kind of silence."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from decision_factory import DIGEST, START, decision

from contract.alerts import OwnerFinding
from contract.decision import Decision, Window
from contract.drift import ColumnDrift
from contract.faults import Fault
from contract.labels import LabelHealth
from contract.performance import Performance
from contract.store.ledger import Kind, LedgerEntry
from methods.controller.alert_limits import AlertLimits
from methods.controller.alert_rules import AlertEvidence, due_day, find_alerts
from methods.controller.days import Calendar

LIMITS = AlertLimits()
FAULT = Fault(check="null", column="fare", found=1, limit=0, sentence="'fare' is empty.")
ROWS = Fault(check="rows", column=None, found=3, limit=0.3, sentence="Three times the rows.")
SEEN = Window(days=(), rows=900, rows_of_day=100)
LOSS = Performance(
    metric="log_loss",
    ref=0.5,
    cur=0.65,
    low=0.6,
    high=0.7,
    change=0.3,
    z=5,
    z_limit=2,
    n_labelled=900,
    coverage=1,
    first=date(2013, 5, 1),
    last=date(2013, 5, 7),
)


def evidence(*decisions: Decision, **fields: Any) -> AlertEvidence:
    plain: dict[str, Any] = {
        "problem": "flights",
        "now": decisions[-1].at if decisions else START,
        "decisions": decisions,
        "entries": (),
        "serves": True,
        "due": None,
        "source": "departures",
        "data_since": None,
        "data_age": timedelta(days=7),
    }
    return AlertEvidence.model_validate(plain | fields)


def ids(found: AlertEvidence) -> list[str]:
    return [finding.id for finding in find_alerts(found, LIMITS).raised]


def only(found: AlertEvidence) -> OwnerFinding:
    (finding,) = find_alerts(found, LIMITS).raised
    return finding


def worse(day: int, **fields: Any) -> Decision:
    return decision(
        day, "warn", reason="performance", suppressed_by="cooldown", window=SEEN, **fields
    )


def entry(kind: Kind, day: float, run: str = "nightly") -> LedgerEntry:
    at = START + timedelta(days=day)
    return LedgerEntry(
        id=f"{day}", kind=kind, at=at, written=at, run=run, digest=DIGEST, reason="Slow."
    )


def test_quiet_days_need_nobody() -> None:
    assert ids(evidence()) == []
    assert ids(evidence(*(decision(day, "ok") for day in range(9)))) == []
    assert ids(evidence(*(decision(day, "watch") for day in range(9)))) == []


def test_broken_data_are_told_on_the_first_day_with_column_and_command() -> None:
    finding = only(evidence(decision(0), decision(1, "blocked_data_quality", FAULT)))

    assert (finding.id, finding.column, finding.day) == (
        "blocked:fare",
        "fare",
        date(2013, 5, 2),
    )
    assert "'fare' is empty." in finding.sentence
    assert "perennial adopt flights fare" in finding.command


def test_a_fault_of_all_rows_has_no_column() -> None:
    finding = only(evidence(decision(1, "blocked_data_quality", ROWS)))

    assert (finding.id, finding.column) == ("blocked:rows", None)
    assert finding.command == "perennial why flights"


def test_further_faults_are_alerts_of_their_own() -> None:
    further = {"blocked:rows": ROWS.sentence}
    found = decision(
        1, "blocked_data_quality", FAULT, ROWS, finding="blocked:fare", further_findings=further
    )

    assert ids(evidence(found)) == ["blocked:fare", "blocked:rows"]


def test_an_outage_is_told_on_its_first_day() -> None:
    silent = decision(1, "insufficient_data", sentence="No prediction was served.")

    finding = only(evidence(decision(0), silent))

    assert finding.id == "no_rows"
    assert finding.command == "perennial status flights"


def test_too_few_rows_are_told_once_they_last() -> None:
    few = [decision(day, "insufficient_data", window=SEEN) for day in range(LIMITS.lasting_days)]

    assert ids(evidence(*few[:-1])) == []
    assert ids(evidence(*few)) == ["few_rows"]


def test_a_day_that_was_too_long_ago_says_nothing() -> None:
    assert ids(evidence(decision(0, "insufficient_data", is_brief=True))) == []


def test_a_worse_model_that_nothing_mends_is_told_after_a_week_with_its_cost() -> None:
    column = ColumnDrift.model_validate(
        dict.fromkeys(("psi", "psi_corrected", "limit", "p", "q", "js", "ks", "w1"), 0.2)
        | dict.fromkeys(("missing_delta", "unseen", "out_of_range", "importance", "impact"), 0.1)
        | {"name": "fare", "type": "number", "rank": 1, "cause": "distribution"}
        | {"drifted": True, "warned": False}
    )
    costs = {"performance": LOSS, "impact_value": 0.15, "drifted_columns": (column,)}
    days = [worse(day, **costs) for day in range(LIMITS.lasting_days)]

    assert ids(evidence(*days[:-1])) == []
    finding = only(evidence(*days))
    assert finding.id == "retrain"
    assert finding.sentence.startswith("For 7 days: ")
    assert finding.impact == "0.150 of log loss a row more than its baseline"
    assert finding.column == "fare"


def test_a_gain_is_no_cost() -> None:
    better = {"performance": LOSS, "impact_value": -0.1, "finding": "suggest:age"}

    assert only(evidence(worse(0, **better))).impact is None


def test_one_quiet_day_between_holds_an_alert_and_two_end_it() -> None:
    days = [worse(day) for day in range(7)]

    assert "retrain" in find_alerts(evidence(*days, decision(7)), LIMITS).held
    assert "retrain" not in find_alerts(evidence(*days, decision(7), decision(8)), LIMITS).held


def test_a_day_without_rows_holds_whatever_was_open() -> None:
    found = evidence(decision(0, "blocked_data_quality", FAULT), decision(1, "insufficient_data"))

    assert "blocked:fare" in find_alerts(found, LIMITS).held
    assert find_alerts(evidence(decision(1, "insufficient_data")), LIMITS).held >= {"no_rows"}


def test_a_drift_without_labels_is_told_once_it_lasts() -> None:
    days = [decision(day, "warn", window=SEEN) for day in range(LIMITS.lasting_days)]

    assert ids(evidence(*days)) == ["drift"]


@pytest.mark.parametrize(
    ("finding", "command"),
    [
        ("suggest:performance", "perennial run flights --reason performance"),
        ("breaker:benefit", "perennial run flights --reason benefit"),
        ("approve:drift", "perennial why flights"),
    ],
)
def test_what_waits_for_a_person_is_told_at_once(finding: str, command: str) -> None:
    told = only(evidence(decision(0, "retrain", finding=finding, next="It waits.")))

    assert (told.id, told.command) == (finding.partition(":")[0], command)
    assert told.sentence.endswith("It waits.")


def test_a_suggestion_of_an_earlier_version_is_told() -> None:
    assert ids(evidence(decision(0, "warn", reason="age", suppressed_by="mode"))) == ["suggest"]
    assert ids(evidence(decision(0, "watch", reason="age", suppressed_by="mode"))) == []


def test_labels_that_stop_are_told() -> None:
    stopped = LabelHealth(stopped=True, expected=700, arrived=3)

    finding = only(evidence(decision(0, labels=stopped)))

    assert finding.id == "labels_stopped"
    assert "3 labels came, 700 were expected." in finding.sentence


def test_labels_that_cannot_be_relied_on_are_told_in_their_own_words() -> None:
    suspect = LabelHealth(suspect=True, contradicting=40, sentences=("40 labels contradict.",))

    finding = only(evidence(decision(0, labels=suspect)))

    assert finding.id == "labels_suspect"
    assert finding.sentence.startswith("40 labels contradict. ")


def test_labels_are_told_once_where_the_day_names_them_itself() -> None:
    further = {"labels:stopped": "No labels since Monday."}
    found = decision(0, labels=LabelHealth(stopped=True), further_findings=further)

    assert ids(evidence(found)) == ["labels:stopped"]


def test_good_labels_are_nothing_and_unknown_ones_keep_an_alert_open() -> None:
    assert ids(evidence(decision(0, labels=LabelHealth()))) == []
    assert (
        "labels_stopped"
        not in find_alerts(evidence(decision(0, labels=LabelHealth())), LIMITS).held
    )
    assert "labels_stopped" in find_alerts(evidence(decision(0)), LIMITS).held


def test_challengers_that_are_asked_for_in_vain_are_counted() -> None:
    asked = [decision(day, "retrain", key=f"drift__{day}", reason="drift") for day in range(3)]
    refused = [entry("refused", day, run=f"manual__drift__{day}") for day in range(3)]

    assert "challengers" not in ids(evidence(*asked, entries=refused[:2]))
    found = find_alerts(evidence(*asked, entries=refused), LIMITS).raised
    (finding,) = [each for each in found if each.id == "challengers"]
    assert finding.sentence.startswith("3 challengers in a row")


def test_nightly_runs_without_a_gain_are_no_alert_and_a_promotion_begins_anew() -> None:
    nightly = [entry("refused", day) for day in range(9)]
    before = [entry("returned", day) for day in range(3)]

    assert ids(evidence(decision(0), entries=nightly)) == []
    assert ids(evidence(decision(0), entries=before)) == ["challengers"]
    assert ids(evidence(decision(0), entries=[*before, entry("deployed", 4)])) == []


@pytest.mark.parametrize(
    ("kind", "word"), [("returned", "was taken back"), ("refused", "was refused")]
)
def test_a_problem_without_a_model_is_told(kind: Kind, word: str) -> None:
    finding = only(evidence(entries=(entry(kind, 0), entry("retrain", 1)), serves=False))

    assert finding.id == "no_model"
    assert f"aaaaaaaaaaaa {word}: Slow." in finding.sentence


def test_before_anything_was_tried_nobody_is_told() -> None:
    assert ids(evidence(serves=False)) == []
    assert ids(evidence(serves=False, entries=(entry("rollback", 0),))) == []


def test_a_missing_verdict_is_told() -> None:
    due = date(2013, 5, 2)

    assert ids(evidence(decision(1), due=due)) == []
    assert only(evidence(decision(0), due=due)).sentence == (
        "The verdict of 2013-05-02 is missing, the newest verdict is of 2013-05-01: monitoring did "
        "not run, or failed."
    )
    assert "no day has one yet" in only(evidence(due=due)).sentence
    assert ids(evidence(due=due, serves=False)) == []


def test_data_that_came_long_ago_are_told() -> None:
    week = START + timedelta(days=7)

    assert ids(evidence(now=week - timedelta(hours=1), data_since=START)) == []
    finding = only(evidence(now=week, data_since=START))
    assert finding.id == "old_data"
    assert "'departures' has had no new rows since 2013-05-01" in finding.sentence


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2013-05-03T08:59", date(2013, 5, 1)),
        ("2013-05-03T09:00", date(2013, 5, 2)),
        ("2013-05-02T08:00", None),
    ],
)
def test_a_verdict_is_due_some_hours_after_monitoring(now: str, due: date | None) -> None:
    calendar, after = Calendar("UTC"), timedelta(hours=3)
    moment = datetime.fromisoformat(f"{now}+00:00")

    assert due_day(calendar, moment, time(6), after, START) == due
    assert due_day(calendar, moment, time(6), after, None) is None
