"""What a model is rolled out to: one problem's service, whatever starts and replaces its processes.

`contract.rollout.pointer` implements it for the service of one machine, which follows a document of
the store, and `contract.rollout.deployment` for a Deployment of Kubernetes.
"""

import time
from datetime import datetime
from typing import Protocol

from contract.errors import PerennialError


class RolloutFailed(PerennialError):
    """The model that was rolled out does not serve, or should not: the champion is rolled out again."""


class RolloutRefused(RolloutFailed):
    """The service itself refused the model: rolling it out again changes nothing."""


class RolloutTimeout(RolloutFailed):
    """The time limit of a rollout is over."""


class RolloutTarget(Protocol):
    """Which model a problem's service should serve, and which one answers."""

    @property
    def timeout_seconds(self) -> float:
        """How long a rollout may take until every request is answered with the new model."""

    @property
    def poll_seconds(self) -> float:
        """The pause between two requests of its status."""

    def check(self) -> None:
        """See that a rollout could be followed, before anything is changed.

        Raises:
            DamagedDocument: the service's address cannot be read.
            TryAgain: the store is away.
        """

    def rolled_out(self) -> str | None:
        """Return the digest that the service should serve; None before the first rollout.

        Raises:
            DamagedDocument: it is written down and cannot be read.
        """

    def roll_out(self, digest: str | None, at: datetime) -> None:
        """Have the service serve a digest; None: no model. Nothing is written where it is so.

        `at` is the run's `window_end`, or the moment of a change by hand.

        Raises:
            InvalidRequest: there is no such service, or no right to change it.
            Conflict: others keep changing it.
        """

    def served_at(self, digest: str) -> str | None:
        """Return the service's URL once every request is answered with `digest`; None: not yet.

        Raises:
            RolloutFailed: it never will be: another was rolled out; `RolloutRefused`: the service
                refused the model.
        """

    def pending_reason(self, digest: str) -> str:
        """Return what serves or hinders instead, as the rest of a sentence after "After 60 s"."""


def wait_until_served(
    target: RolloutTarget, digest: str, timeout_seconds: float | None = None
) -> str:
    """Return the service's URL once every request is answered with `digest`.

    `timeout_seconds` overrides the target's own.

    Raises:
        RolloutFailed: it never will be; `RolloutTimeout`: it took too long.
    """
    limit = target.timeout_seconds if timeout_seconds is None else timeout_seconds
    deadline = time.monotonic() + limit
    while True:
        url = target.served_at(digest)
        if url is not None:
            return url
        if time.monotonic() > deadline:
            raise RolloutTimeout(f"After {limit:g} s {target.pending_reason(digest)}")
        time.sleep(target.poll_seconds)
