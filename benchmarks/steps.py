"""What a step costs beyond its own work and imports, and what `validate` and `plan` cost.

An empty stage, run as Airflow runs it (command line, references, store, manifest, result), stands
beside the same interpreter that imports the same modules and ends.
"""

import os
import sys
import tempfile
from pathlib import Path

from benchmarks.report import table, write_section
from benchmarks.timing import median
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

if __name__ == "__main__":
    sys.exit(Task("empty", run).main(sys.argv[1:]))
"""
IMPORTS = "import contract, boto3, botocore.config, botocore.exceptions, boto3.exceptions"


def main() -> None:
    """Measure and write the section."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        script = folder / "empty.py"
        script.write_text(EMPTY)
        running = seaweed.start(folder / "store")
        try:
            environment = os.environ | running.environment | {"PYTHONPATH": str(Path.cwd())}
            imports = median(lambda _: [sys.executable, "-c", IMPORTS], environment)
            runs = f"s3://{running.environment['PERENNIAL_BUCKET']}/bench/runs"
            step = median(  # a new place each time, so that none was made before
                lambda n: [sys.executable, str(script), "--out", f"{runs}/{n}/empty"], environment
            )
        finally:
            running.stop()
    rows: list[list[object]] = [
        ["interpreter and imports alone", imports.seconds, imports.cpu_seconds],
        ["an empty stage", step.seconds, step.cpu_seconds],
        [
            "difference: the step's own cost",
            step.seconds - imports.seconds,
            step.cpu_seconds - imports.cpu_seconds,
        ],
    ]
    for word in ("validate", "plan"):
        cost = median(lambda _, word=word: [sys.executable, "-m", "perennial", word, "flights"])
        rows.append([f"`perennial {word} flights`", cost.seconds, cost.cpu_seconds])
    text = table(["medians of 7", "seconds", "CPU-s"], rows)
    write_section("A step, and the commands that work offline", "make bench-steps", text)


if __name__ == "__main__":
    main()
