"""The cycle in a real cluster, from nothing to a retraining that starts by itself."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pump
import pytest
from pump_in_cluster import land_program

from benchmarks.k8s.cluster import PLATFORM, SERVING, TASKS, until
from benchmarks.k8s.installation import (
    WINES,
    Installation,
    connects,
    give_source,
    overlay_of,
)
from contract.stages import STAGES
from perennial.problems.kustomize import write_kustomizations

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

STEPS = {*STAGES, "gate"} - {"monitoring"}
START = date(2026, 3, 1)
TURNS = START + timedelta(days=24)
AIRFLOW = "app.kubernetes.io/name=airflow"


@pytest.fixture(scope="module")
def first_run(platform: Installation) -> dict[str, Any]:
    """The first lifecycle of the wines; before it the service is up and says it is not ready."""
    before = platform.cluster.get(SERVING, "deployment", "wine-serving")["status"]
    return {"before": before, "tasks": platform.run("wine__lifecycle", "first", {})}


def test_the_service_is_up_and_not_ready_before_there_is_a_model(first_run: dict[str, Any]) -> None:
    assert first_run["before"]["replicas"] == 1
    assert first_run["before"].get("readyReplicas", 0) == 0


def test_every_stage_of_the_first_run_ends_well(
    first_run: dict[str, Any], platform: Installation
) -> None:
    states = {name: task["state"] for name, task in first_run["tasks"].items()}
    why = {
        name: platform.airflow.result("wine__lifecycle", "first", name, "why")
        for name, state in states.items()
        if state == "failed"
    }

    assert states == dict.fromkeys(STEPS, "success"), why


def test_no_row_is_lost_or_doubled(first_run: dict[str, Any], platform: Installation) -> None:
    assert first_run["tasks"]["collection"]["state"] == "success"
    assert platform.rows("wine", "bottles") == WINES


def test_the_model_that_was_judged_is_pinned_in_the_pod_template(
    first_run: dict[str, Any], platform: Installation
) -> None:
    assert first_run["tasks"]["deployment"]["state"] == "success"
    result = platform.airflow.result("wine__lifecycle", "first", "deployment")

    assert result["outcome"] == "deployed"
    assert platform.pinned("wine") == result["facts"]["digest"]


def test_the_service_answers_with_the_model(
    first_run: dict[str, Any], platform: Installation
) -> None:
    assert first_run["tasks"]["deployment"]["state"] == "success"
    key = platform.cluster.secret(TASKS, "api-key", "api.key")
    with platform.cluster.tunnel(SERVING, "wine-serving") as tunnel:
        headers = {"Authorization": f"Bearer {key}"}
        info = httpx.get(f"{tunnel.url}/info", headers=headers, trust_env=False).json()
        row = {"bottle": 1, "alcohol": 14.2}
        refused = httpx.post(f"{tunnel.url}/v1/predict", json=row, trust_env=False)

    assert info["ready"] is True
    assert info["digest"] == platform.pinned("wine")
    assert refused.status_code == httpx.codes.UNAUTHORIZED


def test_who_has_no_business_with_a_part_cannot_reach_it(platform: Installation) -> None:
    """A stage's pod may ask for names and for the store, and for nothing else."""
    addresses = {
        "seaweedfs.perennial:8333": "open",
        "seaweedfs.perennial:9333": "shut",
        "postgres.perennial:5432": "shut",
        "api.perennial:8080": "shut",
        "wine-serving.perennial-serving:8080": "shut",
        "kubernetes.default:443": "shut",
    }

    assert connects(platform.cluster, *addresses) == addresses


def test_the_log_of_a_stage_outlives_its_pod_and_the_scheduler(
    first_run: dict[str, Any], platform: Installation
) -> None:
    assert first_run["tasks"]["training"]["state"] == "success"
    assert platform.cluster.pods(TASKS, "app.kubernetes.io/name=stage") == []
    platform.cluster("-n", PLATFORM, "rollout", "restart", "deployment/scheduler")
    platform.cluster.wait_until_available(PLATFORM, "scheduler", 120)

    assert "task done" in platform.airflow.log("wine__lifecycle", "first", "training")


