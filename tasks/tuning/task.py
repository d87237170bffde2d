"""Tune settings: which are best for each family, and how much do they gain?

Takes    problem, run, prepared, schema, assignment, leaderboard
Makes    plan, journal, page   the plan is replayable; the journal is Optuna's, none in a replay
Facts    score, gain, trials   on validation (small data: folds too); gain over defaults
Refuses  a class without a labelled row in train, a replayed plan of another task or other classes
Source   Bergstra et al., "Algorithms for Hyper-Parameter Optimization", NeurIPS 2011
"""

from contract.artifacts import Blob, Document, Page
from contract.runtime.inputs import read_problem_and_run
from contract.runtime.task import Task
from contract.store.documents import read_artifact, read_json_artifact
from contract.store.writer import Out
from contract.strict import Strict
from methods.columns.schema import Schema
from methods.models.dataset import Prepared, metric_of, read_dataset
from methods.models.families.leaderboard import Leaderboard
from tasks.tuning.page import page
from tasks.tuning.plan import find_plan, verify_stored_plan


class Inputs(Prepared):
    """What tuning takes."""

    leaderboard: Document


class Params(Strict):
    """Tuning has no parameters: the problem has them."""


class Outputs(Strict):
    """What tuning makes."""

    plan: Document
    journal: Blob | None = None
    page: Page
    score: float
    gain: float
    trials: int


def run(inputs: Inputs, params: Params, out: Out) -> Outputs:  # noqa: ARG001 - the form of a task
    """Search, or verify a stored plan and return it unchanged in a replay."""
    problem, run = read_problem_and_run(out.store, inputs)
    if run.replay is not None:
        schema = read_artifact(out.store, inputs.schema, Schema)
        plan = verify_stored_plan(
            read_json_artifact(out.store, run.replay.plan), schema, metric_of(problem, schema)
        )
        return Outputs(
            plan=out.document("plan", plan),
            page=out.page("page", page(plan, [], 0.0, run)),
            score=plan.score,
            gain=0.0,
            trials=0,
        )
    board = read_artifact(out.store, inputs.leaderboard, Leaderboard)
    dataset = read_dataset(out.store, inputs)
    journal = out.scratch / "journal.log"
    result = find_plan(dataset, problem, board, journal)
    return Outputs(
        plan=out.document("plan", result.plan),
        journal=out.blob("journal", journal, ".log"),
        page=out.page("page", page(result.plan, result.tried, result.gain, run)),
        score=result.plan.score,
        gain=result.gain,
        trials=len(result.tried),
    )


task = Task("tuning", run)
