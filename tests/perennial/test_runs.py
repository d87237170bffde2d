"""`run`, `monitor`, `predict`, `status`, `history` against a store, a scripted Airflow, a service."""

import json
import os
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from answering import Request, answering
from click.testing import Result
from fake_airflow import Script
from store_documents import VERDICT, put_manifest

from contract.artifacts import Document, Table
from contract.champion import Champion
from contract.serving_state import Rollout, ServiceAddress
from contract.store.client import Store
from contract.store.layout import (
    ManifestKey,
    champion_key,
    rollout_key,
    run_prefix,
    service_key,
    stage_prefix,
)
from contract.store.ledger import Ledger, LedgerEntry
from contract.store.source_head import LandedPart, SourceHead, commit
from contract.store.writer import Out
from contract.verdict import Measured, Verdict
from perennial.local.home import Home

Call = Callable[..., Result]
Write = Callable[..., Path]
LetIn = Callable[[Verdict], Document]
DIGEST = "d" * 64
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _result(outcome: str = "made", **facts: object) -> dict[str, Any]:
    return {"return_value": {"outcome": outcome, "facts": facts, "manifest": "s3://p/m.json"}}


@pytest.fixture
def service(store: Store, name: str) -> Iterator[list[Any]]:
    """A model service that answers by its script; the list holds what it was asked."""
    asked: list[Any] = []

    def answer(request: Request) -> tuple[int, Any]:
        asked.append((request.path, request.authorization, request.body))
        if request.path == "/info":
            return 200, {"digest": DIGEST, "ready": True}
        if request.path == "/v1/predict_batch":
            return 200, {"model": DIGEST, "predictions": [{"score": 0.25}, {"score": 0.75}]}
        if request.body == {"age": "old"}:
            fault = {"field": "age", "found": "the string 'old'", "expected": "a number"}
            said = "The input does not fit: 'age': found the string 'old', expected a number."
            return 422, {"error": said, "fields": [fault]}
        return 200, {"model": DIGEST, "score": 0.25}

    with answering(answer) as port:
        address = ServiceAddress(url=f"http://127.0.0.1:{port}", pid=os.getpid(), started=NOW)
        store.put(service_key(name), address.canonical())
        yield asked


@pytest.fixture
def champion(store: Store, name: str) -> None:
    found = Champion(digest=DIGEST, run="first", verdict=None, since=NOW, nonce="1")
    store.create(champion_key(name), found.canonical())
    store.create(rollout_key(name), Rollout(digest=DIGEST, nonce="1", at=NOW).canonical())


def test_a_run_has_the_same_configuration_as_from_the_form(
    call: Call, script: Script, name: str
) -> None:
    script.polls = [("success", {"problem": "success"})]
    words = ("--window-end", "2026-01-01", "--reason", "a try", "--force", "--set", "models.seed=7")
    words += ("--onset", "2025-12-28")

    result = call("run", name, *words, "--json")

    assert result.exit_code == 0
    assert script.conf == [
        {
            "window_end": "2026-01-01T00:00:00+00:00",
            "reason": "a try",
            "force": True,
            "onset": "2025-12-28",
            "set": {"models.seed": 7},
        }
    ]


def test_a_run_is_shown_stage_by_stage(call: Call, script: Script, name: str) -> None:
    script.polls = [("success", {"problem": "success", "collection": "success", "gate": "success"})]
    script.xcoms = {"problem": _result(), "collection": _result(rows=336_776, new_rows=10)}

    result = call("run", name)

    lines = result.stdout.splitlines()
    assert [line.split()[:2] for line in lines[1:3]] == [
        ["problem", "done"],
        ["collection", "done"],
    ]
    assert lines[2].endswith("2.5 s  rows 336,776 · new rows 10")
    assert lines[3] == f"{name}__lifecycle: success after 2.5 s"


def test_for_a_program_there_is_one_document_and_progress_on_standard_error(
    call: Call, script: Script, name: str, champion: None
) -> None:
    script.polls = [("success", {"evaluation": "success", "problem": "success"})]
    script.xcoms = {"problem": _result(), "evaluation": _result("accepted", score=0.8)}

    result = call("run", name, "--json")

    found = json.loads(result.stdout)
    assert [stage["name"] for stage in found["stages"]] == ["problem", "evaluation"]
    assert (found["state"], found["exit"], found["verdict"]) == ("success", 0, "accepted")
    assert found["stages"][1]["facts"] == {"score": 0.8}
    assert "evaluation" in result.stderr


SPLIT = {"train": 336_776, "validation": 9, "vault": 10, "vault_from": 1_366_915_800_000_000}
LATENCIES = {"evaluation": {"latency_p99_ms": 0.0427}, "deployment": {"latency_p99": 0.0005236}}


