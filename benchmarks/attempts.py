"""One try of a stage: when it is killed, how it ended, and what a stage's tries came to."""

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from contract.stages import STAGES
from contract.store.reference import artifacts_in

KILLED = -signal.SIGKILL


@dataclass(frozen=True)
class Attempt:
    """One process of a stage."""

    code: int
    """Its exit code; -9 where it was killed."""
    output: str
    seconds: float
    work_seconds: float
    """From its first request to the store to the first object that it put."""
    puts: tuple[str, ...]
    """Keys that it put, oldest first."""


_ORDINALS = ("", "first", "second")


@dataclass(frozen=True)
class Kill:
    """When a stage is killed: so long after its first request, or when so many objects stand."""

    after_seconds: float | None = None
    """At the latest where it wants to put its first object, which does not pass then."""
    after_puts: int | None = None

    def __str__(self) -> str:
        if self.after_puts is not None:
            return f"the moment the {_ORDINALS[self.after_puts]} object that it put stood"
        return f"in mid-work, {self.after_seconds:.2f} s after its first request to the store"


HALFWAY = 0.5
"""Of the undisturbed stage's work."""
# The first object that it puts, each time: those that stand already are not put again.
NEXT = Kill(after_puts=1)
MOMENTS: Mapping[str, tuple[Kill | float, ...]] = MappingProxyType(
    dict.fromkeys(STAGES, (HALFWAY, NEXT))
    | {
        # These change more than their own folder: killed behind each such change.
        "collection": (HALFWAY, NEXT, Kill(after_puts=2)),
        "deployment": (HALFWAY, NEXT, NEXT, NEXT),
        "monitoring": (HALFWAY, NEXT, Kill(after_puts=2)),
    }
)
"""When each stage is killed: in the middle of its work, and behind an object that it put."""


@dataclass(frozen=True)
class Death:
    """A kill and what it left."""

    kill: Kill
    attempt: Attempt
    left: tuple[str, ...]
    """Keys of the problem that were not there before the stage began."""


@dataclass(frozen=True)
class StageTrial:
    """One stage: undisturbed, killed as often as was wished, run again to its end."""

    stage: str
    undisturbed: Attempt
    undisturbed_keys: frozenset[str]
    undisturbed_manifest: dict[str, Any]
    deaths: tuple[Death, ...]
    again: Attempt
    keys: frozenset[str]
    manifest: dict[str, Any]

    @property
    def differing(self) -> set[str]:
        """The outputs whose sha256 is not that of the undisturbed run."""
        before, after = self.undisturbed_manifest["outputs"], self.manifest["outputs"]
        names = before.keys() | after.keys()
        return {name for name in names if _digests(before[name]) != _digests(after[name])}


def _digests(output: object) -> list[str]:
    return [artifact.sha256 for artifact in artifacts_in(output, "an output of the manifest")]
