"""How a model comes into service: at once, by a canary, or by whatever a strategy does first.

A strategy is one class; `contract.rollout.switch` decides by what it returns and never by which
one it is.
"""

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

E_co = TypeVar("E_co", covariant=True)


@dataclass(frozen=True)
class Attempt(Generic[E_co]):
    """A model was brought into service, or should not stay there."""

    evidence: E_co
    """What was observed, as far as it came."""
    failure: str | None = None
    """Why the model should not serve, one sentence; None: it serves, and was checked."""
    is_final: bool = False
    """Another try changes nothing: the service refused the model itself."""


class Strategy(Protocol[E_co]):
    """How one digest comes into one problem's service."""

    def begin(self) -> None:
        """Acquire what the strategy needs; acquiring it again in a second try changes nothing.

        Raises:
            Conflict: another run has it; nothing was changed.
        """

    def bring_into_service(self) -> Attempt[E_co]:
        """Roll the model out to every process or pod, and check what is served.

        A second try goes on where the first was lost.

        Raises:
            TryAgain: the API or the store is away, so nothing was decided.
        """

    def end(self) -> None:
        """Release what `begin` acquired, before the champion is rolled out again, or after the swap."""