@pytest.mark.parametrize("is_terminal", [False, True])
def test_facts_are_shown_by_their_kinds(
    call: Call, script: Script, name: str, monkeypatch: pytest.MonkeyPatch, *, is_terminal: bool
) -> None:
    if is_terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
    script.polls = [("success", dict.fromkeys(["split", *LATENCIES], "success"))]
    script.xcoms = {
        "split": _result(**SPLIT),
        **{stage: _result(**facts) for stage, facts in LATENCIES.items()},
    }

    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", call("run", name).stdout)

    assert "train 336,776 · validation 9 · vault 10 · vault from 2013-04-25 18:50 UTC" in shown
    assert "model latency p99 42.7 µs" in shown
    assert "service latency p99 524 µs" in shown


def test_a_program_gets_facts_as_they_are_stored(call: Call, script: Script, name: str) -> None:
    script.polls = [("success", {"split": "success"})]
    script.xcoms = {"split": _result(**SPLIT)}

    result = call("run", name, "--json")

    assert json.loads(result.stdout)["stages"][0]["facts"] == SPLIT


def test_a_refused_challenger_is_a_good_end(
    call: Call, script: Script, name: str, champion: None
) -> None:
    script.polls = [("success", {"evaluation": "success", "deployment": "skipped"})]
    script.xcoms = {"evaluation": _result("refused", reason="It gains nothing.")}

    result = call("run", name)

    assert result.exit_code == 0
    assert result.stdout.splitlines()[-2:] == [
        "The gate's verdict: refused.",
        f"dddddddddddd goes on serving {name}: the challenger was refused: It gains nothing.",
    ]


TAKEN_BACK = {"evaluation": _result("accepted"), "deployment": _result("returned", reason="Slow.")}


def test_a_model_that_was_taken_back_leaves_none_and_makes_exit_3(
    call: Call, script: Script, name: str
) -> None:
    script.polls = [("success", {"evaluation": "success", "deployment": "success"})]
    script.xcoms = TAKEN_BACK

    result = call("run", name)

    assert result.exit_code == 3
    assert result.stdout.splitlines()[-1] == (
        f"No model serves {name}: the model was taken back: Slow."
    )


def test_a_challenger_that_was_taken_back_leaves_the_champion(
    call: Call, script: Script, name: str, champion: None
) -> None:
    script.polls = [("success", {"evaluation": "success", "deployment": "success"})]
    script.xcoms = TAKEN_BACK

    result = call("run", name, "--json")

    found = json.loads(result.stdout)
    assert (result.exit_code, found["exit"], found["outcome"]) == (0, 0, "returned")
    assert found["sentence"].startswith("dddddddddddd goes on serving")


def test_a_damaged_champion_hides_no_run(
    call: Call, script: Script, store: Store, name: str
) -> None:
    store.put(champion_key(name), b"{}")
    script.polls = [("success", {"evaluation": "success", "deployment": "success"})]
    script.xcoms = TAKEN_BACK

    found = json.loads(call("run", name, "--json").stdout)

    assert (found["verdict"], found["outcome"]) == ("accepted", None)


def test_a_stage_that_refuses_its_data_makes_exit_3(call: Call, script: Script, name: str) -> None:
    why = "validation: exit 3, refused: 5 % of the rows are bad [limit 1 %]"
    script.polls = [("failed", {"validation": "failed", "split": "upstream_failed"})]
    script.xcoms = {"validation": {"why": why}}

    result = call("run", name, "--json")

    assert result.exit_code == 3
    assert json.loads(result.stdout)["why"] == [why]
    assert why in result.stderr


def test_without_waiting_the_run_is_named(call: Call, script: Script, name: str) -> None:
    result = call("run", name, "--no-wait", "--json")

    assert json.loads(result.stdout)["state"] == "queued"
    assert script.polls == []


def test_a_variable_that_the_platform_lacks_is_named(
    call: Call, home: Home, script: Script, name: str
) -> None:
    (home.credentials / "sources.json").unlink()

    result = call("run", name)

    assert result.exit_code == 2
    assert "mentions LANDING, which was not set when the platform was started" in result.stderr
    assert script.conf == []


def test_monitoring_prints_its_verdict_and_the_run_it_started(
    call: Call, script: Script, name: str
) -> None:
    script.polls = [("success", {"monitoring": "success", "retraining": "success"})]
    script.xcoms = {"monitoring": _result("retrain", reason="drift", key="k")}

    result = call("monitor", name, "--window-end", "2026-01-08", "--json")

    found = json.loads(result.stdout)
    assert (found["verdict"], found["reason"]) == ("retrain", "drift")
    assert found["started"] == f"{name}__lifecycle"
    assert script.conf == [{"window_end": "2026-01-08T00:00:00+00:00"}]


