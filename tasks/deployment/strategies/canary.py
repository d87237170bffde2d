"""Bake a canary on a share of the requests first; only one that passes is rolled out to every pod."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from contract.champion import Champion
from contract.log import log
from contract.problem.serving import Canary
from contract.rollout.strategy import Attempt
from contract.rollout.target import RolloutFailed
from tasks.deployment.canary.bake import Bake
from tasks.deployment.canary.counts import answers, read_tallies
from tasks.deployment.kubernetes.canary_deployment import CanaryDeployment, CanaryNotes
from tasks.deployment.kubernetes.cluster import Cluster
from tasks.deployment.limits import Limits
from tasks.deployment.model_rollout import ModelRollout, roll_out_and_verify
from tasks.deployment.result import ServiceObservations

LOOKS = 8  # in the time for which a canary must get no request
# After its own time: for its pods to start, for the rollout to all, and for two more tries.
SPARE = timedelta(minutes=30)

_log = log("deployment")


@dataclass(frozen=True)
class CanaryFirst:
    """The strategy of a problem that asks for a canary, in a cluster, beside a champion."""

    rollout: ModelRollout
    cluster: Cluster
    canary: Canary
    champion: Champion

    def begin(self) -> None:
        """Acquire the canary's Deployment for the run, as `Strategy`."""
        self._acquire()

    def bring_into_service(self) -> Attempt[ServiceObservations]:
        """Bake what is left of the steps, then roll out to every pod and verify, as `Strategy`."""
        notes = self._acquire()
        try:
            model = self.rollout.load(notes.digest)
            champion = self.rollout.load(notes.champion)
        except RolloutFailed as error:
            return Attempt(ServiceObservations(), str(error))
        steps, failure = Bake(self.cluster, self.rollout, self.canary, model, champion).run(notes)
        observed = ServiceObservations(steps=steps)
        if failure is not None:
            return Attempt(observed, failure)
        return roll_out_and_verify(self.rollout, model, observed)

    def end(self) -> None:
        """Release the canary's Deployment, as `Strategy`."""
        release(self.cluster, self.rollout.run.run_id, self.rollout.limits)

    def _acquire(self) -> CanaryNotes:
        """Return the notes of the run: those of an earlier try, where there was one."""
        now = datetime.now(UTC)
        notes = CanaryNotes(
            run=self.rollout.run.run_id,
            digest=self.rollout.digest,
            champion=self.champion.digest,
            step=0,
            began=now,
            until=now + self.canary.longest + SPARE,
        )
        return self.cluster.canary.acquire(notes)


def release(cluster: Cluster, run: str, limits: Limits) -> None:
    """Let the champion's pods answer everything, and take away the canary's, if it is the run's."""
    if cluster.route.move(0.0):
        _wait_until_idle(cluster.canary, limits)
    cluster.canary.scale_down(run)


def _wait_until_idle(canary: CanaryDeployment, limits: Limits) -> None:
    """Wait until a Gateway sends nothing more: one that finds no pod answers 503 in its place."""
    digest = canary.target.rolled_out()
    began = changed = time.monotonic()
    last: int | None = None
    while digest is not None and time.monotonic() - changed < limits.idle:
        if time.monotonic() - began > limits.idle_timeout:
            _log.warning("the canary still gets requests", seconds=limits.idle_timeout)
            return
        count = sum(map(answers, read_tallies(canary.pods, digest).values()))
        if count != last:
            last, changed = count, time.monotonic()
        time.sleep(limits.idle / LOOKS)
