"""Rollouts with and without a canary on a real cluster, under load from inside it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.k8s.cluster import SERVING, TASKS
from benchmarks.k8s.installation import Installation
from benchmarks.k8s.trial import PROBLEM, Trial

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

REQUESTS = 30_000
RATE = 100.0  # a second: five minutes, as long as the story
BAKE = "rollout: {canary: {steps: [25%, 50%], bake: 6s, min_requests: 100, max_hold: 60s}}"
IDLE = "rollout: {canary: {steps: [25%, 50%], bake: 5s, min_requests: 100, max_hold: 10s}}"
RUNS = {
    "first": {"bias": 0.0, "beats": None, "serving": f"{{{BAKE}}}"},
    "baked": {"bias": 1e-5, "beats": "first", "serving": f"{{{BAKE}}}"},
    "second": {"bias": 5e-5, "beats": "first", "serving": "{rollout: rolling}"},
    "rolled": {"bias": 2e-5, "beats": "baked", "serving": "{rollout: rolling}"},
    "strange": {"bias": 3.0, "beats": "rolled", "serving": f"{{{BAKE}}}"},
    "late": {"bias": 3e-5, "beats": "rolled", "serving": f"{{{BAKE}}}"},
    "idle": {"bias": 4e-5, "beats": "late", "serving": f"{{{IDLE}}}"},
}


@pytest.fixture(scope="module")
def trial(platform: Installation, tree: Path) -> Iterator[Trial]:
    """The problem `bake` with its first model."""
    begun = Trial(platform.cluster, tree)
    try:
        begun.begin(RUNS)
        yield begun
    finally:
        begun.close()


@pytest.fixture(scope="module")
def observed(trial: Trial, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """All that happens while clients ask: a canary that is as good, a rollout, a strange model."""
    result: dict[str, Any] = {"first": trial.deploy("first")}
    result["asleep"] = trial.cluster.get(SERVING, "pods", "-l", f"perennial/problem={PROBLEM}")
    trial.start_load("load", REQUESTS, 600, RATE)
    stage = trial.start_deployment("baked")
    trial.until_baking()
    result["second"] = trial.deploy("second")
    before = trial.deployment(canary=True)
    trial.cluster("apply", "-k", trial.overlay)
    result["applied"] = before, trial.deployment(canary=True)
    result["baked"] = trial.ended(stage)
    result["after baked"] = trial.pinned()
    result["rolled"] = trial.deploy("rolled")
    result["strange"] = trial.deploy("strange")
    stage = trial.start_deployment("late")
    trial.until_baking(1)
    trial.cluster("-n", TASKS, "delete", "pod", stage)
    result["late"] = trial.deploy("late")
    result["load"] = trial.load_result("load", 600)
    result["log"] = trial.logged()
    (tmp_path_factory.getbasetemp() / "story.json").write_text(json.dumps(result, indent=1))
    return result


def digest(trial: Trial, run: str) -> str:
    found: str = trial.papers[run]["digest"]
    return found


def test_a_first_model_is_deployed_and_no_canary_has_a_pod(
    observed: dict[str, Any], trial: Trial
) -> None:
    code, result = observed["first"]
    tracks = [pod["metadata"]["labels"]["perennial/track"] for pod in observed["asleep"]["items"]]

    assert (code, result["outcome"]) == (0, "deployed"), result
    assert set(tracks) == {"stable"}


def test_a_canary_that_is_as_good_becomes_champion(observed: dict[str, Any], trial: Trial) -> None:
    code, result = observed["baked"]

    assert (code, result["outcome"]) == (0, "deployed"), result
    assert "after 2 steps of a canary" in result["facts"]["reason"]
    assert observed["after baked"] == digest(trial, "baked")


def test_a_second_deployment_leaves_a_baking_canary_alone(observed: dict[str, Any]) -> None:
    code, result = observed["second"]

    assert code == 75
    assert result["why"].startswith("The run baked has had ")


def test_an_apply_in_mid_bake_leaves_the_canary_its_pods_and_model(
    observed: dict[str, Any],
) -> None:
    before, after = (found["spec"] for found in observed["applied"])

    assert after["replicas"] >= before["replicas"]  # its second step may have begun
    assert after["paused"] is True
    assert after["template"] == before["template"]


def test_a_rollout_pod_by_pod_becomes_champion(observed: dict[str, Any]) -> None:
    code, result = observed["rolled"]

    assert (code, result["outcome"]) == (0, "deployed"), result


def test_a_model_that_decides_otherwise_is_taken_back(observed: dict[str, Any]) -> None:
    code, result = observed["strange"]

    assert (code, result["outcome"]) == (0, "returned"), result
    assert "of the rows as the champion does" in result["facts"]["reason"]


def test_a_stage_that_is_lost_in_mid_bake_goes_on(observed: dict[str, Any], trial: Trial) -> None:
    code, result = observed["late"]

    assert (code, result["outcome"]) == (0, "deployed"), result
    assert "after 1 steps of a canary" in result["facts"]["reason"]
    assert trial.pinned() == digest(trial, "late")


def test_no_request_failed_and_each_answer_is_in_the_log(observed: dict[str, Any]) -> None:
    load, log = observed["load"], observed["log"]

    assert (load["sent"], load["failed"]) == (REQUESTS, 0), load["failures"]
    assert log["rows"] == log["requests"] == load["answered"]
    assert log["fingerprint"] == load["fingerprint"]
    assert log["models"] == load["models"]


def test_each_model_answered_something(observed: dict[str, Any], trial: Trial) -> None:
    models = observed["load"]["models"]

    assert set(models) == {
        digest(trial, run) for run in ("first", "baked", "rolled", "strange", "late")
    }


def test_too_few_requests_hold_a_canary_and_then_end_it(
    observed: dict[str, Any], trial: Trial
) -> None:
    """Nobody asks any more; the champion of the story stays."""
    assert observed["late"][1]["outcome"] == "deployed"
    code, result = trial.deploy("idle")

    assert (code, result["outcome"]) == (0, "returned"), result
    assert result["facts"]["reason"].startswith("After 10s of holding the canary had ")
    assert trial.deployment(canary=True)["spec"]["replicas"] == 0
    assert trial.pinned() == digest(trial, "late")
