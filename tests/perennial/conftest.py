"""A platform's home in a folder of the test's own, and the command as a person calls it."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fake_airflow import Script, served

from perennial.__main__ import cli
from perennial.local import processes
from perennial.local.credentials import credentials_file, make_credentials
from perennial.local.environment import remember_environment
from perennial.local.home import Home
from perennial.local.ports import PLATFORM_PORTS
from perennial.local.state import PlatformState, write_state

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
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    monkeypatch.setattr("perennial.clients.airflow_api.DAG_SECONDS", 0.0)
    monkeypatch.setattr("perennial.runs.LOOK_SECONDS", 0.0)
    with served(Script()) as found:
        yield found


@pytest.fixture
def name(
    home: Home,
    script: Script,
    store_environment: dict[str, str],
    problem_name: str,
    write_problem: Callable[..., Path],
) -> str:
    """A problem on a platform that looks up: this process stands for the supervisor."""
    write_problem(problem_name)
    ports = dict.fromkeys(PLATFORM_PORTS, 1)
    ports["airflow"] = int(script.url.rpartition(":")[2])
    ports["store"] = int(store_environment["AWS_ENDPOINT_URL"].rpartition(":")[2])
    home.ports.write_text(json.dumps(ports))
    made = vars(make_credentials(home)) | {
        "store_access_key": store_environment["AWS_ACCESS_KEY_ID"],
        "store_secret_key": store_environment["AWS_SECRET_ACCESS_KEY"],
        "airflow_password": script.password,
        "api_key": "the key",
    }
    credentials_file(home).write_text(json.dumps(made))
    remember_environment(home, {"LANDING": "/data"})
    write_state(home, PlatformState(supervisor=processes.know(os.getpid())))
    script.dags = {f"{problem_name}__lifecycle", f"{problem_name}__monitoring"}
    return problem_name


@pytest.fixture
def call(home: Home) -> Call:
    """Call the command line in this process."""

    def run(*words: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(cli, words, input=stdin, prog_name="perennial")

    return run


def document(result: Result) -> Any:
    """Return what a program reads: standard output must be one JSON document."""
    return json.loads(result.stdout)
