"""The cycle of the smallest problem in a real cluster, from nothing to a retraining.

It uses the cluster of KUBECONFIG, with the images loaded, else boots that of TEST_CLUSTER.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from real_cluster import PARTS, PLATFORM, SERVING, TASKS, Airflow, Cluster, cluster_for_tests, until

pytestmark = [pytest.mark.platform, pytest.mark.slow]

WHY = "Neither KUBECONFIG nor TEST_CLUSTER is set, so there is no cluster to test in."
LAND = """
import pathlib
from sklearn.datasets import load_wine
table = load_wine(as_frame=True).frame
table.columns = [name.replace("/", "_per_") for name in table.columns]
table["grower"] = table.pop("target").map({0: "Barolo", 1: "Grignolino", 2: "Barbera"})
table.insert(0, "bottle", range(1, len(table) + 1))
folder = pathlib.Path("/landing/wine")
folder.mkdir(exist_ok=True)
table.to_csv(folder / "wine.csv", index=False)
"""
STAGES = {
    "problem",
    "collection",
    "validation",
    "exploration",
    "preprocessing",
    "split",
    "selection",
    "tuning",
    "training",
    "evaluation",
    "gate",
    "deployment",
}


@pytest.fixture(scope="module")
def cluster(
    kubectl: str, tree: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    """A cluster with quickstart applied, wine's data landed and Airflow up."""
    if not (os.environ.get("KUBECONFIG") or os.environ.get("TEST_CLUSTER")):
        pytest.skip(WHY)
    with cluster_for_tests(kubectl, tmp_path_factory.mktemp("cluster")) as found:
        overlay = "quickstart" if os.environ.get("KUBECONFIG") else "test"
        found("apply", "-k", tree / "k8s" / "overlays" / overlay)
        found(
            "-n",
            TASKS,
            "create",
            "secret",
            "generic",
            "source-wine",
            "--from-literal=LANDING=/landing",
        )
        found.run_python("land-wine", LAND)
        for part in PARTS:
            found.wait_until_available(PLATFORM, part, 300)
        yield found


@pytest.fixture(scope="module")
def airflow(cluster: Cluster) -> Iterator[Airflow]:
    password = cluster.secret(PLATFORM, "airflow-admin", "password")
    with cluster.forward(PLATFORM, "api") as url:
        found = Airflow(url, password)
        until(lambda: found.has("wine__lifecycle"), 120, "the DAG of wine")
        yield found


@pytest.fixture(scope="module")
def first_run(cluster: Cluster, airflow: Airflow) -> dict[str, Any]:
    """The first lifecycle; before it the service is up and says that it is not ready."""
    before = cluster.get(SERVING, "deployment", "wine-serving")["status"]
    began = time.monotonic()
    tasks = airflow.run("wine__lifecycle", "first", {}, 600)
    return {"before": before, "tasks": tasks, "seconds": time.monotonic() - began}


def test_the_service_is_up_and_not_ready_before_there_is_a_model(first_run: dict[str, Any]) -> None:
    assert first_run["before"]["replicas"] == 2
    assert first_run["before"].get("readyReplicas", 0) == 0


def test_every_stage_of_the_first_run_ends_well(
    first_run: dict[str, Any], airflow: Airflow
) -> None:
    states = {name: task["state"] for name, task in first_run["tasks"].items()}
    log = {
        name: airflow.told("wine__lifecycle", "first", name, "why")
        for name, state in states.items()
        if state == "failed"
    }

    assert states == dict.fromkeys(STAGES, "success"), log


def test_the_model_that_was_judged_is_pinned_in_the_pod_template(
    first_run: dict[str, Any], cluster: Cluster, airflow: Airflow
) -> None:
    assert first_run["tasks"]["deployment"]["state"] == "success"
    told = airflow.told("wine__lifecycle", "first", "deployment")
    deployment = cluster.get(SERVING, "deployment", "wine-serving")
    variables = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    pinned = {variable["name"]: variable.get("value") for variable in variables}

    assert told["outcome"] == "deployed"
    assert pinned["MODEL_DIGEST"] == told["facts"]["digest"]


def test_the_service_answers_with_the_model(first_run: dict[str, Any], cluster: Cluster) -> None:
    assert first_run["tasks"]["deployment"]["state"] == "success"
    key = cluster.secret(TASKS, "api-key", "api.key")
    row = {"bottle": 1, "alcohol": 14.2}
    with cluster.forward(SERVING, "wine-serving") as url:
        headers = {"Authorization": f"Bearer {key}"}
        info = httpx.get(f"{url}/info", headers=headers, trust_env=False).json()
        refused = httpx.post(f"{url}/v1/predict", json=row, trust_env=False)

    assert info["ready"] is True
    assert refused.status_code == httpx.codes.UNAUTHORIZED


def test_the_log_of_a_stage_outlives_its_pod_and_the_scheduler(
    first_run: dict[str, Any], cluster: Cluster, airflow: Airflow
) -> None:
    assert first_run["tasks"]["training"]["state"] == "success"
    assert cluster.get(TASKS, "pods")["items"] == []
    cluster("-n", PLATFORM, "rollout", "restart", "deployment/scheduler")
    cluster.wait_until_available(PLATFORM, "scheduler", 120)

    assert "task done" in airflow.log("wine__lifecycle", "first", "training")


def test_another_apply_keeps_the_model(
    first_run: dict[str, Any], cluster: Cluster, tree: Path
) -> None:
    assert first_run["tasks"]["deployment"]["state"] == "success"
    before = cluster.get(SERVING, "deployment", "wine-serving")["metadata"]["generation"]
    cluster("apply", "-k", tree / "k8s" / "overlays" / "quickstart")
    after = cluster.get(SERVING, "deployment", "wine-serving")["metadata"]["generation"]

    assert before == after
