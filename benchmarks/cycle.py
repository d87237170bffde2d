"""The flights lifecycle through Airflow, and beside it a bare script of the same work: CPU of both.

Both begin with the same store and fit the same plan, found before and replayed, so that no budget
hides anything. Nine months of departures, of which the last four and a half are new.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT, Machine
from benchmarks.report import table, write_section
from contract.store import Store
from perennial.platform.access import open_platform
from perennial.platform.home import find_home

BEFORE = "2013-05-15T09:00:00+00:00"
WINDOW_END = "2013-10-01T09:00:00+00:00"
BUDGET = "models.budget=20s"
SETTLES_SECONDS = 20


def main() -> None:
    """Measure and write the section."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        machine = Machine(folder / "home", folder / "landing")
        try:
            _measure(machine, folder)
        finally:
            machine.ask("down")


def _measure(machine: Machine, folder: Path) -> None:
    machine.ask("up")
    _land(machine, BEFORE)
    machine.ask("run", "flights", "--window-end", BEFORE, "--set", BUDGET)
    _land(machine, WINDOW_END)
    platform = open_platform(find_home(machine.environment))
    store = platform.store()
    _copy(store, "flights", folder / "bare")

    before = machine.cpu_seconds()
    run = machine.ask("run", "flights", "--window-end", WINDOW_END, "--replay")
    through_airflow = machine.cpu_seconds() - before
    if run["state"] != "success":
        raise RuntimeError(f"the lifecycle ended with {run['why']}")
    manifests = {
        stage["name"]: json.loads(store.get(store.key(stage["manifest"])))
        for stage in run["stages"]
        if stage["manifest"]  # a refused model is not deployed
    }
    alone = _run_bare(machine, folder, manifests["problem"]["params"])
    time.sleep(SETTLES_SECONDS)
    _write(manifests, run["seconds"], through_airflow, alone, machine.memory()["all"])


def _run_bare(
    machine: Machine, folder: Path, params: dict[str, Any]
) -> tuple[dict[str, float], float]:
    """Return CPU seconds of each stage and of the whole process, its import included."""
    (folder / "run.json").write_text(json.dumps(params))
    access = find_home(machine.environment)
    environment = machine.environment | open_platform(access).environment
    before = os.times()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.bare", folder / "bare", folder / "run.json"],
        env=environment,
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
    )
    after = os.times()
    used = after.children_user - before.children_user + after.children_system
    return json.loads(done.stdout.splitlines()[-1]), used - before.children_system


def _write(
    manifests: dict[str, Any],
    wall: float,
    through_airflow: float,
    alone: tuple[dict[str, float], float],
    memory: float,
) -> None:
    stages, whole = alone
    rows: list[list[object]] = []
    for name, manifest in manifests.items():
        rows.append(
            [name, manifest["seconds"], manifest["cpu_seconds"], stages.get(name, float("nan"))]
        )
    in_stages = sum(manifest["cpu_seconds"] for manifest in manifests.values())
    rows += [
        ["all stages' own work", wall, in_stages, sum(stages.values())],
        ["interpreters, imports, references, Airflow, store", "", through_airflow - in_stages, ""],
        ["**everything**", wall, through_airflow, whole],
    ]
    heads = ["stage", "seconds through Airflow", "CPU-s through Airflow", "CPU-s bare"]
    ratio = through_airflow / whole
    text = (
        f"{table(heads, rows)}\n\n"
        f"**{ratio:.2f} x** the bare script's CPU. The bare script imports each library once, in "
        "the stage that needs it first; it deploys nothing. "
        f"Idle afterwards, one problem served: {memory:.0f} MiB (PSS)."
    )
    write_section("The lifecycle through Airflow beside a bare script", "make bench-cycle", text)


def _land(machine: Machine, until: str) -> None:
    cache = str(machine.home / "cache")
    words = ["flights", "--until", until, "--to", str(machine.landing), "--cache", cache]
    subprocess.run([sys.executable, "-m", "demo", *words], check=True, cwd=ROOT)


def _copy(store: Store, prefix: str, folder: Path) -> None:
    for key in store.keys(f"{prefix}/"):
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(store.get(key))


if __name__ == "__main__":
    main()
