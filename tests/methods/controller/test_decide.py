"""The order of the verdict, and the policy that holds a retraining back: every branch."""

from datetime import UTC, date, datetime, timedelta

import pytest

from contract.decision import Decision, Window
from contract.drift import ColumnDrift, Multivariate
from contract.faults import Fault
from contract.labels import LabelHealth
from contract.performance import DayLoss, Performance, Probe
from methods.controller.decide import decide, undecided
from methods.controller.evidence import Evidence, Regime, RetrainingState
from methods.controller.policy import Policy

DAY = date(2013, 6, 3)
END = datetime(2013, 6, 4, tzinfo=UTC)
STATE = RetrainingState(
    mode="auto",
    cooldown_until=None,
    retrains=0,
    max_retrains=4,
    new_labels=2_000,
    min_new_labels=1_000,
    age=timedelta(days=10),
    max_age=timedelta(days=56),
    blocked_before=False,
)


def column(name: str = "distance", *, importance: float = 0.1) -> ColumnDrift:
    return ColumnDrift(
        name=name,
        type="number",
        psi=0.3,
        psi_corrected=0.3,
        limit=0.1,
        p=0.0,
        q=0.0,
        js=0.2,
        ks=0.2,
        w1=0.5,
        missing_delta=0.0,
        unseen=0.0,
        out_of_range=0.0,
        importance=importance,
        impact=importance,
        rank=1,
        cause="distribution",
        drifted=True,
        warned=False,
    )


def loss(change: float, z: float = 5.0, z_limit: float = 2.0, error: float = 0.01) -> Performance:
    return Performance(
        metric="log_loss",
        ref=0.5,
        cur=0.5 * (1 + change),
        low=0.5 * (1 + change) - error,
        high=0.5 * (1 + change) + error,
        change=change,
        z=z,
        z_limit=z_limit,
        n_labelled=1_200,
        coverage=0.9,
        first=DAY,
        last=DAY,
    )


def probe(gain: float | None, z: float | None = 3.0) -> Probe:
    return Probe(day=DAY, gain=gain, z=z, rows=800, skipped=None)


def fault(check: str = "null") -> Fault:
    return Fault(check=check, column="distance", found=1, limit=0, sentence="'distance' is empty.")


def decided(state: dict[str, object] | None = None, **evidence: object) -> Decision:
    defaults = {
        "problem": "flights",
        "owner": "operations",
        "day": DAY,
        "at": END,
        "run": "scheduled__2013-06-04",
        "digest": "a" * 64,
        "window": Window(days=(DAY,), rows=900, rows_of_day=130),
        "shortage": None,
        "retraining": STATE.model_copy(update=state or {}),
    }
    return decide(Evidence.model_validate(defaults | evidence), Policy())


def verdict(decision: Decision) -> tuple[str, str | None]:
    return decision.verdict, decision.reason


def test_too_little_data_comes_before_everything() -> None:
    decision = decided(shortage="40 rows were served.", dq=(fault(),), performance=loss(0.5))

    assert verdict(decision) == ("insufficient_data", None)
    assert decision.sentence == "40 rows were served."
    assert not decision.alarm


def test_broken_data_comes_before_a_worse_model() -> None:
    decision = decided(dq=(fault(),), performance=loss(0.5), columns=(column(importance=0.9),))

    assert verdict(decision) == ("blocked_data_quality", None)
    assert decision.sentence == "'distance' is empty."
    assert "operations" in decision.next
    assert not decision.retrain


def test_further_faults_are_counted() -> None:
    assert decided(dq=(fault(), fault())).sentence.endswith("1 more checks did not pass.")


def test_a_worse_model_is_retrained() -> None:
    decision = decided(performance=loss(0.08))

    assert verdict(decision) == ("retrain", "performance")
    assert (decision.retrain, decision.key) == (True, "performance__2013-06-03")
    assert "8% above its baseline" in decision.sentence


@pytest.mark.parametrize(
    "performance", [loss(0.049), loss(0.08, z=1.9), loss(0.08, z=2.9, z_limit=3.0)]
)
def test_a_loss_that_is_small_or_uncertain_retrains_nothing(performance: Performance) -> None:
    assert verdict(decided(performance=performance)) == ("ok", None)


