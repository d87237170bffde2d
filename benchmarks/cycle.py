"""The flights lifecycle through Airflow, and beside it a bare script of the same work: CPU of both.

Both begin with the same store and fit the same plan, found before and replayed, so that no budget
hides anything. All departures of 2013, of which the last seven and a half months are new.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.machine import ROOT, Machine, forks_of
from benchmarks.report import table, write_section
from contract.store.client import Store
from perennial.local.home import find_home
from perennial.local.machine_platform import open_platform

BEFORE = "2013-05-15T09:00:00+00:00"
WINDOW_END = "2014-01-01T09:00:00+00:00"
BUDGET = "models.budget=20s"
SETTLES_SECONDS = 40  # the warm interpreter ends 15 s after its last stage

SHOWN_SECONDS = 0.05


class Measured(NamedTuple):
    """What the platform used for the run."""

    load: float
    """Of the machine when the run began."""
    seconds: float
    parts: dict[str, float]
    """CPU-seconds by program."""
    memory: dict[str, float]
    """MiB of the idle programs afterwards."""


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

    # The run is to begin as a night's does: with no interpreter that has imported anything.
    time.sleep(SETTLES_SECONDS)
    load = os.getloadavg()[0]
    before = machine.cpu_seconds()
    run = machine.ask("run", "flights", "--window-end", WINDOW_END, "--replay")
    after = machine.cpu_seconds()
    names = before.keys() | after.keys()
    parts = {name: after.get(name, 0.0) - before.get(name, 0.0) for name in names}
    if run["state"] != "success":
        raise RuntimeError(f"the lifecycle ended with {run['why']}")
    manifests = {
        stage["name"]: json.loads(store.get(store.key(stage["manifest"])))
        for stage in run["stages"]
        if stage["manifest"]  # a refused model is not deployed
    }
    alone = _run_bare(machine, folder, manifests["problem"]["params"])
    time.sleep(SETTLES_SECONDS)
    _write(manifests, Measured(load, run["seconds"], parts, machine.memory()), alone)


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
    manifests: dict[str, Any], measured: Measured, alone: tuple[dict[str, float], float]
) -> None:
    stages, whole = alone
    rows: list[list[object]] = []
    for name, manifest in manifests.items():
        rows.append(
            [name, manifest["seconds"], manifest["cpu_seconds"], stages.get(name, float("nan"))]
        )
    parts = dict(measured.parts)
    in_stages = sum(manifest["cpu_seconds"] for manifest in manifests.values())
    stage_processes = forks_of("warm interpreter")
    parts[f"{stage_processes}, beyond the stages' own work"] = (
        parts.pop(stage_processes, 0.0) - in_stages
    )
    through_airflow = sum(parts.values()) + in_stages
    rows += [
        ["all stages' own work", measured.seconds, in_stages, sum(stages.values())],
        *(
            [name, "", seconds, ""]
            for name, seconds in sorted(parts.items(), key=lambda part: -abs(part[1]))
            if abs(seconds) >= SHOWN_SECONDS
        ),
        ["**everything**", measured.seconds, through_airflow, whole],
    ]
    heads = ["stage, then what else ran", "seconds", "CPU-s through Airflow", "CPU-s bare"]
    ratio = through_airflow / whole
    text = (
        f"{table(heads, rows)}\n\n"
        f"**{ratio:.2f} x** the bare script's CPU. The bare script imports each library once, in "
        "the stage that needs it first; it deploys nothing. Forks of the warm interpreter are the "
        "stages: beyond their own work they open the store, read references and write manifests. "
        f"The load of the machine was {measured.load:.1f} when the run began: what the platform's own "
        "processes use grows with the seconds that a run takes. "
        f"Idle afterwards, one problem served: {measured.memory['all']:.0f} MiB (PSS): {_listed(measured.memory)}."
    )
    write_section("The lifecycle through Airflow beside a bare script", "make bench-cycle", text)


def _listed(memory: dict[str, float]) -> str:
    parts = sorted(memory.items(), key=lambda part: -part[1])
    return ", ".join(f"{name} {mebibytes:.0f}" for name, mebibytes in parts if name != "all")


def _land(machine: Machine, until: str) -> None:
    cache = str(machine.home / "cache")
    arguments = ["flights", "--until", until, "--to", str(machine.landing), "--cache", cache]
    subprocess.run([sys.executable, "-m", "demo", *arguments], check=True, cwd=ROOT)


def _copy(store: Store, prefix: str, folder: Path) -> None:
    for key in store.keys(f"{prefix}/"):
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(store.get(key))


if __name__ == "__main__":
    main()
