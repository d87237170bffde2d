"""What one morning of monitoring costs: CPU-seconds and memory, by rows a day and days in the log.

    python -m benchmarks.monitoring.cost 1000000 31 --files 77 --labelled 1.0

The stage itself decides the last day of a made-up log of 30 features (22 numbers, 8 categories of 5
to 200 levels), in a process of its own, after it decided the days before. A second line repeats it
for a run that finds nothing new, which is what the days before cost.
"""

import argparse
import json
import logging
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.monitoring.made_up_log import NAME, MadeUpLog, day_of
from contract.store.layout import DecisionKey
from methods.controller.policy import Policy
from tasks.monitoring.task import monitor

AGAIN = "the same without a new row"


def main() -> None:
    """Make the log, decide its days, print the last one's cost."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.monitoring.cost")
    parser.add_argument("rows", type=int, help="a day")
    parser.add_argument("days", type=int)
    parser.add_argument("--files", type=int, default=77, help="segments a day")
    parser.add_argument("--labelled", type=float, default=1.0, help="share of the rows")
    parser.add_argument("--folder", type=Path, help="kept; default: a temporary one")
    parser.add_argument("--decide", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.decide is not None:
        print(json.dumps(decide(MadeUpLog(options.folder), options.decide)))
        return
    folder = Path(options.folder or tempfile.mkdtemp(prefix="perennial-cost-"))
    try:
        print(measure(folder, options))
    finally:
        if options.folder is None:
            shutil.rmtree(folder)


def measure(folder: Path, options: argparse.Namespace) -> str:
    """Return the lines of a size."""
    folder.mkdir(parents=True, exist_ok=True)
    made = MadeUpLog(folder)
    made.begin()
    for number in range(options.days - 1):
        made.serve(number, options.rows, options.files, options.labelled)
    if options.days > 1:
        _process(options, folder, options.days - 1)
    made.serve(options.days - 1, options.rows, options.files, options.labelled)
    first = _process(options, folder, options.days)
    made.store.delete(str(DecisionKey(NAME, day_of(options.days - 1))))
    again = _process(options, folder, options.days)
    size = (
        f"{options.rows:,} rows a day, {options.days} days in {options.files} files each, "
        f"{options.labelled:.0%} labelled"
    )
    return "\n".join(
        f"{size}{what}: {cost['cpu']:.1f} CPU-s, {cost['megabytes']:.0f} MB at most "
        f"({cost['started']:.0f} MB before the stage; {cost['verdict']})"
        for what, cost in (("", first), (f"; {AGAIN}", again))
    )


def decide(made: MadeUpLog, days: int) -> dict[str, object]:
    """Run the stage in this process, and return what it cost."""
    logging.getLogger("perennial").setLevel(logging.CRITICAL)
    inputs = made.inputs(days)
    started, before = _megabytes(), time.process_time()
    outputs = monitor(inputs, made.out(days, "monitoring"), Policy())
    return {
        "cpu": time.process_time() - before,
        "started": started,
        "megabytes": _megabytes(),
        "verdict": f"{outputs.outcome}: {outputs.sentence}",
    }


def _process(options: argparse.Namespace, folder: Path, days: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.monitoring.cost", str(options.rows)]
    command += [str(options.days), "--folder", str(folder), "--decide", str(days)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _megabytes() -> float:
    """Return the most memory that this program held; `getrusage` counts its parent's in."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1_024


if __name__ == "__main__":
    main()
