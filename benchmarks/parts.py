"""What happens when a part of one machine's platform dies while a lifecycle runs: `make bench-parts`.

Each is killed once by signal 9, while the wines' stage `validation` runs.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from benchmarks.k8s.installation import WINES
from benchmarks.machine import ROOT, Machine, ledger_lines, rows_in
from benchmarks.report import table, write_section
from contract.store.ledger import Ledger
from dags.stage.request import run_key
from perennial.local.home import find_home
from perennial.local.machine_platform import MachinePlatform, open_platform
from perennial.local.processes import tree

PROBLEM, DAG, VICTIM = "wine", "wine__lifecycle", "validation"
LIMIT_SECONDS = 600
INTO_SECONDS = 0.7  # of the stage, which works for some 3 s

BUSY = "LocalExecutor: [0-9a-f]"
# What is killed: a pattern of its command, and one of its parent's.
PARTS = {
    "the stage's process": ("tasks.prefork", "tasks.prefork"),
    "the warm interpreter": ("tasks.prefork", "supervisor"),
    "Airflow's runner of the task": ("", BUSY),
    "the executor's worker": (BUSY, "scheduler"),
    "the scheduler": ("scheduler", "supervisor"),
    "the API server": ("api.server", "supervisor"),
    "the DAG processor": ("dag.processor", "supervisor"),
    "the store": ("weed", "supervisor"),
}


def main() -> None:
    """Kill each part once and write the section."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        machine = Machine(folder / "home", folder / "landing", folder / "problems")
        shutil.copytree(ROOT / "problems" / PROBLEM, folder / "problems" / PROBLEM)
        arguments = [sys.executable, "-m", "demo", PROBLEM, "--to", str(machine.landing)]
        subprocess.run(arguments, check=True, cwd=ROOT)
        try:
            machine.ask("up")
            machine.ask("run", PROBLEM, "--set", "models.budget=5s")
            rows = [_kill(machine, name, *patterns) for name, patterns in PARTS.items()]
        finally:
            machine.ask("down")
    heads = ["killed", "the stage then", "stages tried again", "the run", "ended after, s"]
    text = (
        f"{table([*heads, 'rows', 'ledger'], rows)}\n\nEach was killed once, while the wines' stage "
        f"`{VICTIM}` ran, in a run that replays the champion's plan. *Rows*: those of the table in "
        f"the store, of {WINES} that landed. *Ledger*: lines that the run wrote, and how many of "
        "them twice. A task whose heart is silent is tried again after 60 s."
    )
    write_section("On one machine: what was killed", "make bench-parts", text)


def _kill(machine: Machine, name: str, pattern: str, parent: str) -> list[object]:
    run = machine.ask("run", PROBLEM, "--replay", "--force", "--reason", "age", "--no-wait")["run"]
    platform = open_platform(find_home(machine.environment))
    _until(lambda: _states(platform, run).get(VICTIM) == "running", VICTIM)
    time.sleep(INTO_SECONDS)
    victims = _find(machine.home, pattern, parent)
    if not victims or _states(platform, run)[VICTIM] != "running":
        raise RuntimeError(f"{name}: nothing to kill while {VICTIM} runs")
    for victim in victims:
        os.kill(victim.pid, signal.SIGKILL)
    killed = time.monotonic()
    _until(lambda: _ended(platform, run), f"the run {run}")
    seconds = time.monotonic() - killed
    found = {task.task_id: task for task in platform.airflow().tasks(DAG, run)}
    again = [
        f"{task} ({one.try_number} tries)" for task, one in found.items() if one.try_number > 1
    ]
    store = platform.store()
    row: list[object] = [
        name,
        str(found[VICTIM].state),
        ", ".join(again) or "none",
        platform.airflow().run(DAG, run).state,
        round(seconds, 1),
        rows_in(store, PROBLEM, "bottles"),
        ledger_lines(Ledger(store, PROBLEM).entries(), run_key(run)),
    ]
    sys.stderr.write(f"{row}\n")
    return row


def _states(platform: MachinePlatform, run: str) -> dict[str, str | None]:
    return {task.task_id: task.state for task in platform.airflow().tasks(DAG, run)}


def _ended(platform: MachinePlatform, run: str) -> bool:
    return platform.airflow().run(DAG, run).state in {"success", "failed"}


def _until(is_so: Callable[[], bool], what: str) -> None:
    """Wait until something is so; a platform that has lost a part may not answer for a while."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while True:
        try:
            if is_so():
                return
        except Exception as error:  # noqa: BLE001 - whatever is away
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} did not come in {LIMIT_SECONDS} s")
        time.sleep(0.3)


def _find(home: Path, pattern: str, parent: str) -> list[psutil.Process]:
    """Return the processes whose command, and whose parent's, match these patterns."""
    found = []
    for process in tree(home):
        with contextlib.suppress(psutil.Error):
            above = process.parent()
            of_parent = " ".join(above.cmdline()) if above else ""
            if re.search(pattern, " ".join(process.cmdline())) and re.search(parent, of_parent):
                found.append(process)
    return found


if __name__ == "__main__":
    main()
