"""Whole runs: what follows from what a stage says. The stages are fakes at the edge."""

import json
from typing import Any

import pytest

pytestmark = pytest.mark.slow


def asked(case: Any, stage: str) -> dict[str, Any]:
    return next(line for line in case["asked"] if line["stage"] == stage)


def params(case: Any) -> Any:
    words = asked(case, "problem")["arguments"]
    return json.loads(words[words.index("--params") + 1])


def test_an_accepted_model_is_deployed(cycle: Any) -> None:
    assert cycle["accepted"]["state"] == "success"
    assert set(cycle["accepted"]["tasks"].values()) == {"success"}


def test_a_refused_model_is_not_deployed_and_the_run_is_green(cycle: Any) -> None:
    assert cycle["refused"]["state"] == "success"
    assert cycle["refused"]["tasks"]["deployment"] == "skipped"
    assert [line["stage"] for line in cycle["refused"]["asked"]].count("deployment") == 0


def test_a_failed_exploration_is_visible_and_holds_nothing_up(cycle: Any) -> None:
    case = cycle["exploration_fails"]

    assert case["tasks"]["exploration"] == "failed"
    assert case["tasks"]["deployment"] == "success"
    assert case["state"] == "failed"


def test_the_first_stage_is_told_the_run_once_and_for_all(cycle: Any) -> None:
    found = params(cycle["accepted"])
    key = found.pop("run_id")

    assert key.startswith("manual__2013-10-01T00-00-00-00-00")
    assert found == {
        "name": "flights",
        "window_start": None,
        "window_end": "2013-10-01T00:00:00+00:00",
        "by": "dag_test",
        "reason": "manual",
        "force": False,
        "replay": False,
        "onset": None,
        "overrides": {"models.budget": "60s", "models.seed": 7},
    }


def test_every_stage_writes_under_the_runs_own_prefix(cycle: Any) -> None:
    case = cycle["accepted"]
    prefix = f"s3://store/flights/runs/{params(case)['run_id']}"

    assert {line["stage"]: line["arguments"][-1] for line in case["asked"]} == {
        name: f"{prefix}/{name}" for name in case["tasks"] if name != "gate"
    }


def test_a_take_names_manifest_output_and_digest(cycle: Any) -> None:
    case = cycle["accepted"]
    out = asked(case, "preprocessing")["arguments"][-1]

    assert (
        f"prepared={out}/manifest.json#prepared@sha256:{'0' * 64}"
        in asked(case, "split")["arguments"]
    )


def test_a_stage_sees_only_the_environment_it_needs(cycle: Any) -> None:
    keys = {
        line["stage"]: sorted(
            name
            for name in line["environment"]
            if name == "LANDING" or name.startswith(("PERENNIAL_", "AIRFLOW"))
        )
        for line in cycle["accepted"]["asked"]
    }

    assert keys == {
        "problem": ["PERENNIAL_BUCKET", "PERENNIAL_PROBLEMS"],
        "collection": ["LANDING", "PERENNIAL_BUCKET"],
        "validation": ["PERENNIAL_BUCKET"],
        "exploration": ["PERENNIAL_BUCKET"],
        "preprocessing": ["PERENNIAL_BUCKET"],
        "split": ["PERENNIAL_BUCKET"],
        "selection": ["PERENNIAL_BUCKET"],
        "tuning": ["PERENNIAL_BUCKET"],
        "training": ["PERENNIAL_BUCKET", "PERENNIAL_SIGNING_KEY"],
        "evaluation": ["PERENNIAL_BUCKET", "PERENNIAL_VERIFY_KEYS"],
        "deployment": ["PERENNIAL_API_KEY", "PERENNIAL_BUCKET", "PERENNIAL_VERIFY_KEYS"],
    }


@pytest.mark.parametrize("case", ["quiet", "blocked"])
def test_monitoring_starts_nothing_unless_retraining_would_help(cycle: Any, case: str) -> None:
    assert cycle[case]["state"] == "success"
    assert cycle[case]["tasks"]["retraining"] == "skipped"


def test_a_finding_starts_the_lifecycle_with_its_reason_and_window(cycle: Any) -> None:
    assert cycle["retrain"]["tasks"]["retraining"] == "success"
    assert cycle["lifecycle_runs"]["drift__2013-09-30"] == {
        "window_end": "2013-10-01T00:00:00Z",
        "reason": "drift",
        "onset": "2013-09-27",
        "replay": True,
    }


def test_the_same_finding_starts_one_run_only(cycle: Any) -> None:
    assert cycle["again"]["state"] == "success"
    assert cycle["again"]["tasks"]["retraining"] == "skipped"
    assert [name for name in cycle["lifecycle_runs"] if name.startswith("drift")] == [
        "drift__2013-09-30"
    ]


def test_mode_off_starts_nothing(cycle: Any) -> None:
    assert set(cycle["off"]["tasks"]) == {
        "problem",
        "watch",
        "collection",
        "monitoring",
        "alerts",
    }


def test_verdicts_and_deployments_leave_an_asset_event(cycle: Any) -> None:
    outcomes = [(name, extra["outcome"]) for name, extra in cycle["events"]]

    assert ("flights__verdict", "retrain") in outcomes
    assert ("flights__champion", "made") in outcomes


def test_the_form_refuses_a_month_that_does_not_exist(cycle: Any) -> None:
    assert cycle["bad_moment"].startswith(
        "ParamValidationError: Invalid input for param window_end"
    )


def test_a_broken_problem_file_fails_its_own_dag(cycle: Any) -> None:
    assert cycle["invalid"]["tasks"] == {"problem_files": "failed"}


def test_before_a_model_serves_nothing_is_watched(cycle: Any) -> None:
    assert cycle["unserved"]["state"] == "success"
    assert cycle["unserved"]["tasks"] == {
        "problem": "success",
        "watch": "success",
        "collection": "skipped",
        "monitoring": "skipped",
        "alerts": "skipped",
        "decision": "skipped",
        "retraining": "skipped",
    }


def test_a_test_of_the_channels_is_a_run_that_says_what_each_answered(cycle: Any) -> None:
    """The problems of these tests name no channel."""
    assert cycle["alerts"]["tasks"] == dict.fromkeys(["problem", "alerts", "channels"], "success")
    assert cycle["alerts"]["xcom"]["channels.return_value"] == []
    assert "test" not in params(cycle["alerts"])
