"""What a step costs beyond its own work and imports, and what `validate` and `plan` cost.

An empty stage, run as Airflow runs it (command line, references, store, manifest, result), stands
beside the same interpreter that imports the same modules and ends.
"""

import os
import sys
import tempfile
from pathlib import Path

from benchmarks.timing import Cost, median
from perennial.platform import seaweed

EMPTY = """\
import sys
from contract import Out, Strict, Task

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
    """Print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        script = folder / "empty.py"
        script.write_text(EMPTY)
        running = seaweed.start(folder / "store")
        try:
            environment = os.environ | running.environment | {"PYTHONPATH": str(Path.cwd())}
            imports = median(lambda _: [sys.executable, "-c", IMPORTS], environment)
            runs = f"s3://{running.environment['PERENNIAL_BUCKET']}/bench/runs"
            step = median(  # a new place each time, so that none is made before
                lambda n: [sys.executable, str(script), "--out", f"{runs}/{n}/empty"], environment
            )
        finally:
            running.stop()
    row("interpreter and imports alone", imports)
    row("an empty stage", step)
    row(
        "difference",
        Cost(step.seconds - imports.seconds, step.cpu_seconds - imports.cpu_seconds),
    )
    for word in ("validate", "plan"):
        command = [sys.executable, "-m", "perennial", word, "flights"]
        row(f"perennial {word} flights", median(lambda _, command=command: command))


def row(name: str, cost: Cost) -> None:
    """Print one line of the table."""
    print(f"| {name} | {cost.seconds:.2f} | {cost.cpu_seconds:.2f} |")


if __name__ == "__main__":
    main()
