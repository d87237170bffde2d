"""Cells of the benchmark: one simulated stretch each, run once, kept as one JSON file.

A cell whose file is there is not run again, and one that was ended goes on at the day where it
stopped; so the table grows over many short runs. A file names the commit that it was measured at.
"""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from contract.errors import PerennialError
from rehearsal.rehearsed_day import RehearsedDay
from rehearsal.simulation import RehearsalPlan, Simulation
from rehearsal.world import World

ROOT = Path(__file__).parents[2]
RESAMPLES = 2_000


@dataclass(frozen=True)
class Cell:
    """One stretch of days and its seed."""

    part: str
    name: str
    seed: int
    run: Callable[[Path], Mapping[str, Any]]
    """Measures in a folder of its own and returns what is kept: plain JSON."""

    @property
    def file(self) -> str:
        """The name of its file below the results."""
        return f"{self.part}/{self.name}-{self.seed}.json"


def run_cells(cells: Iterable[Cell], folder: Path) -> None:
    """Run those that have no result yet; a cell that fails is said and left out."""
    for cell in cells:
        path = folder / "results" / cell.file
        if path.exists():
            continue
        work = folder / "runs" / cell.part / f"{cell.name}-{cell.seed}"
        began = time.process_time()
        try:
            found = cell.run(work)
        except PerennialError as error:
            found = {"failed": f"{type(error).__name__}: {error}"}
        used = round(time.process_time() - began, 1)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps({"commit": commit(), "cpu_seconds": used, **found}))
        partial.rename(path)
        shutil.rmtree(work, ignore_errors=True)
        sys.stderr.write(f"{cell.file}: {used} CPU-s {found.get('failed', '')}\n")


def results(cells: Sequence[Cell], folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Return what was measured by the name of the cells, seed after seed; failed ones left out."""
    found: dict[str, list[dict[str, Any]]] = {cell.name: [] for cell in cells}
    for cell in cells:
        path = folder / "results" / cell.file
        if path.exists():
            value = json.loads(path.read_text())
            if "failed" not in value:
                found[cell.name].append({"seed": cell.seed, **value})
    return found


def simulate(folder: Path, plan: RehearsalPlan, world: World) -> list[RehearsedDay]:
    """Run a simulation to its end and return its days."""
    simulation = Simulation(folder, plan, world)
    for _ in simulation.run():
        pass
    return simulation.records


def days_of(records: Sequence[RehearsedDay]) -> dict[str, Any]:
    """Return a cell's result that is its days."""
    return {"days": [record.model_dump(mode="json") for record in records]}


def read_days(result: Mapping[str, Any]) -> list[RehearsedDay]:
    """Return the days of such a result."""
    return [RehearsedDay.model_validate(day) for day in result["days"]]


def mean_interval(values: Sequence[float]) -> str:
    """Return mean and 95 % interval over seeds (percentile bootstrap); with 1 or 2, each value.

    >>> mean_interval([2.0]), mean_interval([]), mean_interval([1.0, 1.0, 1.0])
    ('2', 'not measured', '1 [1, 1]')
    """
    if not values:
        return "not measured"
    if len(values) <= 2:
        return ", ".join(f"{value:.3g}" for value in values)
    data = np.asarray(values, dtype=np.float64)
    drawn = np.random.default_rng(0).integers(0, len(data), (RESAMPLES, len(data)))
    low, high = np.quantile(data[drawn].mean(axis=1), [0.025, 0.975])
    return f"{data.mean():.3g} [{low:.3g}, {high:.3g}]"


def seeds_of(found: Sequence[object], wanted: int) -> str:
    """Return how many seeds were measured."""
    return f"{len(found)} of {wanted}"


def commit() -> str:
    """Return the commit of the checkout, with a plus where files were edited since."""
    words = ["git", "describe", "--always", "--dirty=+", "--exclude=*", "--abbrev=10"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
