"""The tests beside busy processes: none may depend on the clock. Run by `make stress`.

Without arguments the whole of `make test-parallel`; else pytest's own, as in
`python -m benchmarks.stress tests/serving tests/dags`.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROUNDS = 3
BUSY = 4  # beside two workers of pytest: three processes a core on two cores
# Ends by itself where this process was killed.
LOOP = """
import os
parent = os.getppid()
while os.getppid() == parent:
    for _ in range(1_000_000):
        pass
"""


@contextmanager
def busy_processes(count: int) -> Iterator[None]:
    """Keep so many processes computing."""
    processes = [subprocess.Popen([sys.executable, "-c", LOOP]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def main(arguments: list[str]) -> int:
    """Run the tests in rounds, print how long each took, and return 1 where one failed."""
    selected = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadscope", "--durations=10"]
    selected += ["-m", "not platform and not cluster", *arguments]
    command = selected if arguments else ["make", "test-parallel"]
    lines, failed = [], 0
    with busy_processes(BUSY):
        for number in range(1, ROUNDS + 1):
            began = time.monotonic()
            code = subprocess.run(command, cwd=ROOT, check=False).returncode
            seconds = time.monotonic() - began
            failed += code != 0
            word = "passed" if code == 0 else f"failed ({code})"
            lines.append(f"round {number} beside {BUSY} busy processes: {word} in {seconds:.0f} s")
    print("\n".join(lines))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
