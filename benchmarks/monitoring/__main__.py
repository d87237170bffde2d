"""`make bench-monitoring`, and one simulated stretch of days at a time.

    python -m benchmarks.monitoring concept --rows 1000 --days 40 --seed 0

prints a line a day. The folder of a run is kept and taken up again (`--folder`).
"""

import argparse
import logging
import sys
import time
from pathlib import Path

from benchmarks.monitoring.worlds import BEGIN, SCENARIOS, MadeUpWorld, problem
from rehearsal.rehearsed_day import RehearsedDay
from rehearsal.simulation import RehearsalPlan, Simulation

CACHE = Path.home() / ".cache" / "perennial" / "bench-monitoring"


def main() -> None:
    """Run one scenario and print its days."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.monitoring")
    parser.add_argument("scenario", choices=SCENARIOS)
    parser.add_argument("--rows", type=int, default=1_000)
    parser.add_argument("--days", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--history", type=int, default=60)
    parser.add_argument("--delay", type=float, default=30.0, help="hours until a label")
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    logging.getLogger("perennial").setLevel(logging.CRITICAL)
    name = f"{options.scenario}-{options.rows}-{options.history}-{options.delay:g}-{options.seed}"
    folder = options.folder or CACHE / "runs" / name
    world = MadeUpWorld(SCENARIOS[options.scenario], options.rows, options.seed, options.delay)
    plan = RehearsalPlan(problem=problem(), begin=BEGIN, days=options.days, history=options.history)
    simulation = Simulation(folder, plan, world)
    print(HEAD)
    for record in simulation.records:
        print(line(record))
    began = time.process_time()
    for record in simulation.run():
        print(line(record), flush=True)
    print(f"{time.process_time() - began:.1f} CPU-s in this run; {folder}", file=sys.stderr)


HEAD = (
    " day  rows   loss  first   best  change  verdict                reason/suppressed        run"
)


def line(record: RehearsedDay) -> str:
    """Return a day as a line."""
    numbers = [record.loss, record.first_loss, record.best_loss]
    shown = " ".join("     -" if each is None else f"{each:6.3f}" for each in numbers)
    change = "      -" if record.change is None else f"{record.change:+7.1%}"
    why = "/".join(each for each in (record.reason, record.suppressed_by) if each)
    why = why or ", ".join(record.faults) or ", ".join(record.drifted)
    run = f"{record.run.outcome}: {record.run.sentence[:70]}" if record.run else ""
    return (
        f"{record.number:4d} {record.rows:5d} {shown} {change}  {record.verdict or '-':22s} "
        f"{why[:24]:24s} {run}"
    )


if __name__ == "__main__":
    main()
