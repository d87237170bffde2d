"""Compare kinds of model on the same rows: which suit the problem, and do they beat a constant prediction?

Takes    problem, run, prepared, schema, assignment
Makes    leaderboard, page   all candidates with default settings, paired against best and dummy
Facts    best, score, scores   best family, its score and everyone's, in the metric's unit
Refuses  train without a labelled row of every class, or where no candidate can be scored
Source   Raschka, "Model Evaluation, Model Selection, and Algorithm Selection", arXiv 1811.12808
"""

from contract.artifacts import Document, Page
from contract.errors import Refused
from contract.problem import Problem
from contract.runtime.inputs import read_problem_and_run
from contract.runtime.task import Task
from contract.store.documents import read_artifact
from contract.store.writer import Out
from contract.strict import Strict
from methods.models.dataset import Prepared, metric_of, read_dataset
from methods.models.encoders.column import EncodingSettings
from methods.models.families.leaderboard import Leaderboard
from methods.split.folds import fold_pairs
from tasks.selection.compare import compare_families
from tasks.selection.page import page

SHARE = 0.4  # of the budget; the rest is tuning's: families first, settings second


class Inputs(Prepared):
    """What selection takes."""


class Params(Strict):
    """Selection has no parameters: the problem has them."""


class Outputs(Strict):
    """What selection makes."""

    leaderboard: Document
    page: Page
    best: str
    score: float
    scores: dict[str, float]


def run(inputs: Inputs, params: Params, out: Out) -> Outputs:  # noqa: ARG001 - the form of a task
    """Compare the families that the problem allows, or return the stored comparison in a replay."""
    problem, run = read_problem_and_run(out.store, inputs)
    if run.replay is None:
        board = _compare(inputs, problem, out)
    else:
        board = read_artifact(out.store, run.replay.leaderboard, Leaderboard)
    scores = {entry.family: entry.score for entry in board.entries if entry.score is not None}
    if not scores:
        failures = "; ".join(f"{entry.family}: {entry.failure}" for entry in board.entries)
        sentence = f"no candidate could be scored ({failures}); one is needed. Check the columns."
        raise Refused(sentence)
    return Outputs(
        leaderboard=out.document("leaderboard", board),
        page=out.page("page", page(board, run)),
        best=board.entries[0].family,
        score=scores[board.entries[0].family],
        scores=scores,
    )


def _compare(inputs: Inputs, problem: Problem, out: Out) -> Leaderboard:
    dataset = read_dataset(out.store, inputs)
    dataset.check_classes(dataset.rows("train"))
    forward = problem.split_by == "time"
    return compare_families(
        dataset,
        fold_pairs(dataset.assignment, dataset.labelled, ordered=forward),
        problem.models.candidates,
        metric_of(problem, dataset.schema),
        EncodingSettings(),
        forward=forward,
        budget_seconds=problem.models.budget.total_seconds(),
        share=SHARE,
        seed=problem.models.seed,
    )


task = Task("selection", run)
