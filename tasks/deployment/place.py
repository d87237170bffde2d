"""The canary's place: taken before its bake, and left when the champion answers everything again."""

import time
from datetime import UTC, datetime, timedelta

from contract.champion import Champion
from contract.log import log
from contract.problem.serving import Canary
from contract.run import Run
from tasks.deployment.canary import CanaryDeployment, Notes
from tasks.deployment.cluster import Cluster
from tasks.deployment.counting import answers, ask_pods

UNASKED_SECONDS = 2.0  # a Gateway's new weights have come through when it has been so long silent
UNASKED_LIMIT_SECONDS = 60.0
LOOKS = 8  # in the time of silence
# After its own time: for its pods to start, for the rollout to all, and for two more tries.
SPARE = timedelta(minutes=30)

_log = log("deployment")


def begin(
    cluster: Cluster, wish: Canary | None, this: Run, digest: str, champion: Champion | None
) -> Notes | None:
    """Take the canary's place, or find it taken by this run; None: this rollout has no canary.

    A first model has nobody to be compared with.

    Raises:
        Conflict: another run has a canary at work.
    """
    if wish is None or champion is None or champion.digest == digest:
        cluster.canary.keep_off(this.run_id)
        return None
    now = datetime.now(UTC)
    notes = Notes(
        run=this.run_id,
        digest=digest,
        champion=champion.digest,
        step=0,
        began=now,
        until=now + wish.longest + SPARE,
    )
    return cluster.canary.claim(notes)


def end(cluster: Cluster, run: str, api_key: str) -> None:
    """Let the champion's pods answer everything, and take away the canary's."""
    if cluster.route.move(0.0):
        _wait_until_unasked(cluster.canary, api_key)
    cluster.canary.sleep(run)


def _wait_until_unasked(canary: CanaryDeployment, api_key: str) -> None:
    """Wait until a Gateway sends nothing more: one that finds no pod answers 503 in their place."""
    digest = canary.digest()
    began = changed = time.monotonic()
    seen: int | None = None
    while digest is not None and time.monotonic() - changed < UNASKED_SECONDS:
        if time.monotonic() - began > UNASKED_LIMIT_SECONDS:
            _log.warning("the canary is still asked", seconds=UNASKED_LIMIT_SECONDS)
            return
        found = sum(map(answers, ask_pods(canary, digest, api_key).values()))
        if found != seen:
            seen, changed = found, time.monotonic()
        time.sleep(UNASKED_SECONDS / LOOKS)