def test_a_refit_that_helps_is_a_reason() -> None:
    decision = decided(performance=loss(0.0), probe=probe(0.03))

    assert verdict(decision) == ("retrain", "benefit")
    assert "3% less loss on 800 rows" in decision.sentence


@pytest.mark.parametrize(
    "refit", [probe(0.019), probe(0.03, 1.9), probe(None, None), probe(0.1, None)]
)
def test_a_refit_that_hardly_helps_is_none(refit: Probe) -> None:
    assert verdict(decided(performance=loss(0.0), probe=refit)) == ("ok", None)


def test_labels_that_show_no_harm_make_a_drift_one_to_watch() -> None:
    decision = decided(performance=loss(0.01), columns=(column(),), impact=0.9)

    assert verdict(decision) == ("watch", None)
    assert "measured harmless" in decision.sentence
    assert decision.drift_detected


def test_a_small_drift_is_one_to_watch_where_the_loss_has_risen_a_little() -> None:
    decision = decided(performance=loss(0.03), columns=(column(),), impact=0.1)

    assert verdict(decision) == ("watch", None)


def test_a_large_drift_is_a_warning_where_the_loss_has_risen_a_little() -> None:
    decision = decided(performance=loss(0.03), columns=(column(),), impact=0.5)

    assert verdict(decision) == ("warn", None)
    assert decision.next == "Nothing starts yet; the next window decides."


def test_a_refit_that_helps_a_little_is_not_harmless() -> None:
    decision = decided(performance=loss(0.0), probe=probe(0.015), columns=(column(),), impact=0.5)

    assert verdict(decision) == ("warn", None)


SIGNALS = {
    "impact": {"columns": (column(importance=0.4),), "impact": 0.4},
    "score": {"is_score_drifted": True},
    "unseen": {"unseen": 0.06},
    "together": {"multivariate": Multivariate(auc=0.6, limit=0.55, top="distance")},
}


@pytest.mark.parametrize("signal", SIGNALS)
def test_without_labels_an_alarm_warns_first_and_retrains_when_confirmed(signal: str) -> None:
    first = decided(**SIGNALS[signal])
    again = decided(**SIGNALS[signal], alarms_before=(False, True))

    assert (verdict(first), first.alarm) == (("warn", None), True)
    assert verdict(again) == ("retrain", "drift")
    assert again.key == "drift__2013-06-03"


def test_an_alarm_of_the_past_alone_retrains_nothing() -> None:
    assert verdict(decided(alarms_before=(True, True))) == ("ok", None)


def test_a_classifier_below_its_limit_is_no_alarm() -> None:
    decision = decided(multivariate=Multivariate(auc=0.54, limit=0.55, top=None))

    assert not decision.alarm


def test_a_drift_without_importance_is_watched_without_labels() -> None:
    columns = tuple(column(name, importance=0.0) for name in "abcde")
    decision = decided(columns=columns, impact=0.0)

    assert verdict(decision) == ("watch", None)
    assert decision.sentence.startswith("'a', 'b', 'c' and 2 more drifted")


def test_a_drift_of_the_score_with_labels_is_named_when_no_column_drifted() -> None:
    decision = decided(is_score_drifted=True, performance=loss(-0.01))

    assert verdict(decision) == ("watch", None)
    assert decision.sentence.startswith("The model answers differently")


def test_a_drifted_column_without_importance_is_named_with_labels() -> None:
    decision = decided(columns=(column(importance=0.0),), performance=loss(0.0))

    assert decision.sentence.startswith("'distance' drifted, measured harmless")


@pytest.mark.parametrize(("days", "expected"), [(56, "ok"), (57, "retrain")])
def test_a_model_that_is_too_old_is_refreshed(days: int, expected: str) -> None:
    decision = decided({"age": timedelta(days=days)})

    assert decision.verdict == expected
    assert decision.reason == ("age" if expected == "retrain" else None)


def test_a_model_whose_loss_is_measured_is_refreshed_for_its_age_only_where_the_file_says_so() -> (
    None
):
    old = {"age": timedelta(days=99)}

    assert verdict(decided(old, performance=loss(0.0))) == ("ok", None)
    asked = decided({**old, "age_with_labels": True}, performance=loss(0.0))
    assert verdict(asked) == ("retrain", "age")


