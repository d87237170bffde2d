"""What a step costs beyond its own work and imports, and what `validate` and `plan` cost.

An empty stage, run as Airflow runs it (command line, references, store, manifest, result), stands
beside the same interpreter that imports the same libraries and ends. Which these are is read from
the stage itself, so that the difference is its own work and nothing that it imports later.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks.report import table, write_section
from benchmarks.timing import Cost, median
from perennial.local import seaweedfs as seaweed

EMPTY = """\
import sys
from contract.runtime.task import Task
from contract.store.writer import Out
from contract.strict import Strict

class Nothing(Strict):
    pass

class Made(Strict):
    length: int

def run(inputs: Nothing, params: Nothing, out: Out) -> Made:
    return Made(length=0)

task = Task("empty", run)
if __name__ == "__main__":
    sys.exit(task.main(sys.argv[1:]))
"""
MARK = "modules:"
TRACE = f"""\
import sys
import empty
code = empty.task.main(sys.argv[1:])
print("{MARK}", *sys.modules)
sys.exit(code)
"""
OWN = frozenset({"__main__", "contract", "empty"})


def main() -> None:
    """Measure and write the section."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        script = folder / "empty.py"
        script.write_text(EMPTY)
        running = seaweed.start(folder / "store")
        try:
            environment = os.environ | running.environment | {"PYTHONPATH": str(Path.cwd())}
            runs = f"s3://{running.environment['PERENNIAL_BUCKET']}/bench/runs"
            libraries = ", ".join(imported(folder, f"{runs}/traced/empty", environment))
            imports = median(lambda _: [sys.executable, "-c", f"import {libraries}"], environment)
            step = median(  # another run each time, so that none was made before
                lambda n: [sys.executable, str(script), "--out", f"{runs}/{n}/empty"], environment
            )
        finally:
            running.stop()
    rows: list[list[object]] = [
        ["interpreter and its libraries alone", imports.seconds, imports.cpu_seconds],
        ["an empty stage", step.seconds, step.cpu_seconds],
        [
            "difference: the step's own cost",
            step.seconds - imports.seconds,
            step.cpu_seconds - imports.cpu_seconds,
        ],
    ]
    for name in ("validate", "plan"):
        cost = cost_of([sys.executable, "-m", "perennial", name, "flights"])
        rows.append([f"`perennial {name} flights`", cost.seconds, cost.cpu_seconds])
    text = table(["medians of 7", "seconds", "CPU-s"], rows)
    write_section("A step, and the commands that work offline", "make bench-steps", text)


def cost_of(command: list[str]) -> Cost:
    """Return the medians of a command that can be repeated as it is."""
    return median(lambda _: command)


def imported(folder: Path, out: str, environment: Mapping[str, str]) -> list[str]:
    """Run the stage of `folder`/empty.py and return what it imported of other people's libraries."""
    search = {"PYTHONPATH": f"{environment['PYTHONPATH']}{os.pathsep}{folder}"}
    command = [sys.executable, "-c", TRACE, "--out", out]
    traced = subprocess.run(
        command, env={**environment, **search}, capture_output=True, text=True, check=True
    )
    _, _, names = traced.stdout.partition(MARK)
    others = sys.stdlib_module_names | OWN
    # Those of an underscore are the interpreter's own: its build, and how it finds packages.
    return [
        name
        for name in names.split()
        if not name.startswith("_") and name.partition(".")[0] not in others
    ]


if __name__ == "__main__":
    main()
