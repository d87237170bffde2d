"""Train the model that may be served: fit the plan on train and validation, never on the vault.

Takes    problem, run, prepared, schema, assignment, plan
Makes    bundle, card, page   the bundle is signed, read back and compared
Facts    digest, size, seconds   size in bytes, seconds of CPU
Refuses  a class without a labelled row, a member that the bundle's reader does not reproduce
Source   Mitchell et al., "Model Cards for Model Reporting", FAT* 2019
"""

import os
import time
from pathlib import Path

from contract.artifacts import Bundle, Document, Page
from contract.errors import InvalidRequest
from contract.runtime.inputs import read_problem_and_run
from contract.runtime.task import Task
from contract.store.documents import read_artifact
from contract.store.writer import Out
from contract.strict import Strict
from methods.models.dataset import Prepared, read_dataset
from methods.models.families import TrainingPlan
from methods.models.fitting import fit_plan
from tasks.training.export import bundle_contract, export, model_card
from tasks.training.hold_out import score_hold_out
from tasks.training.page import page

KEY_VARIABLE = "PERENNIAL_SIGNING_KEY"


class Inputs(Prepared):
    """What training takes."""

    plan: Document


class Params(Strict):
    """Training has no parameters: the plan has them."""


class Outputs(Strict):
    """What training makes."""

    bundle: Bundle
    card: Document
    page: Page
    digest: str
    size: int
    seconds: float


def run(inputs: Inputs, params: Params, out: Out) -> Outputs:  # noqa: ARG001 - the form of a task
    """Fit on train for unbiased scores of validation, refit on both, and export."""
    began = time.process_time()
    signing_key = read_signing_key()
    problem, run = read_problem_and_run(out.store, inputs)
    plan = read_artifact(out.store, inputs.plan, TrainingPlan)
    dataset = read_dataset(out.store, inputs)
    forward = problem.split_by == "time"
    train, validation = dataset.rows("train"), dataset.rows("validation")
    fitted = fit_plan(plan, dataset, train, dataset.weights(train, run.window_end, plan.window))
    hold_out = score_hold_out(plan, fitted, dataset, validation, problem, forward=forward)
    both = dataset.rows("train", "validation")
    refitted = fit_plan(plan, dataset, both, dataset.weights(both, run.window_end, plan.window))
    card = model_card(plan, hold_out, run, len(both), run.window_end, forward=forward)
    folder = out.scratch / "bundle"
    digest = export(
        folder,
        plan=plan,
        refitted=refitted,
        hold_out=hold_out,
        table=dataset.take(both),
        contract=bundle_contract(dataset.schema, problem),
        card=card,
        signing_key=signing_key,
    )
    bundle = out.bundle(folder, digest)
    return Outputs(
        bundle=bundle,
        card=out.document("card", card),
        page=out.page("page", page(plan, hold_out, card, bundle, run)),
        digest=digest,
        size=bundle.bytes,
        seconds=round(time.process_time() - began, 1),
    )


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
