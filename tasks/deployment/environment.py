"""Where this process deploys: one machine, or a cluster; and the strategy that a rollout takes there."""

import os
from dataclasses import dataclass
from typing import Protocol

from contract.problem.serving import Canary
from contract.rollout.pointer import PointerTarget
from contract.rollout.strategy import Strategy
from contract.rollout.target import RolloutTarget
from contract.store.client import Store
from tasks.deployment.client import read_info
from tasks.deployment.kubernetes.cluster import Cluster
from tasks.deployment.model_rollout import ModelRollout
from tasks.deployment.result import ServiceObservations
from tasks.deployment.strategies.canary import CanaryFirst, release
from tasks.deployment.strategies.rolling import Rolling


class DeploymentEnvironment(Protocol):
    """One problem's service, and what can be done before a model is rolled out to all of it."""

    @property
    def target(self) -> RolloutTarget:
        """What a model is rolled out to."""

    def strategy(
        self, rollout: ModelRollout, canary: Canary | None
    ) -> Strategy[ServiceObservations]:
        """Return how the model comes into service; `canary` as the problem file asks for it."""


@dataclass(frozen=True)
class Machine:
    """One process that follows a pointer: it has no share of the requests to give to a canary."""

    target: RolloutTarget

    def strategy(
        self,
        rollout: ModelRollout,
        canary: Canary | None,  # noqa: ARG002 - see above
    ) -> Strategy[ServiceObservations]:
        """Roll out at once."""
        return Rolling(rollout)


@dataclass(frozen=True)
class ClusterEnvironment:
    """Pods behind one Service."""

    cluster: Cluster

    @property
    def target(self) -> RolloutTarget:
        """The champion's pods."""
        return self.cluster.stable

    def strategy(
        self, rollout: ModelRollout, canary: Canary | None
    ) -> Strategy[ServiceObservations]:
        """Bake a canary where one is asked for and there is a champion to compare it with."""
        champion, run = rollout.current.champion, rollout.run.run_id
        if canary is not None and champion is not None and champion.digest != rollout.digest:
            return CanaryFirst(rollout, self.cluster, canary, champion)
        return Rolling(
            rollout,
            ensure_free=lambda: self.cluster.canary.ensure_free(run),
            release=lambda: release(self.cluster, run, rollout.limits),
        )


def process_environment(store: Store, problem: str, api_key: str) -> DeploymentEnvironment:
    """Return where this process deploys, by its environment variables."""
    cluster = Cluster.from_environment(problem, api_key, os.environ)
    if cluster is not None:
        return ClusterEnvironment(cluster)
    return Machine(PointerTarget(store, problem, lambda url: read_info(url, api_key)))
