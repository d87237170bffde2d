"""Put the accepted model into service, check it there, then make it the champion; or go back.

Takes    problem, run, bundle, verdict
Makes    deployed, page                    the checks in service and their results
Facts    outcome, digest, url, latency_p99, reason   `deployed` or `returned`, the model, where it
                                           answers, seconds for 99 of 100 requests, and why
Refuses  a verdict that is not `accepted`, judged another model, or beat a champion who has gone
Source   Humble and Farley, "Continuous Delivery", Addison-Wesley 2010, chapter 10 (canary releasing)
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from contract.artifacts import Bundle, Document, Page
from contract.champion import Champion
from contract.formatting import format_digest, plain_text
from contract.rollout.strategy import Attempt
from contract.rollout.switch import Change, current_champion, switch
from contract.run import Run
from contract.runtime.inputs import read_problem_and_run
from contract.runtime.task import Task
from contract.store.client import Store
from contract.store.ledger import Ledger, LedgerEntry
from contract.store.writer import Out
from contract.strict import Strict
from contract.verdict import Verdict
from tasks.deployment.admission import (
    check_verdict,
    load_model,
    read_api_key,
    read_verdict,
    read_verify_keys,
)
from tasks.deployment.environment import DeploymentEnvironment, process_environment
from tasks.deployment.latency import busy_note
from tasks.deployment.limits import Limits
from tasks.deployment.model_rollout import ModelRollout
from tasks.deployment.page import page
from tasks.deployment.result import Deployed, ServiceObservations

Connect = Callable[[Store, str, str], DeploymentEnvironment]
"""Returns where a problem is deployed, by its store, its name and the service's API key."""


class Inputs(Strict):
    """What it takes."""

    problem: Document
    run: Document
    bundle: Bundle
    verdict: Document


class Params(Strict):
    """It has none: limits are the problem's."""


class Outputs(Strict):
    """What it makes."""

    deployed: Document
    page: Page
    outcome: Literal["deployed", "returned"]
    digest: str
    url: str | None
    latency_p99: float | None
    reason: str


@dataclass(frozen=True)
class DeploymentStage:
    """The stage; a test connects it to services of its own and shortens its waits."""

    connect: Connect = process_environment
    limits: Limits = field(default_factory=Limits)

    def run(self, inputs: Inputs, params: Params, out: Out) -> Outputs:  # noqa: ARG002 - there are none
        """Have the model serve and be the champion, or the champion serve as before; say why."""
        problem, run = read_problem_and_run(out.store, inputs)
        Ledger(out.store, run.name).entries()  # damage to it ends this before anything moves
        verdict = read_verdict(out.store.read(inputs.verdict))
        digest = inputs.bundle.digest
        change = plan_change(out.store, run, digest, inputs.verdict.sha256)
        is_champion = change.champion is None  # by an earlier try of this run
        check_verdict(verdict, digest, verdict.baseline if is_champion else change.current.digest)
        api_key, keys = read_api_key(), read_verify_keys()
        environment = self.connect(out.store, run.name, api_key)
        limit = problem.gates.latency_p99.total_seconds()
        rollout = ModelRollout(
            store=out.store,
            run=run,
            digest=digest,
            current=change.current,
            target=environment.target,
            load=lambda model: load_model(out.store, run.name, model, keys, out.scratch),
            api_key=api_key,
            latency_limit=limit,
            limits=self.limits,
        )
        strategy = environment.strategy(rollout, problem.serving.canary)
        result = switch(
            out.store,
            environment.target,
            change,
            strategy,
            lambda attempt: ledger_entry(run, summarize(digest, verdict, attempt, limit)),
        )
        deployed = summarize(digest, verdict, result.attempt, limit)
        return Outputs(
            deployed=out.document("deployed", deployed),
            page=out.page("page", page(deployed, run, rollout.latency_limit)),
            outcome=deployed.outcome,
            digest=digest,
            url=deployed.url,
            latency_p99=deployed.latency_p99,
            reason=deployed.reason,
        )


def plan_change(store: Store, run: Run, digest: str, verdict: str) -> Change:
    """Return the change of the champion; `verdict` is the sha256 of what let the model in.

    Raises:
        DamagedDocument: the champion cannot be read, so it is unknown which model would be replaced.
    """
    current = current_champion(store, run.name)
    champion = current.readable()
    is_champion = champion is not None and (champion.digest, champion.run) == (digest, run.run_id)
    new = Champion(
        digest=digest,
        run=run.run_id,
        verdict=verdict,
        since=run.window_end,
        nonce=uuid.uuid4().hex,
    )
    return Change(
        problem=run.name,
        digest=digest,
        at=run.window_end,
        current=current,
        champion=None if is_champion else new,
    )


def summarize(
    digest: str, verdict: Verdict, attempt: Attempt[ServiceObservations], latency_limit: float
) -> Deployed:
    """Return the document of an attempt: the outcome, its reason, and what was observed.

    `latency_limit` in seconds.
    """
    observed = attempt.evidence
    return Deployed(
        digest=digest,
        previous=verdict.baseline,
        outcome="deployed" if attempt.failure is None else "returned",
        reason=_reason(verdict, observed, latency_limit)
        if attempt.failure is None
        else attempt.failure,
        **dict(observed),
    )


def ledger_entry(run: Run, deployed: Deployed) -> LedgerEntry:
    """Return the ledger's line; the same run writes it once."""
    return LedgerEntry(
        id=f"{run.run_id}/{deployed.outcome}",
        kind=deployed.outcome,
        at=run.window_end,
        written=datetime.now(UTC),
        run=run.run_id,
        by=run.by,
        digest=deployed.digest,
        previous=deployed.previous,
        reason=deployed.reason,
    )


def _reason(verdict: Verdict, observed: ServiceObservations, latency_limit: float) -> str:
    against = (
        "the first model"
        if verdict.baseline is None
        else f"against {format_digest(verdict.baseline)}"
    )
    rows = 0 if observed.canary is None else observed.canary.rows
    score = "" if verdict.score is None else f", {verdict.metric} {verdict.score:.4g}"
    if verdict.yardstick is not None and verdict.yardstick.score is not None:
        score = f", {plain_text(verdict.yardstick.sentence)}"
    steps = len(observed.steps)
    baked = f", after {steps} steps of a canary" if steps else ""
    note = busy_note(observed.latency, latency_limit)
    busy = f"; {note}" if note else ""
    return (
        f"Accepted as {verdict.rule} ({against}{score}); {rows} canary rows answered alike{baked}"
        f"{busy}."
    )


task = Task("deployment", DeploymentStage().run)
