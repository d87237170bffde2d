"""What every DAG and every task must have, and what reading them must not cost."""

from typing import Any

import pytest

pytestmark = pytest.mark.slow

HEAVY = {"bentoml", "boto3", "botocore", "kubernetes", "numpy", "pandas", "pyarrow", "sklearn"}
APPROVALS = {("careful__lifecycle", "approval"), ("careful__monitoring", "approval")}


def tasks(structure: Any) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (dag_id, name, task)
        for dag_id, dag in structure["dags"].items()
        for name, task in dag["tasks"].items()
        if dag_id != "problems_invalid"
    ]


def test_no_dag_file_fails_to_import(structure: Any) -> None:
    assert structure["errors"] == {}


def test_no_data_library_and_no_client_is_loaded_by_a_parse(structure: Any) -> None:
    assert HEAVY & set(structure["modules"]) == set()


def test_a_parse_costs_less_than_importing_airflow(structure: Any) -> None:
    """The CPU time of all files, beyond Airflow's own imports; a busy machine slows both alike."""
    assert structure["cpu_seconds"] < structure["cpu_seconds_before"]


def test_every_task_is_documented(structure: Any) -> None:
    assert [(dag, name) for dag, name, task in tasks(structure) if not task["doc"]] == []


def test_every_task_has_the_problems_owner(structure: Any) -> None:
    assert {task["owner"] for _, _, task in tasks(structure)} == {"operations-research"}


def test_every_task_has_three_tries_from_ten_seconds_to_five_minutes(structure: Any) -> None:
    found = {
        (task["retries"], task["retry_seconds"], task["retry_limit_seconds"])
        for _, _, task in tasks(structure)
    }

    assert found == {(2, 10.0, 300.0)}


def test_every_task_but_a_persons_answer_has_a_limit(structure: Any) -> None:
    assert {(dag, name) for dag, name, task in tasks(structure) if not task["timeout"]} == APPROVALS


def test_a_deployment_may_last_as_long_as_its_canary_bakes_and_holds(structure: Any) -> None:
    found = {
        name: structure["dags"][f"{name}__lifecycle"]["tasks"]["deployment"]["timeout"]
        for name in ("flights", "careful")
    }

    assert found == {"flights": 7_200, "careful": 7_200 + 2 * 600 + 7_200}


def test_every_task_tells_of_its_failure(structure: Any) -> None:
    assert [(dag, name) for dag, name, task in tasks(structure) if not task["tells_failures"]] == []


def test_no_task_goes_on_after_a_failure(structure: Any) -> None:
    assert {task["trigger_rule"] for _, _, task in tasks(structure)} == {"all_success"}


def test_one_run_at_a_time_and_none_for_the_past(structure: Any) -> None:
    found = {(dag["max_active_runs"], dag["catchup"]) for dag in structure["dags"].values()}

    assert found == {(1, False)}


@pytest.mark.parametrize(
    ("dag", "words"),
    [
        ("flights__lifecycle", ["Will this departure be late?", "**Window.**", "**Again.**"]),
        ("flights__monitoring", ["operations-research", "blocked_data_quality", "**Again.**"]),
    ],
)
def test_the_documentation_is_the_operators_page(
    structure: Any, dag: str, words: list[str]
) -> None:
    assert [word for word in words if word not in structure["dags"][dag]["doc"]] == []


@pytest.mark.parametrize(
    ("dag", "expected"),
    [
        ("flights__lifecycle", ["0 2 * * *", "America/New_York"]),
        ("flights__monitoring", ["30 6 * * *", "America/New_York"]),
        ("quiet__lifecycle", [None, ""]),
    ],
)
def test_schedules_are_in_the_problems_own_time(
    structure: Any, dag: str, expected: list[str | None]
) -> None:
    found = structure["dags"][dag]

    assert [found["schedule"], found["timezone"]] == expected


def test_the_form_asks_for_window_budget_reason_onset_force_replay_and_overrides(
    structure: Any,
) -> None:
    assert structure["dags"]["flights__lifecycle"]["params"] == [
        "budget",
        "force",
        "onset",
        "reason",
        "replay",
        "set",
        "window_end",
        "window_start",
    ]


def test_a_broken_problem_file_takes_no_other_dag_with_it(structure: Any) -> None:
    found = set(structure["dags"])

    assert {"flights__lifecycle", "quiet__lifecycle", "problems_invalid"} <= found
    assert "broken__lifecycle" not in found


def test_the_broken_file_is_named_with_line_and_remedy(structure: Any) -> None:
    text = structure["dags"]["problems_invalid"]["doc"]

    assert (
        "broken/problem.yaml:5:1: found the unknown key 'qestion'; did you mean 'question'?" in text
    )


def test_a_problem_and_its_folder_have_one_name(structure: Any) -> None:
    text = structure["dags"]["problems_invalid"]["doc"]

    assert "found the name 'other' in the folder 'renamed'; they must be equal" in text
    assert "other__lifecycle" not in structure["dags"]
