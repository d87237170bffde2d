"""Fix a run's inputs: the problem with every default, its window, and who serves now.

Takes    nothing
Makes    problem, run, expectations   later stages take them by digest, so that a file edited in
                                      mid-run changes nothing
Facts    window_end, champion         in ISO 8601; the digest of the model that serves, if any
Refuses  nothing; a file that does not validate is an invalid request, exit code 2
Source   Sculley et al., "Hidden Technical Debt in Machine Learning Systems", NIPS 2015, section 6
"""

import json
import os
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, Field, ValidationError

from contract.artifacts import Document
from contract.errors import InvalidRequest
from contract.messages import no_such
from contract.problem import problem_folders, read_problem
from contract.run import Run
from contract.runtime.task import Task
from contract.store.champion_pointer import read_champion
from contract.store.earlier_runs import read_replay
from contract.store.writer import Out
from contract.strict import Strict
from contract.times import is_to_come
from methods.split.buckets import salt_of

FOLDER = "PERENNIAL_PROBLEMS"


class Inputs(Strict):
    """It takes nothing from another stage."""


class Params(Strict):
    """What the form, the schedule or the monitoring says."""

    name: str
    run_id: str
    window_start: AwareDatetime | None
    window_end: AwareDatetime
    reason: str
    by: str | None = None
    """The login of the person who started the run; None: the clock, or monitoring."""
    force: bool
    """True: a new run without any cache."""
    overrides: dict[str, Any] = Field(default_factory=dict)
    """Dotted keys of the problem file and their values for this run alone."""
    replay: bool = False
    """True: fit the champion's own plan anew. Where there is none, selection and tuning search."""
    onset: date | None = None
    """First day of the change that monitoring asks for the run about."""


class Outputs(Strict):
    """What the task makes."""

    problem: Document
    run: Document
    expectations: Document
    window_end: str
    champion: str | None


def run(inputs: Inputs, params: Params, out: Out) -> Outputs:  # noqa: ARG001 - there are none
    """Read the problem's folder and the champion's pointer once."""
    folder = problem_folder(params.name)
    problem = read_problem(folder / "problem.yaml", params.overrides)
    if problem.name != params.name:
        sentence = (
            f"{folder / 'problem.yaml'}: found name {problem.name!r} in the folder "
            f"{params.name!r}; give both one name."
        )
        raise InvalidRequest(sentence)
    if params.window_start is not None and params.window_start >= params.window_end:
        sentence = (
            f"The window begins at {params.window_start.isoformat()} and ends at "
            f"{params.window_end.isoformat()}; its end must be later. Correct the window."
        )
        raise InvalidRequest(sentence)
    if is_to_come(params.window_end):
        # What is decided about days to come would stay for good.
        sentence = (
            f"The window ends at {params.window_end.isoformat()}, in the future, of which nothing is "
            "known. Give an end that has passed, or none."
        )
        raise InvalidRequest(sentence)
    champion = read_champion(out.store, problem.name)
    run = Run(
        name=problem.name,
        run_id=params.run_id,
        window_start=params.window_start,
        window_end=params.window_end,
        reason=params.reason,
        by=params.by,
        force=params.force,
        salt=salt_of(problem.name),
        champion=champion,
        replay=read_replay(out.store, problem.name, champion) if params.replay else None,
        onset=params.onset,
    )
    return Outputs(
        problem=out.document("problem", problem),
        run=out.document("run", run),
        expectations=out.document("expectations", read_suite(folder / problem.checks.suite)),
        window_end=params.window_end.isoformat(),
        champion=champion.digest if champion else None,
    )


def problem_folder(name: str) -> Path:
    """Return the folder of a problem.

    Raises:
        InvalidRequest: PERENNIAL_PROBLEMS is not set, or has no such folder.
    """
    root = os.environ.get(FOLDER)
    if not root:
        sentence = f"{FOLDER} is not set; it names the folders that hold a folder for each problem."
        raise InvalidRequest(sentence)
    folders = problem_folders(root)
    folder = next((path / name for path in folders if (path / name).is_dir()), None)
    if folder is None:
        known = sorted({path.parent.name for one in folders for path in one.glob("*/problem.yaml")})
        raise InvalidRequest(no_such("problem", name, known, where=f"in {root!r}"))
    return folder


def read_suite(path: Path) -> dict[str, Any]:
    """Return the suite of expectations beside the problem file; an empty one where there is none.

    Raises:
        InvalidRequest: the file is no suite.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {"name": path.stem, "expectations": []}
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(
            f"{path}: found no readable suite ({error}); check the file."
        ) from error
    try:
        suite = _Suite.model_validate(json.loads(text))
    except json.JSONDecodeError as error:
        where = f"{path}:{error.lineno}:{error.colno}"
        raise InvalidRequest(f"{where}: found no JSON ({error.msg}); correct it.") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        sentence = (
            f"{path}: {field}: {first['msg']}; a suite as Great Expectations writes it is expected."
        )
        raise InvalidRequest(sentence) from error
    return {"name": suite.name or path.stem, "expectations": suite.expectations}


class _Suite(Strict, extra="ignore"):
    """The parts of a suite's JSON that count; validation reads the expectations themselves."""

    name: str = ""
    expectations: list[dict[str, Any]]


task = Task("problem", run)
