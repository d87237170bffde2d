"""The rehearsed form of a user's problem: one source with the prepared rows, named by a key of ours."""

from typing import Any

from contract.problem import Problem

KEY = "rehearsal_row"
KNOWN = "rehearsal_known"


def rehearsed_problem(problem: Problem, columns: list[str], budget: str) -> dict[str, Any]:
    """Return the problem file of a rehearsal.

    The prepared rows have their joins behind them, so further sources are gone; a row is drawn many
    times, so it gets a key of its own. The wall clock judges nothing here.

    Args:
        problem: the user's.
        columns: of the prepared table.
        budget: of the first model's search.
    """
    value = problem.model_dump(mode="json", by_alias=True, exclude_unset=True)
    name = problem.main_source_name
    value["source"] = {
        name: {
            "kind": "files",
            "path": "*",
            "key": [KEY],
            "event_time": problem.main_source.event_time,
            "known_at": KNOWN,
        }
    }
    horizon = problem.labels.horizon.total_seconds()
    value["target"] = value["target"] | {
        "labels": {"from": name, "on": [KEY], "horizon": f"{horizon:g}s"}
    }
    hidden = problem.main_source.key if len(problem.main_source.key) == 1 else ()
    value["features"] = {"drop": [each for each in problem.features.drop if each in columns]}
    value["columns"] = {
        each: override
        for each, override in value.get("columns", {}).items()
        if each in columns and each not in hidden
    }
    value["gates"] = value.get("gates", {}) | {"latency_p99": "60s", "approval": "none"}
    value["models"] = value.get("models", {}) | {"budget": budget}
    value.pop("schedule", None)
    value.pop("serving", None)
    return value
