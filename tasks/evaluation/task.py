"""The gate: is the model good enough on hold-out rows, and better than the one that serves?

Takes    problem, run, prepared, assignment, bundle, twin, forward, recipe
Makes    verdict, page   accepted or refused, with every check; a refusal is written to the ledger
Facts    outcome, yardstick, score, baseline, gain, probability, rows, latency_p99_ms, reason
Refuses  nothing: a refusal is a verdict; a bundle that cannot be read ends the stage
Source   Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, sections 8.6 and 16.4
"""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from bundle.remote import read_model
from contract.artifacts import Bundle, Document, Page, Table
from contract.champion import Champion
from contract.errors import NotFound, Refused
from contract.recipe import Recipe
from contract.run import Run
from contract.runtime.inputs import read_problem_and_run
from contract.runtime.task import Task
from contract.store.documents import read_artifact
from contract.store.ledger import Ledger, LedgerEntry
from contract.store.writer import Out
from contract.strict import Strict
from contract.verdict import Verdict
from methods.retrain.thresholds import RetrainLimits
from methods.split.folds import read_assignment
from methods.tables.parquet import read_table
from tasks.evaluation.judged import (
    check_agreement,
    check_twin,
    find_stand_in,
    read_scores,
    strata_of,
)
from tasks.evaluation.page import page
from tasks.evaluation.service import latency_seconds
from tasks.evaluation.vault import open_vault, vault_rows
from tasks.evaluation.verdict import Baseline, apply_gates


class Inputs(Strict):
    """What the gate takes."""

    problem: Document
    run: Document
    prepared: Table
    assignment: Table
    bundle: Bundle
    twin: Bundle | None = None
    """What was judged for the bundle; None: it is judged itself."""
    forward: Table | None = None
    """The twin's scores of the judged rows, and those of the refits before it."""
    recipe: Document | None = None


class Params(Strict):
    """The gate has no parameters: the problem's `gates` say it all."""


class Outputs(Strict):
    """What the gate makes."""

    verdict: Document
    page: Page
    outcome: Literal["accepted", "refused"]
    yardstick: str
    """What `score`, `baseline` and `gain` are of, and their unit."""
    score: float | None
    baseline: float | None
    gain: float | None
    probability: float | None
    rows: int
    latency_p99_ms: float
    reason: str | None
    """The first sentence of a refusal."""


def run(inputs: Inputs, params: Params, out: Out) -> Outputs:  # noqa: ARG001 - the form of a task
    """Score challenger and champion on the vault and apply the gates."""
    problem, run = read_problem_and_run(out.store, inputs)
    cache = out.scratch / "models"
    model = read_model(out.store, run.name, inputs.bundle.digest, cache)
    table = read_table(out.store, inputs.prepared)
    assignment = read_assignment(read_table(out.store, inputs.assignment), table.num_rows)
    recipe = read_artifact(out.store, inputs.recipe, Recipe) if inputs.recipe else None
    judged = None
    if inputs.forward is not None:
        scores = read_table(out.store, inputs.forward)
        judged = read_scores(scores, vault_rows(table, assignment, model.contract))
    vault = open_vault(table, assignment, model.contract, judged.rows if judged else None)
    latency = latency_seconds(model)
    champion = read_champion(out, run.name, run.champion, cache)
    stand_in = find_stand_in(out.store, problem, run, vault, champion, model, cache)
    vault = replace(vault, strata=strata_of(judged, stand_in))
    further = stand_in.checks
    if judged is not None and inputs.twin is not None:
        twin = read_model(out.store, run.name, inputs.twin.digest, cache)
        agreement = check_agreement(
            vault, judged, model, recipe.refit_change if recipe else None, RetrainLimits()
        )
        further = (check_twin(vault, judged, twin), agreement, *further)
    result = apply_gates(
        problem,
        run,
        vault,
        model,
        champion,
        size_bytes=inputs.bundle.bytes,
        latency_seconds=latency,
        new=judged.scored if judged else None,
        old=stand_in.scored,
        further=further,
        twin=inputs.twin.digest if inputs.twin else None,
    )
    verdict = result.verdict.model_copy(
        update={
            "answer": recipe.answer if recipe else None,
            "recovered": recipe.tried[-1].recovered if recipe and recipe.tried else None,
            "stand_in": stand_in.digest,
            "stand_in_rows": stand_in.rows,
        }
    )
    result = replace(result, verdict=verdict)
    if verdict.verdict == "refused":
        Ledger(out.store, run.name).append(refusal(verdict, run))
    return Outputs(
        verdict=out.document("verdict", verdict),
        page=out.page(
            "page", page(result, vault, model.contract.task, run, latency_seconds=latency)
        ),
        outcome=verdict.verdict,
        yardstick=result.measured.label,
        score=result.measured.score,
        baseline=result.measured.baseline,
        gain=result.measured.gain,
        probability=result.measured.probability,
        rows=verdict.rows,
        latency_p99_ms=round(latency * 1e3, 4),
        reason=verdict.reasons[0] if verdict.reasons else None,
    )


def read_champion(
    out: Out, problem: str, champion: Champion | None, cache: Path
) -> Baseline | None:
    """Return the champion; one that is gone or damaged becomes a reason to refuse."""
    if champion is None:
        return None
    try:
        model = read_model(out.store, problem, champion.digest, cache)
    except (NotFound, Refused) as error:
        return Baseline(champion.digest, None, str(error))
    return Baseline(champion.digest, model)


def refusal(verdict: Verdict, run: Run) -> LedgerEntry:
    """Return the ledger's line about a decision not to promote."""
    return LedgerEntry(
        id=f"{run.run_id}/refused",
        kind="refused",
        at=run.window_end,
        written=datetime.now(UTC),
        run=run.run_id,
        by=run.by,
        digest=verdict.judged,
        previous=verdict.baseline,
        reason=f"Decision not to promote: {verdict.reasons[0]}",
        reasons=verdict.reasons,
        answer=verdict.answer,
        recovered=verdict.recovered,
    )


task = Task("evaluation", run)
