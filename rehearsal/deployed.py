"""The deployment stage without a service: the bundle's own reader instead of requests over HTTP.

Everything else is the stage's own: the verdict is checked, the bundle is loaded with its signature
and golden rows, the champion moves by compare-and-swap and the ledger gets its line. The rows of a
rehearsal are answered in this process, so no service can be asked and no latency is measured.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from contract.champion import Champion
from contract.problem.serving import Canary
from contract.rollout.pointer import PointerTarget
from contract.rollout.strategy import Attempt, Strategy
from contract.rollout.target import RolloutFailed, RolloutTarget
from contract.runtime.task import Task
from contract.store.champion_pointer import champion_with_etag, set_champion
from contract.store.client import Store
from contract.store.ledger import Ledger, LedgerEntry
from tasks.deployment.environment import DeploymentEnvironment
from tasks.deployment.model_rollout import ModelRollout
from tasks.deployment.result import ServiceObservations
from tasks.deployment.task import DeploymentStage


@dataclass(frozen=True)
class ReaderOnly:
    """The strategy: the model serves once its own reader has taken it."""

    rollout: ModelRollout

    def begin(self) -> None:
        """Acquire nothing, as `Strategy`."""

    def bring_into_service(self) -> Attempt[ServiceObservations]:
        """Load the bundle and roll it out, as `Strategy`."""
        observed = ServiceObservations()
        try:
            model = self.rollout.load(self.rollout.digest)
        except RolloutFailed as error:
            return Attempt(observed, str(error))
        self.rollout.target.roll_out(model.digest, self.rollout.run.window_end)
        return Attempt(observed)

    def end(self) -> None:
        """Release nothing, as `Strategy`."""


@dataclass(frozen=True)
class InThisProcess:
    """Where a rehearsal deploys."""

    target: RolloutTarget

    def strategy(
        self,
        rollout: ModelRollout,
        canary: Canary | None,  # noqa: ARG002 - there are no requests to share
    ) -> Strategy[ServiceObservations]:
        """Roll out at once."""
        return ReaderOnly(rollout)


def deployment_task() -> Task[Any, Any, Any]:
    """Return the deployment stage that deploys into this process."""
    return Task("deployment", DeploymentStage(connect=_connect).run)


def deploy_ungated(store: Store, problem: str, run: str, digest: str, end: datetime) -> None:
    """Make a model the champion without any verdict: what a bare schedule does.

    Raises:
        DamagedDocument: the champion or the ledger cannot be read.
    """
    before, etag = champion_with_etag(store, problem)
    champion = Champion(digest=digest, run=run, verdict=None, since=end, nonce=uuid.uuid4().hex)
    if before is None or (before.digest, before.run) != (digest, run):
        set_champion(store, problem, champion, etag)
    Ledger(store, problem).append(
        LedgerEntry(
            id=f"{run}/deployed",
            kind="deployed",
            at=end,
            written=datetime.now(UTC),
            run=run,
            digest=digest,
            previous=before.digest if before else None,
            reason="Without a gate, as the rehearsal asks.",
        )
    )


def _connect(store: Store, problem: str, api_key: str) -> DeploymentEnvironment:
    del api_key
    return InThisProcess(PointerTarget(store, problem, lambda _: None))