@pytest.mark.parametrize(("days", "expected"), [(28, "watch"), (29, "retrain")])
def test_a_drift_without_labels_halves_the_age(days: int, expected: str) -> None:
    """Before the quiet answer `watch`, which would otherwise hide the limit for ever."""
    decision = decided({"age": timedelta(days=days)}, columns=(column(),), impact=0.1)

    assert decision.verdict == expected


def test_nothing_is_ok() -> None:
    decision = decided()

    assert verdict(decision) == ("ok", None)
    assert (decision.key, decision.suppressed_by, decision.retrain) == (None, None, False)


HELD_BACK = {
    "superseded": {"is_superseded": True},
    "in_flight": {"in_flight": "drift__2013-06-01"},
    "breaker": {"useless": 3},
    "recent_block": {"blocked_before": True},
    "cooldown": {"cooldown_until": END + timedelta(hours=1)},
    "max_per_30d": {"retrains": 4},
    "min_new_labels": {"new_labels": 999},
}


@pytest.mark.parametrize("policy", HELD_BACK)
def test_policy_turns_a_retraining_into_a_warning_that_says_why(policy: str) -> None:
    decision = decided(HELD_BACK[policy], performance=loss(0.2))

    assert verdict(decision) == ("warn", "performance")
    assert decision.suppressed_by == policy
    assert (decision.retrain, decision.key) == (False, None)
    assert decision.next.startswith("Nothing starts")


@pytest.mark.parametrize(
    "policy",
    [{"cooldown_until": END}, {"retrains": 3}, {"new_labels": 1_000}, {"new_labels": None}],
)
def test_policy_lets_a_retraining_pass_at_its_limits(policy: dict[str, object]) -> None:
    assert decided(policy, performance=loss(0.2)).retrain


def test_monitoring_that_is_off_is_silent() -> None:
    decision = decided({"mode": "off"}, performance=loss(0.2))

    assert (decision.verdict, decision.suppressed_by) == ("watch", "mode")


def since(onset: date, days: int, rows: int = 200) -> dict[str, object]:
    """Return evidence of a change: so many labelled days since it, and one before."""
    first = onset - timedelta(days=1)
    each = tuple(
        DayLoss(day=first + timedelta(days=n), rows=rows, mean=0.6, deviation=0.3)
        for n in range(days + 1)
    )
    return {"onset": onset, "performance": loss(0.2).model_copy(update={"days": each})}


@pytest.mark.parametrize(("days", "rows"), [(2, 900), (3, 166)])
def test_a_change_is_answered_once_its_days_can_judge_a_new_model(days: int, rows: int) -> None:
    decision = decided(**since(date(2013, 5, 30), days, rows))

    assert (decision.verdict, decision.suppressed_by) == ("warn", "judged_days")
    assert decision.finding == "retrain:performance"
    assert f"{days} labelled days with {days * rows} rows" in decision.next
    assert decided(**since(date(2013, 5, 30), 3, 167)).retrain


def test_a_suggestion_is_told_and_starts_nothing() -> None:
    onset = date(2013, 5, 28)
    decision = decided({"mode": "suggest"}, **since(onset, 3))

    assert verdict(decision) == ("retrain", "performance")
    assert (decision.retrain, decision.key, decision.suppressed_by) == (False, None, "mode")
    assert decision.finding == "suggest:performance"
    assert "`perennial run flights --replay --onset 2013-05-28`" in decision.next
    searching = decided({"mode": "suggest", "replay": False}, performance=loss(0.2))
    assert "`perennial run flights --search`" in searching.next


def test_a_suggestion_that_something_else_holds_back_is_a_warning() -> None:
    decision = decided({"mode": "suggest", "retrains": 4}, performance=loss(0.2))

    assert (decision.verdict, decision.suppressed_by) == ("warn", "max_per_30d")
    assert decision.finding == "suggest:performance"


