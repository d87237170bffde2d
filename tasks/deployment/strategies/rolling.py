"""Roll out to the one process, or pod by pod, at once; check what is served; that is all."""

from collections.abc import Callable
from dataclasses import dataclass

from contract.rollout.strategy import Attempt
from contract.rollout.target import RolloutFailed
from tasks.deployment.model_rollout import ModelRollout, roll_out_and_verify
from tasks.deployment.result import ServiceObservations


def _nothing() -> None:
    """Do nothing: on one machine there is no canary."""


@dataclass(frozen=True)
class Rolling:
    """The strategy of one process, of a first model, and of a problem without a canary."""

    rollout: ModelRollout
    ensure_free: Callable[[], None] = _nothing
    """Raises `Conflict` while another run has a canary at work beside these pods."""
    release: Callable[[], None] = _nothing
    """Releases a canary that an earlier try of this run had."""

    def begin(self) -> None:
        """Refuse to replace pods beside which a canary is judged, as `Strategy`."""
        self.ensure_free()

    def bring_into_service(self) -> Attempt[ServiceObservations]:
        """Roll out and verify, as `Strategy`."""
        try:
            model = self.rollout.load(self.rollout.digest)
        except RolloutFailed as error:
            return Attempt(ServiceObservations(), str(error))
        return roll_out_and_verify(self.rollout, model, ServiceObservations())

    def end(self) -> None:
        """Release what an earlier try left, as `Strategy`."""
        self.release()
