"""The cycle through the real scheduler, store and service: made, served, watched, renewed."""

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pump
import pytest
from waiting import wait_until

from benchmarks.machine import ROOT, Machine

pytestmark = [pytest.mark.platform, pytest.mark.slow]

START = date(2026, 3, 1)
LIMIT_SECONDS = 420
TURNS = START + timedelta(days=24)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("machine")
    problems = folder / "problems"
    made = Machine(folder / "home", folder / "landing", problems, LIMIT_SECONDS)
    shutil.copytree(ROOT / "problems" / "wine", problems / "wine")
    shutil.copytree(ROOT / "problems" / "hotel", problems / "hotel")
    (problems / "pump").mkdir()
    (problems / "pump" / "problem.yaml").write_text(pump.PROBLEM)
    for name in ("wine", "hotel"):
        subprocess.run(
            [sys.executable, "-m", "demo", name, "--to", str(made.landing)], check=True, cwd=ROOT
        )
    try:
        made.ask("up")
        yield made
    finally:
        made.ask("down")


def test_a_multiclass_problem_becomes_a_service(machine: Machine) -> None:
    run = machine.ask("run", "wine", "--set", "models.budget=8s")

    assert run["state"] == "success", run["why"]
    assert run["verdict"] == "accepted"
    champion = machine.ask("status", "wine")["champion"]["digest"]
    with (machine.landing / "wine" / "wine.csv").open() as file:
        row = next(csv.DictReader(file))
    asked = {name: float(value) for name, value in row.items() if name not in {"bottle", "grower"}}
    (machine.home / "row.json").write_text(json.dumps(asked))
    answer = machine.ask("predict", "wine", "--file", str(machine.home / "row.json"))
    assert answer["model"] == champion
    assert sum(answer["scores"].values()) == pytest.approx(1)


def test_a_regression_becomes_a_service(machine: Machine) -> None:
    run = machine.ask("run", "hotel", "--set", "models.budget=15s")

    assert run["state"] == "success", run["why"]
    assert machine.ask("history", "hotel")["entries"][-1]["kind"] in {"deployed", "refused"}


def commands_of_the_readme(section: str) -> list[str]:
    text = (ROOT / "README.md").read_text().partition(f"## {section}")[2]
    return text.partition("```console\n")[2].partition("```")[0].splitlines()


def test_the_readmes_own_data_becomes_a_service(machine: Machine, tmp_path: Path) -> None:
    rows = [
        f"{n},{(n * 37) % 90},{'month' if n % 3 else 'year'},{'yes' if (n * 37) % 90 > 60 else 'no'}"
        for n in range(1, 901)
    ]
    (tmp_path / "customers.csv").write_text("\n".join(["customer_id,days,plan,churned", *rows]))

    lines = commands_of_the_readme("Your own data")

    assert lines[:2] == ["source .venv/bin/activate", "perennial up"]
    for line in lines[2:]:
        _, *words = line.replace("customers.csv", str(tmp_path / "customers.csv")).split()
        machine.ask(*words)
    assert machine.ask("status", "churn")["champion"]["digest"]


def test_drift_starts_a_retraining_that_is_judged(machine: Machine, tmp_path: Path) -> None:
    for number in range(24):
        pump.land(machine.landing, START + timedelta(days=number), turned=False)
    first = machine.ask("run", "pump", "--window-end", f"{TURNS}T09:00:00Z")
    assert first["verdict"] == "accepted", first

    for number in range(6):
        day = TURNS + timedelta(days=number)
        (tmp_path / "rows.json").write_text(json.dumps(pump.requests(day, turned=True)))
        machine.ask("predict", "pump", "--file", str(tmp_path / "rows.json"))
        pump.land(machine.landing, day, turned=True)
    end = TURNS + timedelta(days=6)
    verdict = machine.ask("monitor", "pump", "--window-end", f"{end}T09:00:00Z")

    assert verdict["verdict"] == "retrain", verdict
    assert verdict["started"] == "pump__lifecycle"
    assert ended(machine)["state"] == "success"
    kinds = [entry["kind"] for entry in machine.ask("history", "pump")["entries"]]
    assert kinds[0] == "deployed"
    assert set(kinds[1:]) & {"deployed", "refused"}


def ended(machine: Machine) -> Any:
    """Wait for the lifecycle that monitoring started."""

    def run() -> Any:
        found = machine.ask("status", "pump")["lifecycle"]
        is_over = found["state"] in {"success", "failed"}
        return found if found["run_type"] == "operator_triggered" and is_over else None

    return wait_until(run, "the lifecycle that monitoring started has ended", poll_seconds=2)