def test_a_retraining_that_starts_says_how_and_since_when_the_world_has_changed() -> None:
    onset = date(2013, 5, 28)
    decision = decided({"replay": False}, **since(onset, 3))

    assert (decision.replay, decision.onset) == (False, onset)
    assert decided(performance=loss(0.2)).replay is True
    assert decided(performance=loss(0.0)).replay is None


def test_the_breaker_opens_after_three_useless_retrains() -> None:
    broken = {"useless": 3, "useless_loss": 0.55}
    decision = decided(broken, performance=loss(0.10))

    assert (decision.verdict, decision.suppressed_by) == ("warn", "breaker")
    assert (decision.finding, decision.useless) == ("breaker:performance", 3)
    assert decision.next.startswith("Nothing starts any more: 3 retrains in a row did not help.")
    assert decided({**broken, "useless": 2}, performance=loss(0.10)).retrain


def test_a_clearly_higher_loss_closes_the_breaker() -> None:
    broken = {"useless": 3, "useless_loss": 0.55}

    assert decided(broken, performance=loss(0.20)).retrain
    assert not decided(broken, performance=loss(0.20, error=0.1)).retrain
    assert not decided({"useless": 3}, performance=loss(0.20)).retrain
    assert not decided({**broken, "age": timedelta(days=99)}).retrain


FINDINGS = {
    "no_rows": {"shortage": "None.", "window": Window(days=(), rows=0, rows_of_day=0)},
    "few_rows": {"shortage": "40 rows."},
    "blocked:distance": {"dq": (fault(),)},
    "retrain:performance": {"performance": loss(0.2)},
    "retrain:benefit": {"performance": loss(0.0), "probe": probe(0.03)},
    "drift": SIGNALS["impact"],
}


@pytest.mark.parametrize("finding", FINDINGS)
def test_what_the_owner_should_know_has_an_id_of_its_own(finding: str) -> None:
    assert decided(**FINDINGS[finding]).finding == finding


def test_a_day_without_rows_is_that_and_no_broken_column() -> None:
    none = Window(days=(), rows=0, rows_of_day=0)
    rows = Fault(check="rows", column=None, found=0, limit=9, sentence="The day has no rows.")

    assert decided(window=none, dq=(rows,)).finding == "no_rows"


def test_a_finding_lasts_while_a_cooldown_holds_it_back() -> None:
    waiting = decided({"cooldown_until": END + timedelta(days=1)}, performance=loss(0.2))

    assert waiting.finding == decided(performance=loss(0.2)).finding == "retrain:performance"


def test_nothing_to_know_is_no_finding() -> None:
    assert decided().finding is None
    assert decided(performance=loss(0.01), columns=(column(),), impact=0.9).finding is None
    assert decided({"mode": "off"}, performance=loss(0.2)).finding is None


def test_further_faults_and_other_findings_are_told_beside_the_first() -> None:
    rows = Fault(check="rows", column=None, found=3, limit=9, sentence="The day has 3 rows.")
    late = {"labels:stopped": "No label came for 9 days."}

    decision = decided(dq=(fault(), fault("unit"), rows), further_findings=late)

    assert decision.finding == "blocked:distance"
    assert decision.further_findings == {"blocked:rows": "The day has 3 rows.", **late}
    assert decided(further_findings=late).further_findings == late


def test_what_a_finding_costs_is_the_loss_above_the_baseline() -> None:
    assert decided(performance=loss(0.2)).impact_value == pytest.approx(0.1)
    assert decided(**SIGNALS["impact"]).impact_value is None
    assert decided(performance=loss(0.0)).impact_value is None


def test_a_person_is_asked_where_the_problem_says_so() -> None:
    decision = decided({"mode": "approve"}, performance=loss(0.2))

    assert decision.retrain
    assert "approval" in decision.next
    assert decision.finding == "approve:performance"


def test_age_needs_one_new_label_only() -> None:
    old = {"age": timedelta(days=99)}

    assert decided({**old, "new_labels": 1}).retrain
    assert decided({**old, "new_labels": 0}).suppressed_by == "min_new_labels"


def regime(distance: float, loss: float | None = 0.55) -> Regime:
    return Regime(day=date(2013, 5, 20), distance=distance, loss=loss)


