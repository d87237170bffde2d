"""Starts rehearsals: fetches what has landed, writes the request, follows the process.

What is rehearsed is the work of the room `rehearsal/`, in the tasks' own environment and without
the store: this command alone reads the platform's, and nothing there is changed.
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from contract.canonical_json import canonical_json, sha256
from contract.errors import InvalidRequest, Refused, TryAgain
from contract.problem import Problem
from contract.rehearsal import RehearsalRequest, RehearsalResult
from contract.runtime.environment import NO_TELEMETRY
from contract.runtime.process import RESULT_VARIABLE
from contract.store.client import Store
from contract.store.source_head import LandedPart, read_head
from contract.strict import Strict
from perennial.console import Console
from perennial.local.environment import inherited
from perennial.local.home import Home

FOLDER = "rehearsals"
ERRORS = {2: InvalidRequest, 3: Refused, 75: TryAgain}
DIGITS = 8  # of a digest in a folder's name: a person types none of them


class RehearsalOptions(Strict):
    """The options of the command."""

    days: int
    scenario: str
    policy: dict[str, Any]
    history: int | None
    seed: int
    budget: str


def write_request(
    home: Home, store: Store, problem: Problem, file: Path, options: RehearsalOptions
) -> Path:
    """Fetch the landed parts, write `request.json` and return its path; the same one for the same.

    Raises:
        InvalidRequest: nothing of a source has landed.
        TryAgain: the store is away.
    """
    parts = {name: read_head(store, problem.name, name)[0].parts for name in problem.source}
    empty = [name for name, landed in parts.items() if not landed]
    if empty:
        sentence = (
            f"Nothing of the source {empty[0]!r} has landed yet, and a rehearsal draws its days "
            f"from what has; run `perennial run {problem.name}` first."
        )
        raise InvalidRequest(sentence)
    root = home.folder / FOLDER / problem.name
    document = problem.model_dump(mode="json", by_alias=True, exclude_unset=True)
    digests = [[part.table.sha256 for part in landed] for landed in parts.values()]
    landed = root / f"landed-{_digest([document, digests])}"
    since = _fetch(store, landed, parts)
    request = RehearsalRequest(
        problem=document,
        suite=str(file.absolute().parent / problem.checks.suite),
        landed=str(landed),
        until=since,
        scenario=options.scenario,
        days=options.days,
        history=options.history,
        policy=options.policy,
        seed=options.seed,
        budget=options.budget,
    )
    asked = request.model_dump(mode="json", exclude={"days"})  # more days go on with the same ones
    path = root / f"{options.scenario}-{_digest(asked)}" / "request.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(request.model_dump_json(indent=1), encoding="utf-8")
    return path


def run_rehearsal(home: Home, request: Path, console: Console) -> RehearsalResult:
    """Run the rehearsal's process, print a line for what it asks and promotes, return the result.

    Raises:
        InvalidRequest, Refused, TryAgain: as the process says.
    """
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as scratch:
        told = Path(scratch) / "result.json"
        process = subprocess.Popen(
            [str(home.python), "-m", "rehearsal", str(request)],
            env=_environment(home) | {RESULT_VARIABLE: str(told)},
            cwd=home.project,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        with process, process.stdout as days:
            for line in days:
                _show(json.loads(line), console)
        if process.returncode:
            why = json.loads(told.read_text())["why"] if told.exists() else None
            error = ERRORS.get(process.returncode, RuntimeError)
            raise error(why or f"The rehearsal ended with exit code {process.returncode}.")
    return RehearsalResult.model_validate_json((request.parent / "result.json").read_text("utf-8"))


def _show(day: Mapping[str, Any], console: Console) -> None:
    """Print a day on which something was done, or found broken."""
    if day["run"]:
        told = f"{day['run']['reason']}, {day['run']['outcome']}: {day['run']['sentence']}"
        console.print(f"{day['day']}: {told}")
    elif day["faults"]:
        console.print(f"{day['day']}: {day['sentence']}")


def _fetch(store: Store, folder: Path, parts: Mapping[str, tuple[LandedPart, ...]]) -> datetime:
    """Fetch the parts into a folder a source; return when that was done first."""
    for source, landed in parts.items():
        (folder / source).mkdir(parents=True, exist_ok=True)
        for part in landed:
            path = folder / source / f"{part.generation:08d}.parquet"
            if not path.exists():
                path.hardlink_to(store.fetch(part.table, folder / source))
    mark = folder / "fetched"
    if not mark.exists():
        mark.write_text(datetime.now(UTC).isoformat(timespec="seconds"), encoding="ascii")
    return datetime.fromisoformat(mark.read_text("ascii"))


def _environment(home: Home) -> dict[str, str]:
    return inherited(os.environ) | {**NO_TELEMETRY, "PYTHONPATH": str(home.project)}


def _digest(value: object) -> str:
    return sha256(canonical_json(value))[:DIGITS]
