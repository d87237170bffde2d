"""Train the model that may be served, and the twin that is judged for it on rows it has not learnt.

Takes    problem, run, prepared, schema, assignment, plan
Makes    bundle, twin       signed, read back and compared; the twin has not learnt what judges it
         forward            row, step, score (or one a class), threshold
         recipe             how the challenger was made, and what each answer recovers
         card, page         of the model that may ship
Facts    digest, size, seconds   size in bytes, seconds of CPU
         answer             threshold, recalibration, refit or search
         learnt_until, twin_learnt_until   by time: neither has learnt a row from then on,
                            microseconds since 1970
Refuses  a class without a labelled row, a member that the bundle's reader does not reproduce
Source   Mitchell et al., "Model Cards for Model Reporting", FAT* 2019; Dawid, "The prequential
         approach", JRSS A 147, 1984
"""

import os
import time
from dataclasses import replace
from pathlib import Path

from contract.artifacts import Bundle, Document, Page, Table
from contract.errors import InvalidRequest, Refused
from contract.recipe import Answer, Recipe, TriedAnswer
from contract.runtime.inputs import read_problem_and_run
from contract.runtime.task import Task
from contract.store.documents import read_artifact
from contract.store.earlier_runs import learnt_by_champion, recipe_of_champion
from contract.store.writer import Out
from contract.strict import Strict
from methods.models.dataset import Prepared, read_dataset
from methods.models.families import TrainingPlan
from methods.retrain.rows import judge_informed, retrain_rows
from methods.retrain.thresholds import RetrainLimits
from methods.split.rule import split_rule
from methods.split.weights import TrainingWindow
from methods.tables.parquet import write_table
from tasks.training.adjusting import adjust, with_recovery
from tasks.training.challenger import Challenger, TrainingCase, fit_without_time, refit_in_time
from tasks.training.page import page
from tasks.training.scores import forward_table
from tasks.training.serving_model import read_serving

KEY_VARIABLE = "PERENNIAL_SIGNING_KEY"


class Inputs(Prepared):
    """What training takes."""

    plan: Document


class Params(Strict):
    """Training has no parameters: the plan has them."""


class Outputs(Strict):
    """What training makes."""

    bundle: Bundle
    twin: Bundle
    forward: Table
    recipe: Document
    card: Document
    page: Page
    digest: str
    size: int
    seconds: float
    answer: Answer
    learnt_until: int | None
    twin_learnt_until: int | None


def run(inputs: Inputs, params: Params, out: Out) -> Outputs:  # noqa: ARG001 - the form of a task
    """Make the challenger and its twin, and export both."""
    began = time.process_time()
    signing_key = read_signing_key()
    problem, run = read_problem_and_run(out.store, inputs)
    case = TrainingCase(
        problem=problem,
        run=run,
        plan=read_artifact(out.store, inputs.plan, TrainingPlan),
        dataset=read_dataset(out.store, inputs),
        limits=RetrainLimits(),
        signing_key=signing_key,
        folder=out.scratch,
    )
    made = _make(case, out)
    bundle = out.bundle(made.shipped.folder, made.shipped.digest)
    recipe = Recipe(
        answer=made.answer,
        shipped=made.shipped.digest,
        twin=made.twin.digest,
        since=made.window.since,
        half_life_days=made.window.half_life_days,
        lost=made.lost,
        tried=made.tried,
        refits=int(made.forward.step.max()) + 1,
        refit_change=made.forward.refit_change,
    )
    return Outputs(
        bundle=bundle,
        twin=out.bundle(made.twin.folder, made.twin.digest),
        forward=write_table(out, "forward", forward_table(made.forward)),
        recipe=out.document("recipe", recipe),
        card=out.document("card", made.shipped.card),
        page=out.page("page", page(case.plan, made.hold_out, made.shipped.card, bundle, run)),
        digest=made.shipped.digest,
        size=bundle.bytes,
        seconds=round(time.process_time() - began, 1),
        answer=made.answer,
        learnt_until=made.learnt_until,
        twin_learnt_until=made.twin_learnt_until,
    )


def _make(case: TrainingCase, out: Out) -> Challenger:
    """Make the challenger: in time, forward over the judged rows; else by the vault."""
    if case.problem.split_by != "time":
        return fit_without_time(case)
    rule = split_rule(case.problem, case.run, out.store)
    data = retrain_rows(
        case.dataset, case.dataset.rows("vault"), rule.gap_seconds, rule.onset, case.limits
    )
    if not data.steps:
        sentence = "No labelled row lies before the judged ones; collect a longer window."
        raise Refused(sentence)
    learnt = learnt_by_champion(out.store, case.run, by="time")
    serving = read_serving(out.store, case, data, learnt)
    tried: tuple[TriedAnswer, ...] = ()
    if serving is not None and case.run.replay is not None:
        cheap, tried = adjust(case, data, serving)
        if cheap is not None:
            return replace(cheap, forward=judge_informed(data, cheap.forward, case.limits))
    recipe = recipe_of_champion(out.store, case.run)
    known = case.plan.window if case.run.champion is not None else None
    if recipe is not None:
        known = TrainingWindow(since=recipe.since, half_life_days=recipe.half_life_days)
    made = refit_in_time(case, data, known)
    if serving is not None:
        made = with_recovery(made, case, data, serving, tried)
    return replace(made, forward=judge_informed(data, made.forward, case.limits))


def read_signing_key() -> bytes:
    """Return the private key of the file that the environment names.

    Raises InvalidRequest where there is none: a bundle without a signature is never made.
    """
    path = os.environ.get(KEY_VARIABLE)
    if not path:
        sentence = f"{KEY_VARIABLE} is not set; it must name the file of the signing key."
        raise InvalidRequest(sentence)
    try:
        return Path(path).read_bytes()
    except OSError as error:
        sentence = (
            f"the signing key {path!r} cannot be read ({error.strerror}); {KEY_VARIABLE} names it."
        )
        raise InvalidRequest(sentence) from error


task = Task("training", run)
