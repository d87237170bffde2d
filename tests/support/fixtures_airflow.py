"""An Airflow of the tests' own: it lives in an environment without pytest, and is asked by a process."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from waiting import LIMIT_SECONDS

ROOT = Path(__file__).parents[2]
AIRFLOW = ROOT / ".venv-airflow" / "bin" / "python"
HERE = Path(__file__).parents[1] / "dags"
MARK = "REPORT "

FLIGHTS = """
apiVersion: perennial/v1
kind: Problem
name: {name}
question: Will this departure be late?
owner: operations-research
target: {{ column: late }}
source:
  departures: {{ kind: files, path: "${{LANDING}}/*.csv" }}
timezone: America/New_York
monitoring: {{ at: "06:30" }}
"""
PROBLEMS = {
    "flights": FLIGHTS.format(name="flights") + 'schedule: "0 2 * * *"\n',
    "quiet": FLIGHTS.format(name="quiet") + "retraining: { mode: off }\n",
    "careful": FLIGHTS.format(name="careful")
    + "retraining: { mode: approve }\ngates: { approval: manual }\n"
    + "serving: { rollout: { canary: { steps: [25%, 50%], bake: 10m, max_hold: 2h } } }\n",
    "renamed": FLIGHTS.format(name="other"),
    "broken": FLIGHTS.format(name="broken").replace("question:", "qestion:"),
}

# How each stage of the DAG `endings` ends.
ENDINGS = {
    "zero": {},
    "two": {"exit": 2, "result": {"why": "found tset; expected test."}},
    "three": {"exit": 3, "result": {"why": "rows: 7 found, 100 needed."}},
    "seventyfive": {"exit": 75, "result": {"why": "the store is away."}},
    "bug": {"exit": 1, "say": "ZeroDivisionError: division by zero"},
    "killed": {"signal": 9, "say": "working"},
    "terminated": {"signal": 15, "say": "working"},
    "oversized": {"bytes": 6_000},
    "unreadable": {"bytes": 40},
    "late": {"wait": 30, "grandchild": True},
    "holding": {"grandchild": True},
}


@pytest.fixture(scope="session")
def airflow_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of an Airflow of the tests' own: five problems, two of them broken."""
    if not AIRFLOW.exists():
        pytest.fail("There is no .venv-airflow; `make test` installs it.")
    home = tmp_path_factory.mktemp("airflow")
    for name, text in PROBLEMS.items():
        (home / "problems" / name).mkdir(parents=True)
        (home / "problems" / name / "problem.yaml").write_text(text)
    shutil.copytree(HERE / "fake", home / "fake")
    (home / "fake" / "plan.json").write_text("{}")
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "AIRFLOW_HOME": str(home / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(
            [_bundle("dags-folder", ROOT / "dags"), _bundle("endings", HERE / "endings")]
        ),
        "ENDINGS_PLAN": json.dumps(ENDINGS),
        "ENDINGS_FOLDER": str(HERE / "endings"),
        "PERENNIAL_PROBLEMS": str(home / "problems"),
        "PERENNIAL_PYTHON": sys.executable,
        "PERENNIAL_PATH": str(home / "fake"),
        "PERENNIAL_BUCKET": "store",
        "AWS_SECRET_ACCESS_KEY": "secret-of-the-store",
        "LANDING": "/landing",
        "PERENNIAL_SIGNING_KEY": "/keys/signing.pem",
        "PERENNIAL_VERIFY_KEYS": "/keys/verify",
        "PERENNIAL_API_KEY": "/keys/api",
    }


def _bundle(name: str, folder: Path) -> dict[str, Any]:
    kind = "airflow.dag_processing.bundles.local.LocalDagBundle"
    return {"name": name, "classpath": kind, "kwargs": {"path": str(folder)}}


def ask(script: Path, environment: dict[str, str]) -> Any:
    done = subprocess.run(
        [AIRFLOW, script],
        env=environment,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        pytest.fail(f"{script.name} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1].removeprefix(MARK))