def test_a_quiet_day_starts_nothing(call: Call, script: Script, name: str) -> None:
    script.polls = [("success", {"monitoring": "success", "retraining": "skipped"})]
    script.xcoms = {"monitoring": _result("ok", sentence="Nothing drifted.")}

    found = json.loads(call("monitor", name, "--json").stdout)

    assert (found["verdict"], found["started"]) == ("ok", None)
    assert "The verdict: ok: Nothing drifted.\n" in call("monitor", name).stdout


def test_a_row_is_predicted_with_the_key(
    call: Call, name: str, champion: None, service: list[Any]
) -> None:
    result = call("predict", name, "--json", stdin='{"age": 3}')

    assert json.loads(result.stdout) == {"model": DIGEST, "score": 0.25}
    assert service == [
        ("/v1/predict", "Bearer the key", {"age": 3}),
        ("/info", "Bearer the key", None),
    ]


@pytest.fixture
def explaining(store: Store, name: str) -> Iterator[None]:
    """A service that says what its answers mean."""
    decision = {
        "target": "late",
        "positive": "yes",
        "threshold": 0.42,
        "meaning": "score is the probability that late is yes; the label is yes from 0.420 on, else no.",
    }

    def answer(request: Request) -> tuple[int, Any]:
        if request.path == "/info":
            return 200, {"digest": DIGEST, "ready": True, "decision": decision}
        return 200, {"model": DIGEST, "score": 0.25, "label": "no"}

    with answering(answer) as port:
        address = ServiceAddress(url=f"http://127.0.0.1:{port}", pid=os.getpid(), started=NOW)
        store.put(service_key(name), address.canonical())
        yield


def test_a_prediction_says_what_its_score_means_and_what_follows(
    call: Call, name: str, champion: None, explaining: None, home: Home
) -> None:
    file = home.problems / name / "problem.yaml"
    file.write_text(f"{file.read_text()}\ndecision: The desk rebooks.\n")

    shown = call("predict", name, stdin="{}").stdout
    found = json.loads(call("predict", name, "--json", stdin="{}").stdout)

    assert "threshold   0.4200" in shown
    assert "means       score is the probability that late is yes" in shown
    assert "then        The desk rebooks." in shown
    assert found["label"] == "no"
    assert (found["decision"]["threshold"], found["decision"]["positive"]) == (0.42, "yes")
    assert found["decision"]["then"] == "The desk rebooks."


def test_rows_are_predicted_together(
    call: Call, name: str, champion: None, service: list[Any], tmp_path: Path
) -> None:
    file = tmp_path / "rows.json"
    file.write_text('[{"age": 3}, {"age": 4}]')

    result = call("predict", name, "--file", str(file))

    assert service[0][2] == {"rows": [{"age": 3}, {"age": 4}]}
    assert "score 0.75" in result.stdout
    assert DIGEST[:12] in result.stdout


def test_an_invalid_field_is_named(
    call: Call, name: str, champion: None, service: list[Any]
) -> None:
    result = call("predict", name, stdin='{"age": "old"}')

    assert result.exit_code == 2
    assert "does not fit: 'age': found the string 'old', expected a number" in result.stderr


def test_before_the_first_model_a_prediction_is_for_later(call: Call, name: str) -> None:
    result = call("predict", name, stdin="{}")

    assert result.exit_code == 75
    assert "is served yet; run `perennial run" in result.stderr


def test_a_service_that_is_away_is_for_later(
    call: Call, store: Store, name: str, champion: None
) -> None:
    address = ServiceAddress(url="http://127.0.0.1:1", pid=1, started=NOW)
    store.put(service_key(name), address.canonical())

    result = call("predict", name, stdin="{}")

    assert result.exit_code == 75
    assert "does not answer at http://127.0.0.1:1" in result.stderr


def test_status_holds_the_champions_digest(
    call: Call, name: str, champion: None, service: list[Any]
) -> None:
    found = json.loads(call("status", name, "--json").stdout)

    assert found["champion"]["digest"] == DIGEST
    assert found["problems"][name]["service"]["digest"] == DIGEST
    assert found["problems"][name]["warnings"] == []


@pytest.fixture
def let_in(store: Store, name: str, champion: None, tmp_path: Path) -> LetIn:
    """Keep the verdict that let the champion in."""

    def keep(verdict: Verdict) -> Document:
        out = Out(store, stage_prefix(name, "first", "evaluation"), tmp_path)
        document = out.document("verdict", verdict)
        put_manifest(store, ManifestKey(name, "first", "evaluation"), outputs={"verdict": document})
        return document

    return keep


