"""The commands on a cluster: the same words, documents and exit codes as on one machine."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from click.testing import Result
from fake_airflow import Script

from contract.champion import Champion
from contract.errors import TryAgain
from contract.store.client import Store
from contract.store.layout import champion_key
from contract.store.ledger import Ledger, LedgerEntry
from perennial.kubernetes.cluster_location import ClusterLocation
from perennial.local.home import Home
from perennial.model_rollback import RollbackRequest, roll_back

Call = Callable[..., Result]
A, B = "a" * 64, "b" * 64
NOW = datetime(2026, 1, 1, tzinfo=UTC)
PLATFORM, TASKS = "perennial", "perennial-tasks"

pytestmark = pytest.mark.slow  # every call of kubectl is a process


def _entry(digest: str, previous: str | None = None) -> LedgerEntry:
    return LedgerEntry(
        id=f"{digest[:1]}/deployed",
        kind="deployed",
        at=NOW,
        written=NOW,
        run=f"run-{digest[:1]}",
        digest=digest,
        previous=previous,
        reason="better",
    )


@pytest.fixture
def champion(store: Store, name: str, pin: Callable[[str], None]) -> None:
    """The ledger of two models; the second serves."""
    for entry in (_entry(A), _entry(B, A)):
        Ledger(store, name).append(entry)
    for digest in (A, B):
        store.put(f"{name}/models/sha256/{digest}/manifest.json", b"{}")
    found = Champion(digest=B, run="run-b", verdict=None, since=NOW, nonce="1")
    store.create(champion_key(name), found.canonical())
    pin(B)


def test_a_run_is_followed_as_on_a_machine(call: Call, script: Script, name: str) -> None:
    stages = ("problem", "evaluation", "deployment")
    script.polls = [("success", dict.fromkeys(stages, "success"))]
    script.xcoms = {
        "evaluation": {"return_value": {"outcome": "accepted", "facts": {"score": 1.0}}},
        "deployment": {"return_value": {"outcome": "deployed", "facts": {"digest": B}}},
    }

    result = call("run", name, "--reason", "a try", "--json")

    found = json.loads(result.stdout)
    assert (found["state"], found["exit"], found["verdict"]) == ("success", 0, "accepted")
    assert script.conf == [{"reason": "a try"}]


def test_a_stage_that_refuses_its_data_makes_exit_3(call: Call, script: Script, name: str) -> None:
    why = "validation: exit 3, refused: 5 % of the rows are bad"
    script.polls = [("failed", {"validation": "failed"})]
    script.xcoms = {"validation": {"why": why}}

    result = call("--on", "kubernetes", "run", name)

    assert result.exit_code == 3
    assert why in result.stdout


def test_monitoring_prints_its_verdict(call: Call, script: Script, name: str) -> None:
    script.polls = [("success", {"monitoring": "success", "retraining": "skipped"})]
    script.xcoms = {"monitoring": {"return_value": {"outcome": "ok", "facts": {}}}}

    found = json.loads(call("monitor", name, "--json").stdout)

    assert (found["verdict"], found["started"]) == ("ok", None)


def test_a_row_is_predicted_by_a_pod_with_the_key(
    call: Call, name: str, champion: None, service: tuple[int, list[Any]]
) -> None:
    result = call("predict", name, "--json", stdin='{"age": 3}')

    assert json.loads(result.stdout) == {"model": B, "score": 0.25}
    assert service[1] == [
        ("/v1/predict", "Bearer the key", {"age": 3}),
        ("/info", "Bearer the key", None),  # what the score means
    ]


def test_before_the_first_model_a_prediction_is_for_later(call: Call, name: str) -> None:
    result = call("predict", name, stdin="{}")

    assert result.exit_code == 75
    assert f"No model of '{name}' is served yet; run `perennial run {name}`." in result.stderr


def test_a_service_whose_pod_crashes_is_reported(
    call: Call, name: str, champion: None, world: Any
) -> None:
    def crash(pod: dict[str, Any]) -> None:
        ended = {"exitCode": 1, "message": "the bundle is damaged"}
        waiting = {"reason": "CrashLoopBackOff"}
        state = {
            "name": "serving",
            "state": {"waiting": waiting},
            "lastState": {"terminated": ended},
        }
        pod["status"] = {"phase": "Running", "containerStatuses": [state]}

    world.change("Pod", f"{name}-serving-1-x", crash)

    result = call("predict", name, stdin="{}")

    assert result.exit_code == 75
    assert f"No pod of {name}-serving is ready: the pod {name}-serving-1-x crashes" in result.stderr
    assert "(exit 1, the bundle is damaged)" in result.stderr


def test_status_has_the_document_of_a_machine(call: Call, name: str, champion: None) -> None:
    found = json.loads(call("status", name, "--json").stdout)

    assert found["champion"]["digest"] == B
    assert found["service"]["digest"] == B
    assert (found["rollout"], found["warnings"]) == (B, [])
    assert found["platform"]["up"] is True
    assert found["platform"]["waiting_for"] is None
    assert found["platform"]["components"]["scheduler"] == {
        "state": "running",
        "process": {"pod": "scheduler-1-x"},
        "restarts": 0,
        "problem": "",
    }


def test_status_prints_how_to_read_the_password_and_never_the_password(
    call: Call, script: Script, name: str
) -> None:
    result = call("--context", "work", "status")

    assert "kubectl --context work -n perennial get secret airflow-admin" in result.stdout
    assert script.password not in result.stdout.replace("get secret", "").replace("Secret", "")


def test_status_says_why_the_last_run_failed(call: Call, script: Script, name: str) -> None:
    why = "training: OOMKilled: it needs more memory than its limit of 4Gi"
    script.runs = [{"dag_run_id": "r+1", "state": "failed", "start_date": None}]
    script.polls = [("failed", {"training": "failed"})]
    script.xcoms = {"training": {"why": why}}

    sentences = json.loads(call("status", name, "--json").stdout)["warnings"]

    assert f"its last lifecycle failed: {why}" in sentences


def test_status_says_which_stage_has_no_room(call: Call, name: str, world: Any) -> None:
    labels = {
        "app.kubernetes.io/part-of": "perennial",
        "app.kubernetes.io/name": "stage",
        "app.kubernetes.io/component": "training",
        "perennial/problem": name,
    }
    room = {"reason": "Unschedulable", "message": "0/1 nodes are available: Insufficient memory."}
    metadata = {"name": "t-1", "namespace": TASKS, "labels": labels}
    status = {"phase": "Pending", "conditions": [room]}
    world.add({"kind": "Pod", "metadata": metadata, "status": status})

    sentences = json.loads(call("status", name, "--json").stdout)["warnings"]

    assert sentences == [
        "the pod t-1 of the stage training has no room on any node: "  # noqa: ISC004 - one sentence
        "0/1 nodes are available: Insufficient memory."
    ]


def test_history_is_the_ledger(call: Call, name: str, champion: None) -> None:
    found = json.loads(call("history", name, "--json").stdout)

    assert [entry["digest"] for entry in found["entries"]] == [A, B]


def test_a_rollback_moves_the_pod_template_then_champion_and_ledger(
    call: Call, store: Store, name: str, champion: None, world: Any
) -> None:
    result = call("rollback", name, "--reason", "complaints")

    assert result.exit_code == 0, result.stderr
    assert f"{name} serves {A[:12]} again; before it was {B[:12]}." in result.stdout
    assert world.digest(name) == A
    assert Champion.model_validate_json(store.get(champion_key(name))).digest == A
    entry = Ledger(store, name).entries()[-1]
    assert (entry.kind, entry.digest, entry.previous) == ("rollback", A, B)


@pytest.mark.usefixtures("champion")
def test_pods_that_do_not_take_the_model_get_the_one_before_back(
    store: Store, home: Home, name: str, world: Any
) -> None:
    world.write(stuck=[f"{name}-serving"])
    request = RollbackRequest(problem=name, to=None, reason="complaints", at=NOW)

    location = ClusterLocation(home, None)
    with location.connect() as platform, pytest.raises(TryAgain) as caught:
        roll_back(platform.store(), request, platform.rollout_target(name), timeout_seconds=0.0)

    assert f"The service did not serve {A[:12]} within 0 s, so {B[:12]} was rolled out" in str(
        caught.value
    )
    assert world.digest(name) == B
    assert Champion.model_validate_json(store.get(champion_key(name))).digest == B


def test_the_model_of_the_pod_template_is_no_garbage(
    call: Call, store: Store, name: str, pin: Callable[[str], None]
) -> None:
    for digest in (A, B):
        store.put(f"{name}/models/sha256/{digest}/manifest.json", b"{}")
    pin(A)

    found = json.loads(call("gc", name, "--keep-runs", "0", "--json").stdout)

    assert found["models"] == [f"{name}/models/sha256/{B}"]


def test_a_variable_that_no_secret_holds_is_named(
    call: Call, script: Script, name: str, world: Any
) -> None:
    world.remove("Secret", f"source-{name}")

    result = call("run", name)

    assert result.exit_code == 2
    assert f"mentions LANDING, which is not in the Secret source-{name}" in result.stderr
    assert script.conf == []


def test_a_problem_file_that_differs_from_the_clusters_is_not_run(
    call: Call, script: Script, name: str, home: Any
) -> None:
    file = home.problems / name / "problem.yaml"
    file.write_text(file.read_text().replace("leave?", "leave soon?"))

    result = call("run", name)

    assert result.exit_code == 2
    assert (
        "differs from the file on the cluster; run `perennial up`, which copies it there"
        in result.stderr
    )
    assert script.conf == []


def test_status_says_why_airflow_does_not_answer(call: Call, name: str, world: Any) -> None:
    """Nobody listens behind the way to its API; the pod's own state tells the cause."""
    waiting = {"reason": "ImagePullBackOff", "message": "not found"}
    state = {"name": "api", "image": "api:2", "state": {"waiting": waiting}}

    def break_it(pod: dict[str, Any]) -> None:
        pod["status"] = {"phase": "Pending", "containerStatuses": [state]}

    world.change("Pod", "api-1-x", break_it)
    world.change("Deployment", "api", lambda one: one["status"].update(availableReplicas=0))
    world.write(forwards=world.read()["forwards"] | {f"{PLATFORM} service/api": 1})

    result = call("status", name)

    assert result.exit_code == 75
    assert "api-1-x" in result.stdout
    assert "waiting for Airflow's API server; 0 MiB" in result.stdout
    assert "api has no image 'api:2' (ImagePullBackOff)" in result.stderr
