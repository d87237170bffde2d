"""A canary at work: step by step a larger share, until it has shown enough, or has failed.

Everything is polled and everything is noted on the Deployment itself, so a stage that is lost in
mid-bake goes on where it was when it is tried again.
"""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from bundle import Model
from contract.errors import Conflict, TryAgain
from contract.log import log
from contract.problem.serving import Canary
from contract.problem.units import write_duration
from contract.rollout.deployment import template_digest
from contract.rollout.switch import current_champion
from contract.rollout.target import RolloutFailed, wait_until_served
from contract.store.ledger import Kind, Ledger, LedgerEntry
from tasks.deployment.canary.comparison import Step, compare_tallies, final_failure, interim_failure
from tasks.deployment.canary.counts import Count, answers, read_tallies
from tasks.deployment.canary.traffic import agreement, bake_rows, check_agreement
from tasks.deployment.kubernetes.canary_deployment import CanaryNotes, pods_for
from tasks.deployment.kubernetes.cluster import Cluster
from tasks.deployment.model_rollout import ModelRollout
from tasks.deployment.verification import ask_service, send_golden_rows

LOOKS = 20  # at least, in a step

_log = log("deployment")


class BakeResult(NamedTuple):
    """What a bake showed."""

    steps: tuple[Step, ...]
    """As far as this try saw them, also where the canary failed."""
    failure: str | None = None
    """Why the canary must not go on; None: it has shown enough."""


class _StepResult(NamedTuple):
    notes: CanaryNotes
    """Of the next step."""
    step: Step
    failure: str | None


