"""Put the accepted model into service, check it there, then make it the champion; or go back.

Takes    problem, run, bundle, verdict
Makes    deployed, page                    what was checked in service and found
Facts    outcome, digest, url, latency_p99, reason   `deployed` or `returned`, the model, where it
                                           answers, seconds for 99 of 100 requests, and why
Refuses  a verdict that is not `accepted`, judged another model, or beat a champion who has gone
Source   Humble and Farley, "Continuous Delivery", Addison-Wesley 2010, chapter 10 (canary releasing)
"""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import bundle as bundles
from contract.artifacts import Bundle, Document, Page
from contract.champion import Champion
from contract.errors import Conflict, TryAgain
from contract.problem import Problem
from contract.run import Run
from contract.runtime.task import Task
from contract.store.client import Store
from contract.store.documents import read_artifact
from contract.store.ledger import Kind, Ledger, LedgerEntry
from contract.store.writer import Out
from contract.strict import Strict
from contract.verdict import Verdict
from tasks.deployment.admission import (
    check_verdict,
    read_api_key,
    read_verdict,
    read_verify_keys,
)
from tasks.deployment.bake import Bake, champion_moved
from tasks.deployment.checks import Failed, ask_service, measure, send_canaries, wait_until_served
from tasks.deployment.cluster import Cluster, environment_cluster
from tasks.deployment.judging import Step
from tasks.deployment.page import draw
from tasks.deployment.place import begin, end
from tasks.deployment.pointers import Pointers
from tasks.deployment.report import Deployed

# A supervisor starts the first service within 3 s of the rollout, and that takes 10 s when busy.
SERVE_SECONDS = 60.0


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


def run(inputs: Inputs, params: Params, out: Out) -> Outputs:  # noqa: ARG001 - there are none
    """Roll out, check, crown; on any failure roll back to the champion and say why."""
    problem = read_artifact(out.store, inputs.problem, Problem)
    this = read_artifact(out.store, inputs.run, Run)
    Ledger(
        out.store, this.name
    ).entries()  # one that cannot be read ends this before anything moves
    judged = read_verdict(out.store.read(inputs.verdict))
    pointers = Pointers(out.store, this.name)
    cluster = environment_cluster(this.name)
    rollout = cluster or pointers
    champion, etag = pointers.champion()
    digest = inputs.bundle.digest
    again = champion is not None and (champion.digest, champion.run) == (digest, this.run_id)
    check_verdict(judged, digest, judged.baseline if again else _digest_of(champion))
    api_key, keys = read_api_key(), read_verify_keys()
    limit = problem.gates.latency_p99.total_seconds()
    found = Deployed(digest=digest, previous=judged.baseline, outcome="deployed", reason="")
    wish = problem.serving.canary
    notes = begin(cluster, wish, this, digest, champion) if cluster else None
    steps: list[Step] = []
    try:
        model = load(out.store, this.name, digest, keys, out.scratch)
        if cluster and wish and notes:
            Bake(
                cluster=cluster,
                store=out.store,
                wish=wish,
                this=this,
                model=model,
                champion=load(out.store, this.name, notes.champion, keys, out.scratch),
                api_key=api_key,
                limit=limit,
                moved=lambda: champion_moved(etag, pointers.champion()[1]),
                steps=steps,
            ).run(notes)
        rollout.roll_out(digest, this.window_end)
        found = ask(cluster or out.store, this.name, model, api_key, found)
        check_latency(found, limit)
        if not again:
            crowned = Champion(
                digest=digest,
                run=this.run_id,
                verdict=inputs.verdict.sha256,
                since=this.window_end,
                nonce=uuid.uuid4().hex,
            )
            pointers.crown(crowned, etag)
        found = found.model_copy(update={"reason": _reason(judged, found, len(steps))})
    except (Failed, Conflict) as error:
        if again:  # it has won already: what fails now is the service, not the deployment
            raise TryAgain(str(error)) from error
        if cluster:
            end(cluster, this.run_id, api_key)
        now_serving, _ = pointers.champion()
        rollout.roll_out(_digest_of(now_serving), this.window_end)
        found = found.model_copy(update={"outcome": "returned", "reason": str(error)})
    else:
        if cluster:
            end(cluster, this.run_id, api_key)
    found = found.model_copy(update={"steps": tuple(steps)})
    write_down(Ledger(out.store, this.name), this, found)
    return Outputs(
        deployed=out.document("deployed", found),
        page=out.page("page", draw(found, this, limit)),
        outcome=found.outcome,
        digest=digest,
        url=found.url,
        latency_p99=found.latency_p99,
        reason=found.reason,
    )


def write_down(ledger: Ledger, this: Run, found: Deployed) -> None:
    """Write the ledger's line; the same run writes it once."""
    kind: Kind = found.outcome
    ledger.append(
        LedgerEntry(
            id=f"{this.run_id}/{kind}",
            kind=kind,
            at=this.window_end,
            written=datetime.now(UTC),
            run=this.run_id,
            by=this.by,
            digest=found.digest,
            previous=found.previous,
            reason=found.reason,
        )
    )


def load(
    store: Store, name: str, digest: str, keys: Sequence[bytes], folder: Path
) -> bundles.Model:
    """Return the model as its own reader sees it; nothing is rolled out before.

    Raises:
        Failed: the bundle in the store is not whole, or not signed by one of the keys.
    """
    try:
        return bundles.load(bundles.fetch(store, name, digest, folder), digest=digest, keys=keys)
    except bundles.BundleRefused as error:
        raise Failed(f"The bundle is refused by its own reader: {error}") from error


def ask(
    place: Cluster | Store, name: str, model: bundles.Model, api_key: str, found: Deployed
) -> Deployed:
    """Ask the service all questions and return the report with its answers.

    `place` knows where the service is: the cluster, or the store on one machine.

    Raises:
        Failed: an answer is not what is expected.
    """
    if isinstance(place, Cluster):
        url = place.wait_until_served(model.digest, api_key)
    else:
        url = wait_until_served(place, name, model.digest, api_key, SERVE_SECONDS)
    canary, latency = ask_service(
        url, api_key, model, lambda client: (send_canaries(client, model), measure(client, model))
    )
    return found.model_copy(update={"url": url, "canary": canary, "latency_p99": latency})


def check_latency(found: Deployed, limit: float) -> None:
    """Go on only if the service is fast enough; `limit` in seconds.

    Raises:
        Failed: it is not, or it was not measured.
    """
    latency = found.latency_p99
    if latency is None or not latency <= limit:
        took = "an unknown time" if latency is None else f"up to {latency * 1000:.1f} ms"
        sentence = (
            f"99 of 100 requests take {took}, at most {limit * 1000:g} ms are allowed by "
            "gates.latency_p99."
        )
        raise Failed(sentence)


def _reason(verdict: Verdict, found: Deployed, steps: int) -> str:
    against = "the first model" if verdict.baseline is None else f"against {verdict.baseline[:12]}"
    rows = 0 if found.canary is None else found.canary.rows
    score = "" if verdict.score is None else f", {verdict.metric} {verdict.score:.4g}"
    baked = f", after {steps} steps of a canary" if steps else ""
    return (
        f"Accepted as {verdict.rule} ({against}{score}); {rows} canary rows answered alike{baked}."
    )


def _digest_of(champion: Champion | None) -> str | None:
    return champion.digest if champion else None


task = Task("deployment", run)
