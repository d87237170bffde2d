"""The problems that are scheduled: each folder below `$PERENNIAL_PROBLEMS` with a `problem.yaml`.

A file that cannot be read takes no other problem with it; its errors are listed instead.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from airflow.sdk import get_parsing_context

from contract.errors import InvalidRequest
from contract.problem import Problem, problem_files, problem_folders, read_problem
from dags.stage.request import PROJECT


class Catalogue(NamedTuple):
    """The problem files that can be read, and the errors of the others."""

    problems: list[Problem]
    errors: list[str]


def read_catalogue() -> Catalogue:
    """Read the problems of this parse, by name; within a task: only the task's own problem."""
    path = os.environ.get("PERENNIAL_PROBLEMS") or str(PROJECT / "problems")
    dag = get_parsing_context().dag_id
    return read_folders(problem_folders(path), dag.rpartition("__")[0] if dag else None)


def read_folders(folders: Sequence[Path], only: str | None = None) -> Catalogue:
    """Read the problem files of the folders, or that of the problem `only` where there is one."""
    paths = problem_files(*folders)
    catalogue = Catalogue([], [])
    for name in [only] if only in paths else paths:
        path = paths[name]
        try:
            catalogue.problems.append(_read(name, path))
        except InvalidRequest as error:
            catalogue.errors.append(str(error))
        except Exception as error:  # noqa: BLE001 - a bug in reading one file must not hide others
            catalogue.errors.append(
                f"{path}: found {type(error).__name__}: {error}; this is a bug."
            )
    return catalogue


def _read(name: str, path: Path) -> Problem:
    problem = read_problem(path)
    if problem.name != name:
        sentence = (
            f"{path}: found the name {problem.name!r} in the folder {name!r}; "
            "they must be equal: rename one of them."
        )
        raise InvalidRequest(sentence)
    return problem
