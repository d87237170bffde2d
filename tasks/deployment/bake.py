"""A canary at work: step by step a larger share, until it has shown enough, or has failed.

Everything is polled and everything is noted on the Deployment itself, so a stage that is lost in
mid-bake goes on where it was when it is tried again.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bundle import Model
from contract.errors import TryAgain
from contract.log import log
from contract.problem.serving import Canary
from contract.problem.units import format_duration
from contract.run import Run
from contract.store.client import Store
from contract.store.ledger import Kind, Ledger, LedgerEntry
from tasks.deployment.canary import Notes, pods_for
from tasks.deployment.checks import Failed, ask_service, send_canaries
from tasks.deployment.cluster import Cluster
from tasks.deployment.counting import Count, answers, ask_pods
from tasks.deployment.judging import Step, compare, fault_at_a_look, fault_at_the_end
from tasks.deployment.kubernetes import digest_of
from tasks.deployment.rows import agreement, bake_rows, check_agreement

LOOK_SECONDS = 5.0
LOOKS = 20  # at least, in a step
AWAY_SECONDS = 120.0  # how long the API or the store may be away before the stage is tried again

_log = log("deployment")


@dataclass
class Bake:
    """The canary of one run."""

    cluster: Cluster
    store: Store
    wish: Canary
    this: Run
    model: Model
    champion: Model
    api_key: str
    limit: float
    """Seconds that 99 of 100 requests may take."""
    moved: Callable[[], str | None]
    """Tells why the champion is no longer the one of the notes."""
    steps: list[Step] = field(default_factory=list)
    """What each step showed, also where the canary failed."""
    _canary: Count = field(default_factory=lambda: Count(from_now=False))
    _stable: Count = field(default_factory=lambda: Count(from_now=True))
    _noted: set[str] = field(default_factory=set)

    def run(self, notes: Notes) -> None:
        """Bake what is left of the steps.

        Raises:
            Failed: the canary must not go on.
            TryAgain: the API or the store is away for long.
        """
        if notes.step == len(self.wish.steps):
            return  # an earlier try; the champion's pods may be at the new model by now
        self.cluster.stable.wait_until_served(notes.champion, self.api_key)
        while notes.step < len(self.wish.steps):
            notes = self._bake(notes)

    def _bake(self, notes: Notes) -> Notes:
        """Bake one step and return the notes of the next."""
        wanted = self.wish.steps[notes.step]
        routed = self.cluster.route.is_there()
        stable = int(self.cluster.stable.found()["spec"].get("replicas", 1))
        pods = pods_for(wanted, stable, routed=routed)
        share = wanted if routed else pods / (pods + stable)
        self.cluster.canary.wake(notes, pods, self.this.window_end)
        self.cluster.canary.wait_until_served(notes.digest, self.api_key)
        if routed:
            self.cluster.route.move(share)
        self._look(notes)
        if notes.step_began is None:
            before = answers(self._canary.total())
            began = {"step_began": datetime.now(UTC), "before": before}
            notes = notes.model_copy(update=began)
            self.cluster.canary.write(notes)
        past = f"; so far {self.steps[-1].sentence}" if self.steps else ""
        place = f"Step {notes.step + 1} of {len(self.wish.steps)}"
        by = "the route" if routed else f"{pods} of {pods + stable} pods"
        self._note(
            "progress", notes, f"{place}: {100 * share:.0f}% of the requests, by {by}{past}."
        )
        alike = self._send_rows()
        self._wait(notes, pods, share)
        self._send_rows()
        canary, champion = self._canary.total(), self._stable.total()
        step = compare(canary, champion, share).model_copy(update={"agreement": alike})
        self.steps.append(step)
        fault = fault_at_the_end(step, canary, champion, self.limit)
        if fault is not None:
            raise Failed(fault)
        done = notes.model_copy(update={"step": notes.step + 1, "step_began": None})
        self.cluster.canary.write(done)
        if done.step == len(self.wish.steps):
            sentence = f"All steps are done ({step.sentence}); it rolls out to every pod."
            self._note("progress", done, sentence)
        return done

    def _wait(self, notes: Notes, pods: int, share: float) -> None:
        """Look until the step has lasted long enough and the canary has answered enough.

        Raises:
            Failed: it must end now.
        """
        seen = time.monotonic()
        while True:
            try:
                self._watch(notes, pods, share)
                self._look(notes)
                seen = time.monotonic()
            except TryAgain as error:
                if time.monotonic() - seen > AWAY_SECONDS:
                    raise
                _log.warning("waiting", why=str(error))
            step = compare(self._canary.total(), self._stable.total(), share)
            fault = fault_at_a_look(step)
            if fault is not None:
                self.steps.append(step)
                raise Failed(fault)
            if self._is_done(notes, step.answers - notes.before):
                return
            time.sleep(min(LOOK_SECONDS, self.wish.bake.total_seconds() / LOOKS))

    def _is_done(self, notes: Notes, found: int) -> bool:
        """Tell whether the step is done; hold where only requests are lacking.

        Raises:
            Failed: it has held too long.
        """
        now, wish = datetime.now(UTC), self.wish
        if now < (notes.step_began or now) + wish.bake:
            return False
        if found >= wish.min_requests:
            return True
        told = f"the canary was asked {found:,} of {wish.min_requests:,} times in its step"
        if now > notes.began + wish.longest:
            held = format_duration(wish.max_hold)
            raise Failed(
                f"After {held} of holding {told}; lower serving.rollout.canary.min_requests, "
                "give it more time, or roll out without a canary."
            )
        until = notes.began + wish.longest
        self._note("hold", notes, f"Too few to judge: {told}; it holds until {until:%H:%M} UTC.")
        return False

    def _watch(self, notes: Notes, pods: int, share: float) -> None:
        """See that the canary and the champion are who they were.

        Raises:
            Failed: one is not.
        """
        stable = self.cluster.stable
        fault = self.cluster.canary.disturbed(notes, pods)
        if fault is None and digest_of(stable.found()) != notes.champion:
            fault = (
                f"Somebody else has rolled out another model in {stable.name}, beside which the "
                "canary was judged."
            )
        fault = fault or self.moved() or self.cluster.canary.fault(notes.digest, self.api_key)
        if fault is not None:
            raise Failed(fault)
        if self.cluster.route.move(share):
            _log.warning("the route's weights were put back", share=share)

    def _look(self, notes: Notes) -> None:
        """Count what both tracks have answered."""
        self._canary.look(ask_pods(self.cluster.canary, notes.digest, self.api_key))
        self._stable.look(ask_pods(self.cluster.stable, notes.champion, self.api_key))

    def _send_rows(self) -> float | None:
        """Send the bake rows to the canary alone and return how often the champion agrees.

        Raises:
            Failed: it answers otherwise than its own reader, or agrees too seldom.
        """
        now = datetime.now(UTC)
        rows = bake_rows(self.store, self.this.name, self.model, self.champion, now)
        model, url = self.model, self.cluster.canary.url
        ask_service(url, self.api_key, model, lambda client: send_canaries(client, model, rows))
        alike = agreement(self.model, self.champion, rows)
        check_agreement(alike)
        return alike

    def _note(self, kind: Kind, notes: Notes, reason: str) -> None:
        """Write the ledger's line; the same run writes it once for a step."""
        name = f"{self.this.run_id}/{kind}/{notes.step}"
        if name in self._noted:
            return
        self._noted.add(name)
        Ledger(self.store, self.this.name).append(
            LedgerEntry(
                id=name,
                kind=kind,
                at=self.this.window_end,
                written=datetime.now(UTC),
                run=self.this.run_id,
                by=self.this.by,
                digest=notes.digest,
                previous=notes.champion,
                reason=reason,
            )
        )


def champion_moved(etag: str | None, now: str | None) -> str | None:
    """Return in one sentence that the champion is another one; None: it is not."""
    if etag == now:
        return None
    return "The champion was moved while the canary baked, so it was judged beside the wrong model."