def test_another_apply_keeps_the_model(
    first_run: dict[str, Any], platform: Installation, tree: Path
) -> None:
    assert first_run["tasks"]["deployment"]["state"] == "success"
    before = platform.pinned("wine")
    platform.cluster("apply", "-k", overlay_of(tree))

    assert platform.pinned("wine") == before


def test_the_command_tells_which_model_the_pods_serve(
    first_run: dict[str, Any], platform: Installation
) -> None:
    assert first_run["tasks"]["deployment"]["state"] == "success"
    digest = platform.pinned("wine")
    found = platform.cluster.perennial("status", "wine")
    (deployed,) = platform.cluster.perennial("history", "wine")["entries"]

    assert (found["champion"]["digest"], found["service"]["digest"]) == (digest, digest)
    assert found["platform"]["waiting_for"] is None
    assert (deployed["kind"], deployed["digest"]) == ("deployed", digest)


def test_every_kind_is_taken_by_the_server(platform: Installation, tree: Path) -> None:
    """The server's own check, of fields too; `production` has kinds that quickstart lacks."""
    overlays = tree / "k8s" / "overlays"
    for name in ("quickstart", "production"):
        command = ("apply", "--dry-run=server", "--validate=strict", "-k", overlays / name)

        assert "dry run" in platform.cluster(*command)


@pytest.fixture(scope="module")
def second_problem(platform: Installation, tree: Path) -> float:
    """One line more in the overlay: the pump; the seconds until Airflow has its DAG."""
    folder = tree / "problems" / "pump"
    folder.mkdir()
    (folder / "problem.yaml").write_text(pump.PROBLEM)
    write_kustomizations(folder)
    overlay = tree / "k8s" / "overlays" / "quickstart" / "kustomization.yaml"
    line = "  - ../../../problems/wine\n"
    overlay.write_text(overlay.read_text().replace(line, f"{line}  - ../../../problems/pump\n"))
    give_source(platform.cluster, "pump")
    pods = {pod["metadata"]["uid"] for pod in platform.cluster.pods(PLATFORM, AIRFLOW)}
    platform.cluster("apply", "-k", overlay_of(tree))
    platform.cluster("-n", PLATFORM, "annotate", "pod", "-l", AIRFLOW, "perennial/nudge=now")
    seen = until(lambda: platform.airflow.has("pump__lifecycle"), 60, "the DAG of the pump")
    assert pods == {pod["metadata"]["uid"] for pod in platform.cluster.pods(PLATFORM, AIRFLOW)}
    return seen


def test_drift_starts_a_retraining_that_is_judged(
    second_problem: float, platform: Installation
) -> None:
    assert second_problem > 0
    platform.cluster.run_python("land-before", land_program(START, 24, turned=False))
    end = {"window_end": f"{TURNS}T09:00:00Z"}
    tasks = platform.run("pump__lifecycle", "first", end)
    assert tasks["deployment"]["state"] == "success", tasks
    key = platform.cluster.secret(TASKS, "api-key", "api.key")
    with platform.cluster.tunnel(SERVING, "pump-serving") as tunnel:
        for number in range(6):
            rows = pump.requests(TURNS + timedelta(days=number), turned=True)
            httpx.post(
                f"{tunnel.url}/v1/predict_batch",
                json={"rows": rows},
                headers={"Authorization": f"Bearer {key}"},
                trust_env=False,
            ).raise_for_status()
    platform.cluster.run_python("land-after", land_program(TURNS, 6, turned=True))

    end = {"window_end": f"{TURNS + timedelta(days=6)}T09:00:00Z"}
    watched = platform.run("pump__monitoring", "watch", end)

    assert watched["retraining"]["state"] == "success", watched
    verdict = platform.airflow.result("pump__monitoring", "watch", "monitoring")
    assert verdict["outcome"] == "retrain"
    renewed = platform.airflow.wait("pump__lifecycle", str(verdict["facts"]["key"]), 600)
    assert renewed["evaluation"]["state"] == "success"
    kinds = [entry.kind for entry in platform.ledger("pump")]
    assert kinds[0] == "deployed"
    assert set(kinds[1:]) & {"deployed", "refused"}