@dataclass
class Bake:
    """The canary of one run."""

    cluster: Cluster
    rollout: ModelRollout
    canary: Canary
    """As the problem file asks for it."""
    model: Model
    champion: Model
    _canary_count: Count = field(default_factory=lambda: Count(from_now=False))
    _stable_count: Count = field(default_factory=lambda: Count(from_now=True))
    _noted: set[str] = field(default_factory=set)

    def run(self, notes: CanaryNotes) -> BakeResult:
        """Bake what is left of the steps.

        Raises:
            TryAgain: the API or the store is away for long.
        """
        steps: tuple[Step, ...] = ()
        if notes.step == len(self.canary.steps):
            return BakeResult(steps)  # an earlier try; the champion's pods may be at the new model
        try:
            wait_until_served(self.cluster.stable, notes.champion)
            while notes.step < len(self.canary.steps):
                notes, step, failure = self._bake(notes, steps)
                steps = (*steps, step)
                if failure is not None:
                    return BakeResult(steps, failure)
        except (RolloutFailed, Conflict) as error:
            return BakeResult(steps, str(error))
        return BakeResult(steps)

    def _bake(self, notes: CanaryNotes, earlier: tuple[Step, ...]) -> _StepResult:
        """Bake one step.

        Raises:
            RolloutFailed: the canary must not go on, and this step showed no figures.
        """
        wanted = self.canary.steps[notes.step]
        routed = self.cluster.route.is_there()
        stable = int(self.cluster.stable.resource()["spec"].get("replicas", 1))
        pods = pods_for(wanted, stable, routed=routed)
        share = wanted if routed else pods / (pods + stable)
        self.cluster.canary.scale_up(notes, pods, self.rollout.run.window_end)
        wait_until_served(self.cluster.canary.target, notes.digest)
        if routed:
            self.cluster.route.move(share)
        self._count(notes)
        if notes.step_began is None:
            before = answers(self._canary_count.total())
            began = {"step_began": datetime.now(UTC), "before": before}
            notes = notes.model_copy(update=began)
            self.cluster.canary.write(notes)
        past = f"; so far {earlier[-1].sentence}" if earlier else ""
        position = f"Step {notes.step + 1} of {len(self.canary.steps)}"
        means = "the route" if routed else f"{pods} of {pods + stable} pods"
        self._note(
            "progress", notes, f"{position}: {100 * share:.0f}% of the requests, by {means}{past}."
        )
        agreed = self._send_rows()
        failed = self._wait(notes, pods, share)
        if failed is not None:
            return failed
        self._send_rows()
        canary, champion = self._canary_count.total(), self._stable_count.total()
        step = compare_tallies(canary, champion, share).model_copy(update={"agreement": agreed})
        failure = final_failure(step, canary, champion, self.rollout.latency_limit)
        if failure is not None:
            return _StepResult(notes, step, failure)
        done = notes.model_copy(update={"step": notes.step + 1, "step_began": None})
        self.cluster.canary.write(done)
        if done.step == len(self.canary.steps):
            sentence = f"All steps are done ({step.sentence}); it rolls out to every pod."
            self._note("progress", done, sentence)
        return _StepResult(done, step, None)

    def _wait(self, notes: CanaryNotes, pods: int, share: float) -> _StepResult | None:
        """Look until the step is long enough and has enough answers; return it where it failed.

        Raises:
            RolloutFailed: somebody interfered, a pod crashed, or it held too long.
        """
        seen = time.monotonic()
        limits = self.rollout.limits
        while True:
            now = datetime.now(UTC)  # the time and the counts are of the same moment
            try:
                self._watch(notes, pods, share)
                self._count(notes)
                seen = time.monotonic()
            except TryAgain as error:
                if time.monotonic() - seen > limits.away:
                    raise
                _log.warning("waiting", why=str(error))
            step = compare_tallies(self._canary_count.total(), self._stable_count.total(), share)
            failure = interim_failure(step)
            if failure is not None:
                return _StepResult(notes, step, failure)
            if self._is_done(notes, step.answers - notes.before, now):
                return None
            time.sleep(min(limits.poll, self.canary.bake.total_seconds() / LOOKS))

    def _is_done(self, notes: CanaryNotes, answered: int, now: datetime) -> bool:
        """Tell whether the step is done; hold where only requests are lacking.

        Raises:
            RolloutFailed: it has held too long.
        """
        canary = self.canary
        if now < (notes.step_began or now) + canary.bake:
            return False
        if answered >= canary.min_requests:
            return True
        count = f"the canary had {answered:,} of {canary.min_requests:,} requests in its step"
        if now > notes.began + canary.longest:
            held = write_duration(canary.max_hold)
            raise RolloutFailed(
                f"After {held} of holding {count}; lower serving.rollout.canary.min_requests, "
                "give it more time, or roll out without a canary."
            )
        until = notes.began + canary.longest
        self._note("hold", notes, f"Too few to judge: {count}; it holds until {until:%H:%M} UTC.")
        return False

    def _watch(self, notes: CanaryNotes, pods: int, share: float) -> None:
        """See that the canary and the champion are what they were.

        Raises:
            RolloutFailed: one is not.
        """
        cluster = self.cluster
        failure = cluster.canary.interference(notes, pods)
        if failure is None and template_digest(cluster.stable.resource()) != notes.champion:
            failure = (
                f"Somebody else has rolled out another model in {cluster.stable.name}, beside which "
                "the canary was judged."
            )
        failure = failure or self._champion_moved() or cluster.canary.pods.failure(notes.digest)
        if failure is not None:
            raise RolloutFailed(failure)
        if cluster.route.move(share):
            _log.warning("the route's weights were put back", share=share)

    def _champion_moved(self) -> str | None:
        """Return in one sentence that the champion is another one; None: it is not."""
        now = current_champion(self.rollout.store, self.rollout.run.name)
        now.readable()
        if now.etag == self.rollout.current.etag:
            return None
        return "The champion was moved while the canary baked, so it was judged beside the wrong model."

    def _count(self, notes: CanaryNotes) -> None:
        """Count what both tracks have answered."""
        cluster = self.cluster
        self._canary_count.update(read_tallies(cluster.canary.pods, notes.digest))
        self._stable_count.update(read_tallies(cluster.stable_pods, notes.champion))

    def _send_rows(self) -> float | None:
        """Send the bake rows to the canary alone and return how often the champion agrees.

        Raises:
            RolloutFailed: it answers otherwise than its own reader, or agrees too seldom.
        """
        rollout, model = self.rollout, self.model
        rows = bake_rows(rollout.store, rollout.run.name, model, self.champion, datetime.now(UTC))
        ask_service(
            self.cluster.canary.target.url,
            rollout.api_key,
            model,
            lambda client: send_golden_rows(client, model, rows),
            follow_seconds=rollout.limits.follow,
        )
        share = agreement(model, self.champion, rows)
        check_agreement(share)
        return share

    def _note(self, kind: Kind, notes: CanaryNotes, reason: str) -> None:
        """Write the ledger's line; the same run writes it once for a step."""
        run = self.rollout.run
        name = f"{run.run_id}/{kind}/{notes.step}"
        if name in self._noted:
            return
        self._noted.add(name)
        Ledger(self.rollout.store, run.name).append(
            LedgerEntry(
                id=name,
                kind=kind,
                at=run.window_end,
                written=datetime.now(UTC),
                run=run.run_id,
                by=run.by,
                digest=notes.digest,
                previous=notes.champion,
                reason=reason,
            )
        )
