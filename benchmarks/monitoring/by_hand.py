"""One simulated stretch, printed a line a day: `python -m benchmarks.monitoring concept --days 40`."""

import logging
import sys
import time
from pathlib import Path

from benchmarks.monitoring.worlds import BEGIN, SCENARIOS, MadeUpWorld, problem
from rehearsal.rehearsed_day import RehearsedDay
from rehearsal.simulation import RehearsalPlan, Simulation

HEAD = (
    " day  rows   loss  first   best  change  verdict                reason/suppressed        run"
)


def show_days(
    scenario: str, *, rows: int, days: int, seed: int, history: int, delay: float, folder: Path
) -> None:
    """Run one scenario and print its days; those that are in `folder` already are printed first."""
    logging.getLogger("perennial").setLevel(logging.CRITICAL)
    world = MadeUpWorld(SCENARIOS[scenario], rows, seed, delay)
    plan = RehearsalPlan(problem=problem(), begin=BEGIN, days=days, history=history)
    simulation = Simulation(folder, plan, world)
    print(HEAD)
    for record in simulation.records:
        print(line(record))
    began = time.process_time()
    for record in simulation.run():
        print(line(record), flush=True)
    print(f"{time.process_time() - began:.1f} CPU-s in this run; {folder}", file=sys.stderr)


def line(record: RehearsedDay) -> str:
    """Return a day as a line."""
    numbers = [record.loss, record.first_loss, record.best_loss]
    shown = " ".join("     -" if each is None else f"{each:6.3f}" for each in numbers)
    change = "      -" if record.change is None else f"{record.change:+7.1%}"
    why = "/".join(each for each in (record.reason, record.suppressed_by) if each)
    why = why or ", ".join(record.faults) or ", ".join(record.drifted)
    told = f" [{', '.join(record.told)}]" if record.told else ""
    run = f"{record.run.outcome}: {record.run.sentence[:70]}" if record.run else ""
    return (
        f"{record.number:4d} {record.rows:5d} {shown} {change}  {record.verdict or '-':22s} "
        f"{why[:24]:24s} {run}{told}"
    )
