"""Each way a stage can end, and what Airflow makes of it; two tries are allowed."""

import os
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

PROVE = "a stage must write its manifest's URI and sha256."
EXPECTED = {  # state, tries, and the sentence
    "zero": ("success", 1, None),
    "two": ("failed", 1, "two: exit 2, invalid request: found tset; expected test."),
    "three": ("failed", 1, "three: exit 3, refused: rows: 7 found, 100 needed."),
    "seventyfive": ("failed", 2, "seventyfive: exit 75, try again: the store is away."),
    "bug": (
        "failed",
        1,
        "bug: exit 1, a bug, with its traceback in the log: ZeroDivisionError: division by zero",
    ),
    "killed": (
        "failed",
        2,
        "killed: killed by SIGKILL (out of memory, or a lost worker?): working",
    ),
    "terminated": (
        "failed",
        2,
        "terminated: killed by SIGTERM (out of memory, or a lost worker?): working",
    ),
    "oversized": (
        "failed",
        1,
        f"oversized: exit 0, but it left a result of 3001 bytes or more, 3000 are let in; {PROVE}",
    ),
    "unreadable": (
        "failed",
        1,
        f"unreadable: exit 0, but it left a result that cannot be read; {PROVE}",
    ),
    "late": (
        "failed",
        1,
        "late: ran longer than its limit of 0:00:01 and was ended; give it less to do.",
    ),
    "holding": ("success", 1, None),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_an_exit_code_means_one_thing(cycle: Any, name: str) -> None:
    case = cycle["endings"]
    found = (case["tasks"][name], case["tries"][name], case["xcom"].get(f"{name}.why"))

    assert found == EXPECTED[name]


def test_what_a_stage_tells_is_its_xcom(cycle: Any) -> None:
    told = cycle["endings"]["xcom"]["zero.return_value"]

    assert sorted(told) == ["facts", "manifest", "outcome", "sha256"]
    assert told["manifest"].endswith("/zero/manifest.json")


@pytest.mark.parametrize("name", ["late", "holding"])
def test_no_descendant_outlives_its_task(
    cycle: Any, airflow_environment: dict[str, str], name: str
) -> None:
    """`late` is ended at its limit, `holding` ends and leaves a child that holds the pipe."""
    assert cycle["endings"]["tasks"][name] in {"failed", "success"}
    pid = int((Path(airflow_environment["PERENNIAL_PATH"]) / f"{name}.pid").read_text())

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
