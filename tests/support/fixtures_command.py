"""A platform's home in a folder of the test's own, and the command as a person calls it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from waiting import LIMIT_SECONDS

from perennial.__main__ import cli
from perennial.local.home import Home
from perennial.waits import Waits

PROBLEM = """\
apiVersion: perennial/v1
kind: Problem
name: {name}
question: Will this customer leave?
target: {{ column: left }}
source:
  customers: {{ kind: files, path: "${{LANDING}}/*.csv", event_time: at }}
"""

Call = Callable[..., Result]
WAITS = Waits(dag=0.0, poll=0.0, ready=LIMIT_SECONDS, stop=LIMIT_SECONDS)
"""A scripted Airflow changes when it is asked; a fake cluster takes the time that its processes take."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A prepared home; the environment leads every command to it."""
    found = Home(
        folder=tmp_path / "home",
        project=Path(__file__).parents[2],
        problems=tmp_path / "problems",
    )
    monkeypatch.setenv("PERENNIAL_HOME", str(found.folder))
    monkeypatch.setenv("PERENNIAL_PROBLEMS", str(found.problems))
    monkeypatch.delenv("PERENNIAL_PATH", raising=False)
    found.prepare()
    found.problems.mkdir()
    return found


@pytest.fixture
def write_problem(home: Home) -> Callable[..., Path]:
    """Write a problem file; `text` replaces the usual one."""

    def write(name: str = "churn", text: str = PROBLEM) -> Path:
        file = home.problems / name / "problem.yaml"
        file.parent.mkdir()
        file.write_text(text.format(name=name) if text is PROBLEM else text)
        return file

    return write


@pytest.fixture
def call(home: Home) -> Call:
    """Call the command line in this process."""

    def run(*words: str, stdin: str | None = None, waits: Waits = WAITS) -> Result:
        return CliRunner().invoke(cli, words, input=stdin, prog_name="perennial", obj=waits)

    return run


def document(result: Result) -> Any:
    """Return what a program reads: standard output must be one JSON document."""
    return json.loads(result.stdout)
