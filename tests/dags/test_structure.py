"""The shape of the DAGs, drawn as literals: what stands here is what runs."""

from typing import Any

import pytest

pytestmark = pytest.mark.slow

EVERYTHING = [
    "collection",
    "deployment",
    "evaluation",
    "exploration",
    "preprocessing",
    "selection",
    "split",
    "training",
    "tuning",
    "validation",
]
LIFECYCLE = {
    "problem": EVERYTHING,
    "collection": ["validation"],
    "validation": ["exploration", "preprocessing"],
    "exploration": [],
    "preprocessing": ["evaluation", "selection", "split", "training", "tuning"],
    "split": ["evaluation", "selection", "training", "tuning"],
    "selection": ["tuning"],
    "tuning": ["training"],
    "training": ["deployment", "evaluation"],
    "evaluation": ["deployment", "gate"],
    "gate": ["deployment"],
    "deployment": [],
}
TAKES = {
    "collection": {"problem": "problem", "run": "problem"},
    "validation": {
        "problem": "problem",
        "run": "problem",
        "expectations": "problem",
        "snapshot": "collection",
    },
    "exploration": {"problem": "problem", "run": "problem", "tables": "validation"},
    "preprocessing": {"problem": "problem", "run": "problem", "tables": "validation"},
    "split": {"problem": "problem", "run": "problem", "prepared": "preprocessing"},
    "selection": {
        "problem": "problem",
        "run": "problem",
        "prepared": "preprocessing",
        "schema": "preprocessing",
        "assignment": "split",
    },
    "tuning": {
        "problem": "problem",
        "run": "problem",
        "prepared": "preprocessing",
        "schema": "preprocessing",
        "assignment": "split",
        "leaderboard": "selection",
    },
    "training": {
        "problem": "problem",
        "run": "problem",
        "prepared": "preprocessing",
        "schema": "preprocessing",
        "assignment": "split",
        "plan": "tuning",
    },
    "evaluation": {
        "problem": "problem",
        "run": "problem",
        "prepared": "preprocessing",
        "assignment": "split",
        "bundle": "training",
        "twin": "training",
        "forward": "training",
        "recipe": "training",
    },
    "deployment": {
        "problem": "problem",
        "run": "problem",
        "bundle": "training",
        "verdict": "evaluation",
    },
}


def drawn(structure: Any, dag: str) -> dict[str, list[str]]:
    return {name: task["downstream"] for name, task in structure["dags"][dag]["tasks"].items()}


def test_the_lifecycle_runs_from_the_problem_to_the_deployment(structure: Any) -> None:
    assert drawn(structure, "flights__lifecycle") == LIFECYCLE


def test_a_manual_approval_stands_between_the_gate_and_the_deployment(structure: Any) -> None:
    expected = LIFECYCLE | {"gate": ["approval"], "approval": ["deployment"]}

    assert drawn(structure, "careful__lifecycle") == expected


def test_who_approves_sees_the_facts_of_the_evaluation_by_their_kinds(structure: Any) -> None:
    assert structure["approval_body"].splitlines()[2:] == [
        "| score | 0.9523 |",
        "| rows | 3,600 |",
        "| model latency p99 | 42.7\N{NO-BREAK SPACE}µs |",
    ]


def test_each_input_comes_from_the_stage_that_makes_it(structure: Any) -> None:
    tasks = structure["dags"]["flights__lifecycle"]["tasks"]

    assert {name: task["takes_from"] for name, task in tasks.items() if task["takes_from"]} == TAKES


@pytest.mark.parametrize(
    ("dag", "expected"),
    [
        (
            "flights__monitoring",
            {
                "problem": ["alerts", "collection", "monitoring", "watch"],
                "alerts": [],
                "watch": ["collection"],
                "collection": ["monitoring"],
                "monitoring": ["alerts", "decision"],
                "decision": ["retraining"],
                "retraining": [],
            },
        ),
        (
            "careful__monitoring",
            {
                "problem": ["alerts", "collection", "monitoring", "watch"],
                "alerts": [],
                "watch": ["collection"],
                "collection": ["monitoring"],
                "monitoring": ["alerts", "decision"],
                "decision": ["approval"],
                "approval": ["retraining"],
                "retraining": [],
            },
        ),
        (
            "quiet__monitoring",
            {
                "problem": ["alerts", "collection", "monitoring", "watch"],
                "alerts": [],
                "watch": ["collection"],
                "collection": ["monitoring"],
                "monitoring": ["alerts"],
            },
        ),
    ],
)
def test_monitoring_starts_the_lifecycle_as_the_mode_says(
    structure: Any, dag: str, expected: dict[str, list[str]]
) -> None:
    assert drawn(structure, dag) == expected


def test_silence_is_noticed_apart_from_monitoring(structure: Any) -> None:
    assert drawn(structure, "flights__alerts") == {
        "problem": ["alerts"],
        "alerts": ["channels"],
        "channels": [],
    }
    assert structure["dags"]["flights__monitoring"]["schedule"] == "30 6 * * *"
    assert structure["dags"]["flights__alerts"]["schedule"] == "30 9 * * *"


def test_each_dag_has_its_file(structure: Any) -> None:
    assert {name: dag["file"] for name, dag in structure["dags"].items()} == {
        "careful__alerts": "owner_alerts.py",
        "careful__lifecycle": "model_lifecycle.py",
        "careful__monitoring": "drift_monitoring.py",
        "flights__alerts": "owner_alerts.py",
        "flights__lifecycle": "model_lifecycle.py",
        "flights__monitoring": "drift_monitoring.py",
        "problems_invalid": "problems_invalid.py",
        "quiet__alerts": "owner_alerts.py",
        "quiet__lifecycle": "model_lifecycle.py",
        "quiet__monitoring": "drift_monitoring.py",
    }
