"""What every stage behind `problem` takes first: the problem with every default, and the run."""

from typing import Protocol

from contract.artifacts import Document
from contract.problem import Problem
from contract.run import Run
from contract.store.client import Store
from contract.store.documents import read_artifact


class StageInputs(Protocol):
    """The two documents among a stage's inputs."""

    @property
    def problem(self) -> Document:
        """The effective problem."""
        ...

    @property
    def run(self) -> Document:
        """The run's window, reason and champion."""
        ...


def read_problem_and_run(store: Store, inputs: StageInputs) -> tuple[Problem, Run]:
    """Return the two documents, whose digests are checked.

    Raises:
        NotFound, InvalidRequest: one is not in the store, or is not what its digest says.
        DamagedDocument: one cannot be read.
    """
    problem = read_artifact(store, inputs.problem, Problem)
    return problem, read_artifact(store, inputs.run, Run)