def test_a_drift_whose_challenger_was_refused_is_muted() -> None:
    given = {**SIGNALS["impact"], "alarms_before": (True,)}

    assert decided(**given, regime=regime(0.05)).suppressed_by == "regime"
    assert "2013-05-20" in decided(**given, regime=regime(0.05)).next
    assert decided(**given, regime=regime(0.10)).retrain


def test_a_loss_whose_challenger_was_refused_is_muted_until_it_grows() -> None:
    assert decided(performance=loss(0.10), regime=regime(0.05)).suppressed_by == "regime"
    assert decided(performance=loss(0.20), regime=regime(0.05)).retrain
    assert not decided(performance=loss(0.20, error=0.1), regime=regime(0.05)).retrain
    assert decided(performance=loss(0.10), regime=regime(0.05, None)).retrain


def test_a_refit_that_helps_is_never_muted() -> None:
    assert decided(performance=loss(0.0), probe=probe(0.03), regime=regime(0.0)).retrain


def test_the_columns_are_parted_and_nothing_is_lost() -> None:
    calm = column("carrier").model_copy(update={"drifted": False})
    decision = decided(columns=(column(), calm), impact=0.1)

    assert [c.name for c in decision.drifted_columns] == ["distance"]
    assert [c.name for c in decision.other_columns] == ["carrier"]
    assert Decision.model_validate_json(decision.model_dump_json()) == decision


def test_a_day_that_was_not_looked_at_has_a_record_that_says_so() -> None:
    record = undecided(
        "flights", DAY, END, run="r", digest=None, sentence="It is too long ago.", is_brief=True
    )

    assert (record.verdict, record.sentence, record.is_brief) == (
        "insufficient_data",
        "It is too long ago.",
        True,
    )
    assert (record.retrain, record.finding) == (False, None)


@pytest.mark.parametrize(
    ("labels", "finding"),
    [
        (LabelHealth(stopped=True, sentences=("None came.",)), "labels_stopped"),
        (LabelHealth(suspect=True, sentences=("None came.",)), "labels_suspect"),
        (LabelHealth(unmatched=9, sentences=("None came.",)), "labels_suspect"),
    ],
)
def test_a_quiet_day_whose_labels_are_faulty_is_a_warning(
    labels: LabelHealth, finding: str
) -> None:
    decision = decided(labels=labels)

    assert (decision.verdict, decision.finding) == ("warn", finding)
    assert decision.sentence == "None came."
    assert decision.labels == labels


def test_labels_as_they_should_be_change_nothing() -> None:
    assert decided(labels=LabelHealth()).verdict == "ok"


def test_a_rise_of_the_loss_is_more_than_a_fault_of_the_labels() -> None:
    decision = decided(
        labels=LabelHealth(stopped=True, sentences=("None came.",)), performance=loss(0.2)
    )

    assert (decision.verdict, decision.reason) == ("retrain", "performance")


@pytest.mark.parametrize(
    ("days", "labels", "verdict"),
    [
        (57, LabelHealth(mature_days=90), "ok"),
        (104, LabelHealth(mature_days=90), "ok"),
        (105, LabelHealth(mature_days=90), "retrain"),
        (57, LabelHealth(mature_days=1), "retrain"),
        (57, LabelHealth(mature_days=90, unmatched=9, sentences=("None.",)), "retrain"),
        (57, None, "retrain"),
    ],
)
def test_a_model_whose_labels_come_late_is_measured_before_it_is_too_old(
    days: int, labels: LabelHealth | None, verdict: str
) -> None:
    decision = decided({"age": timedelta(days=days)}, labels=labels, performance=None)

    assert decision.verdict == verdict


def test_labels_that_come_late_are_named_with_their_days() -> None:
    late = {"first": date(2013, 2, 20), "last": date(2013, 3, 5)}

    worse = decided(performance=loss(0.2).model_copy(update=late))
    quiet = decided(performance=loss(0.0).model_copy(update=late))

    assert worse.sentence.endswith(
        "on 1200 labelled rows of 2013-02-20 to 2013-03-05: labels come 90 days late."
    )
    assert quiet.sentence.endswith("labels come 90 days late.")
    assert decided(performance=loss(0.2)).sentence.endswith("on 1200 labelled rows.")
