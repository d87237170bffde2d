"""`why`, `history --at` and `status`: what was decided, who served, and what the product did last."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from decision_factory import DIGEST, START, decision
from fake_airflow import Script
from store_documents import VERDICT, put_manifest

from contract.alerts import AlertState, OpenAlert, OwnerFinding
from contract.decision import Decision
from contract.faults import Fault
from contract.store.alert_state import change_alerts
from contract.store.client import Store
from contract.store.layout import DecisionKey, ManifestKey, stage_prefix
from contract.store.ledger import Ledger, LedgerEntry
from contract.store.writer import Out
from contract.verdict import Measured

Call = Callable[..., Result]
FAULT = Fault(
    check="null", column="fare", found=1, limit=0, sentence="'fare' is empty in every row."
)
NEWER = "b" * 64


def decide(store: Store, name: str, found: Decision) -> Decision:
    of_problem = found.model_copy(update={"problem": name})
    store.put(str(DecisionKey(name, found.day)), of_problem.canonical())
    return of_problem


def write(store: Store, name: str, kind: str, days: float, **fields: Any) -> LedgerEntry:
    at = START + timedelta(days=days)
    plain = {"id": f"{days}/{kind}", "kind": kind, "at": at, "written": at, "run": "r"}
    entry = LedgerEntry.model_validate(plain | {"reason": f"{kind} it was."} | fields)
    Ledger(store, name).append(entry)
    return entry


def test_why_says_verdict_reason_and_what_happens_next(call: Call, store: Store, name: str) -> None:
    decide(store, name, decision(0, "ok", sentence="Nothing drifted."))
    decide(store, name, decision(1, "blocked_data_quality", FAULT, next="Nothing is retrained."))

    shown = call("why", name).stdout

    lines = shown.splitlines()
    assert lines[0] == f"{name} on 2013-05-02: blocked data quality; {DIGEST[:12]} served."
    assert lines[1:3] == ["'fare' is empty in every row.", "Next: Nothing is retrained."]
    assert f"/perennial/day/{name}__monitoring/2013-05-02" in shown


def test_why_shows_the_evidence_and_what_the_newest_promotion_did(
    call: Call, store: Store, name: str
) -> None:
    segment = {"column": "origin", "value": "JFK", "rows": 90, "loss": 0.9, "expected": 0.5}
    loss = {"ref": 0.5, "cur": 0.65, "low": 0.6, "high": 0.7, "change": 0.3, "z": 5, "z_limit": 2}
    effect = {"digest": NEWER, "previous": DIGEST, "promoted": START, "before": 0.7, "after": 0.6}
    span = {"first": "2013-05-01", "last": "2013-05-07", "metric": "log_loss"}
    found = decision(
        7,
        "warn",
        performance=loss | span | {"n_labelled": 900, "coverage": 1},
        probe={"day": "2013-05-08", "gain": 0.1, "z": 3, "rows": 400, "skipped": None},
        segments=[segment | {"change": 0.8, "q": 0.001, "is_worse": True}],
        effect=effect
        | span
        | {"rows": 9, "z": 3, "helped": True, "is_final": True, "sentence": "It helped."},
        labels={"sentences": ["Labels come three days late."]},
        notes=["No classifier was run."],
    )
    decide(store, name, found)

    shown = " ".join(call("why", name).stdout.split())

    assert "0.650 [0.600, 0.700] on 900 labelled rows, 2013-05-01 to 2013-05-07" in shown
    assert "+10 % of the loss saved on 400 rows" in shown
    assert "origin = JFK loss 0.900 on 90 rows, 0.500 expected there" in shown
    assert "It helped. Labels: Labels come three days late." in shown
    assert "Not looked at: No classifier was run." in shown


def test_why_follows_what_a_decision_started(call: Call, store: Store, name: str) -> None:
    decide(store, name, decision(0, "retrain", reason="drift", key="drift__2013-05-01"))
    decide(store, name, decision(1, "ok"))
    write(store, name, "retrain", 1, run="monitoring")
    late = write(store, name, "refused", 2.5, run="manual__drift__2013-05-01", digest=NEWER)
    write(store, name, "rollback", 3, digest=DIGEST)

    found = json.loads(call("why", name, "--day", "2013-05-01", "--json").stdout)

    assert found["decision"]["verdict"] == "retrain"
    assert [entry["kind"] for entry in found["then"]] == ["retrain", "refused"]
    assert found["then"][1] == late.model_dump(mode="json")


def test_a_day_without_a_decision_is_named_with_those_that_have_one(
    call: Call, store: Store, name: str
) -> None:
    decide(store, name, decision(0))

    result = call("why", name, "--day", "2014-01-01")

    assert result.exit_code == 2
    assert "no decision of 2014-01-01; days with one: 2013-05-01 to 2013-05-01." in result.stderr


@pytest.mark.parametrize(("words", "code"), [((), 0), (("--day", "2014-01-01"), 2)])
def test_before_the_first_decision_why_says_so(
    call: Call, name: str, words: tuple[str, ...], code: int
) -> None:
    assert call("why", name, *words).exit_code == code


def test_a_day_that_is_none_is_refused(call: Call, name: str) -> None:
    result = call("why", name, "--day", "yesterday")

    assert result.exit_code == 2
    assert "--day 'yesterday' was found; a day is expected" in result.stderr


def test_history_names_who_served_at_a_time_and_under_which_verdict(
    call: Call, store: Store, name: str, tmp_path: Path
) -> None:
    out = Out(store, stage_prefix(name, "first", "evaluation"), tmp_path)
    gain = Measured(name="value", unit="$", gain=0.51, low=0.35, high=0.67)
    judged = VERDICT.model_copy(update={"yardstick": gain})
    verdict = out.document("verdict", judged)
    put_manifest(store, ManifestKey(name, "first", "evaluation"), outputs={"verdict": verdict})
    write(store, name, "deployed", 0, digest=DIGEST, run="first")
    write(store, name, "refused", 1, digest=NEWER)
    write(store, name, "deployed", 3, digest=NEWER, run="second")

    found = json.loads(call("history", name, "--at", "2013-05-03", "--json").stdout)
    shown = call("history", name, "--at", "2013-05-03").stdout

    assert found["served"]["digest"] == DIGEST
    assert found["served"]["until"] == "2013-05-04T00:00:00Z"
    assert found["verdict"] == judged.model_dump(mode="json")
    assert "Gain: +$0.510 a decision [0.350, 0.670]." in shown
    assert "since 2013-05-01 00:00 UTC, until 2013-05-04 00:00 UTC." in shown
    assert (
        "Verdict: accepted as first, against no model before; roc_auc 0.8000 on 10 rows." in shown
    )


def test_history_knows_when_nobody_served(call: Call, store: Store, name: str) -> None:
    write(store, name, "deployed", 3, digest=DIGEST)

    shown = call("history", name, "--at", "2013-05-01").stdout

    assert shown == f"No model served {name} at 2013-05-01 00:00 UTC.\n"


def test_a_rollback_serves_without_a_verdict(call: Call, store: Store, name: str) -> None:
    write(store, name, "deployed", 0, digest=NEWER)
    write(store, name, "rollback", 0, digest=DIGEST, run="by hand", by="ada")

    shown = call("history", name, "--at", "2013-05-03").stdout

    assert "aaaaaaaaaaaa served" in shown
    assert "and serves still." in shown
    assert "Run: by hand, by ada" in shown
    assert "Verdict: none is kept" in shown


def test_status_names_the_last_verdict_and_the_ledgers_last_word(
    call: Call, store: Store, script: Script, name: str
) -> None:
    script.runs = [{"dag_run_id": "r", "state": "success"}]
    decide(store, name, decision(1, "blocked_data_quality", FAULT))
    write(store, name, "returned", 2, digest=NEWER, reason="It was slow.")

    found = json.loads(call("status", name, "--json").stdout)
    shown = call("status", name).stdout

    assert found["verdict"]["verdict"] == "blocked_data_quality"
    assert found["event"]["kind"] == "returned"
    assert found["warnings"] == [
        "no model serves: bbbbbbbbbbbb was made, and it was taken back: It was slow."
    ]
    assert "blocked data quality 2013-05-02" in shown
    assert "returned: It was slow." in shown
    assert "success" not in shown


def test_status_names_runs_that_are_at_work(call: Call, script: Script, name: str) -> None:
    script.runs = [{"dag_run_id": "r", "state": "running"}]

    assert "lifecycle running" in call("status").stdout


def test_a_damaged_decision_is_a_warning(call: Call, store: Store, name: str) -> None:
    store.put(str(DecisionKey(name, decision(0).day)), b"{}")

    found = json.loads(call("status", name, "--json").stdout)

    assert found["damaged"] == ["verdict"]
    assert found["verdict"] is None


FARE = OwnerFinding(id="blocked:fare", sentence="'fare' is empty.", command="perennial why")


def open_alert(store: Store, name: str) -> None:
    alert = OpenAlert(finding=FARE, since=START, told=START)
    change_alerts(store, name, lambda _: AlertState(open=(alert,)))


def test_status_names_what_needs_a_person(call: Call, store: Store, name: str) -> None:
    open_alert(store, name)

    shown = call("status", name).stdout

    assert f"{name}: open since 2013-05-01 00:00 UTC: 'fare' is empty." in shown


def test_alert_shows_what_needs_a_person_and_what_to_run(
    call: Call, store: Store, name: str
) -> None:
    assert f"Nothing of {name} needs a person.\n" in call("alert", name).stdout

    open_alert(store, name)

    shown = call("alert", name).stdout
    assert "since 2013-05-01 00:00 UTC: 'fare' is empty.\n  to run: perennial why" in shown
    assert json.loads(call("alert", name, "--json").stdout)["open"][0]["finding"]["id"] == FARE.id


@pytest.mark.parametrize(("taken", "code"), [(True, 0), (False, 2)])
def test_a_test_says_what_each_channel_answered(
    call: Call, script: Script, name: str, *, taken: bool, code: int
) -> None:
    answer = {"channel": "team", "taken": taken, "answer": "HTTP 200"}
    script.dags.add(f"{name}__alerts")
    script.polls = [("success", {"channels": "success"})]
    script.xcoms = {"channels": {"return_value": [answer]}}

    result = call("alert", name, "--test", "--json")

    assert result.exit_code == code
    assert json.loads(result.stdout)["channels"] == [answer]
    assert script.conf == [{"test": True}]


def test_a_test_without_any_channel_says_where_to_name_one(
    call: Call, script: Script, name: str
) -> None:
    script.dags.add(f"{name}__alerts")
    script.polls = [("success", {"channels": "success"})]
    script.xcoms = {"channels": {"return_value": []}}

    result = call("alert", name, "--test")

    assert result.exit_code == 2
    assert "name one under alerts.channels" in result.stdout


def test_a_test_that_could_not_be_sent_says_so(call: Call, script: Script, name: str) -> None:
    script.dags.add(f"{name}__alerts")
    script.polls = [("failed", {"problem": "failed"})]

    result = call("alert", name, "--test")

    assert result.exit_code == 2
    assert "tried no channel" in result.stderr