@pytest.mark.parametrize(
    ("measured", "sentence"),
    [
        (
            Measured(name="value", unit="$", score=1.2534),
            "the champion was let in with $1.25 a decision on 10 unseen rows; it decides from 0.300 on.",
        ),
        (
            Measured(name="roc_auc", score=0.71234),
            "the champion was let in with 0.7123 of roc_auc on 10 unseen rows; it decides from 0.300 on.",
        ),
        (
            Measured(name="rmse", score=2.0),
            "the champion was let in with 2 of rmse on 10 unseen rows.",
        ),
    ],
)
def test_status_says_by_the_yardstick_what_let_the_champion_in(
    call: Call, name: str, let_in: LetIn, measured: Measured, sentence: str
) -> None:
    threshold = None if measured.name == "rmse" else 0.3
    let_in(VERDICT.model_copy(update={"yardstick": measured, "threshold": threshold}))

    assert f"{name}: {sentence}" in " ".join(call("status", name).stdout.split())


def test_status_without_a_kept_verdict_says_nothing_of_it(
    call: Call, store: Store, name: str, let_in: LetIn
) -> None:
    document = let_in(VERDICT)
    of_an_earlier_version = json.loads(call("status", name, "--json").stdout)
    store.delete(store.key(document.uri))
    gone = json.loads(call("status", name, "--json").stdout)

    assert of_an_earlier_version["judged"] is None
    assert (gone["judged"], gone["damaged"]) == (None, [])


def test_status_of_all_problems_is_a_table(call: Call, name: str) -> None:
    result = call("status")

    assert result.exit_code == 0
    assert name in result.stdout
    assert "none yet" in result.stdout


def test_an_interrupted_rollout_is_a_warning(
    call: Call, store: Store, name: str, champion: None, service: list[Any]
) -> None:
    body = Rollout(digest="e" * 64, nonce="2", at=NOW).canonical()
    store.put(rollout_key(name), body)

    sentences = json.loads(call("status", name, "--json").stdout)["warnings"]

    assert [sentence.partition(";")[0] for sentence in sentences] == [
        "the rollout names eeeeeeeeeeee and the champion is dddddddddddd",
        "the service serves dddddddddddd and eeeeeeeeeeee is rolled out",
    ]


def test_history_is_the_ledger(call: Call, store: Store, name: str) -> None:
    entry = LedgerEntry(
        id="r/deployed",
        kind="deployed",
        at=NOW,
        written=NOW,
        run="r",
        digest=DIGEST,
        reason="the first model",
    )
    Ledger(store, name).append(entry)

    assert json.loads(call("history", name, "--json").stdout)["entries"] == [
        entry.model_dump(mode="json")
    ]
    assert "the first model" in call("history", name).stdout


def test_blocked_days_in_a_row_of_an_older_ledger_are_one_line(
    call: Call, store: Store, name: str
) -> None:
    for day in range(3):
        at = NOW + timedelta(days=day)
        Ledger(store, name).append(
            LedgerEntry(
                id=f"monitoring/{at:%Y-%m-%d}/blocked",
                kind="blocked",
                at=at,
                written=at,
                run=f"monitoring__{at:%Y-%m-%d}",
                reason="'fare' is empty in every row.",
            )
        )

    shown = call("history", name).stdout

    assert shown.count("blocked") == 1
    assert "3 days, until" in shown
    assert len(json.loads(call("history", name, "--json").stdout)["entries"]) == 3


def test_a_history_without_entries_says_so(call: Call, name: str) -> None:
    assert call("history", name).stdout == f"The ledger of {name} has no entries yet.\n"


def test_garbage_is_not_deleted_while_a_run_is_at_work(
    call: Call, script: Script, name: str
) -> None:
    script.runs = [{"dag_run_id": "r", "state": "running"}]

    result = call("gc", name, "--delete")

    assert result.exit_code == 75
    assert f"The run r of {name}__lifecycle is running; wait for it." in result.stderr


def test_garbage_is_only_shown_by_default(call: Call, store: Store, name: str) -> None:
    manifest = ManifestKey(name, "old", "problem")
    put_manifest(store, manifest)

    found = json.loads(call("gc", name, "--keep-runs", "0", "--json").stdout)

    assert (found["deleted"], found["runs"]) == (False, [run_prefix(name, "old")])
    assert store.head(str(manifest)) is not None


def test_a_plan_counts_the_rows_of_the_last_collection(call: Call, store: Store, name: str) -> None:
    tables = [Table(uri="s3://a-b/c", sha256=DIGEST, bytes=1, rows=rows) for rows in (3, 4)]
    parts = tuple(LandedPart(run="r", generation=1, table=table) for table in tables)
    commit(store, name, "customers", SourceHead(generation=4, parts=parts), None)

    assert json.loads(call("plan", name, "--json").stdout)["rows_expected"] == {"customers": 7}
