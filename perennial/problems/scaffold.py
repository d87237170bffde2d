"""Writes the folder of a new problem: all of it or nothing.

What is in the data is read by the task `suggestion` in the tasks' own environment; this command
imports no data library.
"""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from contract.errors import InvalidRequest, Refused, TryAgain
from contract.problem import Problem, read_problem
from contract.runtime.process import RESULT_VARIABLE
from contract.strict import Strict
from perennial.local.environment import inherited
from perennial.local.home import Home
from perennial.problems.find import FILE
from perennial.problems.kustomize import write_kustomizations

SUGGESTED = (FILE, "expectations.json", "README.md")
FOLDER_MODE = 0o755
ERRORS = {2: InvalidRequest, 3: Refused, 75: TryAgain}


class Request(Strict):
    """The arguments of `perennial init`."""

    name: str
    file: str
    """Absolute: the problem is read from anywhere."""
    target: str
    task: str | None
    """None: inferred from the target's values."""


def write_problem(home: Home, request: Request) -> tuple[Problem, Path]:
    """Write `problems/NAME/` and return the problem as it was read back.

    Raises:
        InvalidRequest: the folder is there already, or the file cannot be read.
        Refused: the data cannot be learned from.
    """
    problems = home.problems
    folder = problems / request.name
    if folder.exists():
        sentence = f"The folder {str(folder)!r} is there already; choose another name or remove it."
        raise InvalidRequest(sentence)
    problems.mkdir(parents=True, exist_ok=True)
    # Beside the target folder, so that the last step is one rename; a dot keeps it out of every listing.
    partial = Path(tempfile.mkdtemp(prefix=f".{request.name}-", dir=problems))
    try:
        _suggest(home, request, partial)
        write_kustomizations(partial, request.name)
        problem = read_problem(partial / FILE)
        partial.chmod(FOLDER_MODE)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return problem, folder


def _suggest(home: Home, request: Request, folder: Path) -> None:
    """Have the task look at the data and write the suggested files into `folder`."""
    result = folder / ".result.json"
    arguments = ["-m", "tasks", "suggestion", "--params", request.model_dump_json()]
    done = subprocess.run(
        [str(home.python), *arguments, "--out", str(folder)],
        env=inherited(os.environ) | {"PYTHONPATH": str(home.project), RESULT_VARIABLE: str(result)},
        cwd=home.project,
        capture_output=True,
        check=False,
    )
    message = json.loads(result.read_text()).get("why") if result.exists() else None
    result.unlink(missing_ok=True)
    if done.returncode in ERRORS:
        raise ERRORS[done.returncode](message or _last_line(done.stderr or done.stdout))
    absent = [name for name in SUGGESTED if not (folder / name).is_file()]
    if done.returncode != 0 or absent:
        last_line = _last_line(done.stderr or done.stdout)
        sentence = f"The task 'suggestion' ended with exit code {done.returncode}: {last_line}"
        raise RuntimeError(sentence)


def _last_line(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "no output"
