"""Where a platform is, as a command sees it: the same words for this machine and for a cluster.

Two rooms fill them in: `perennial.local` starts processes, `perennial.kubernetes` asks kubectl.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from contract.problem import Problem

if TYPE_CHECKING:  # `validate` and `plan` need no HTTP and no S3
    from contract.rollout.target import RolloutTarget
    from contract.store.client import Store
    from perennial.clients.airflow_api import Airflow
    from perennial.clients.service import Service

Report = Callable[[str], None]
"""Told a line whenever there is news: what is waited for, what a person may want to mend."""


@dataclass(frozen=True)
class ComponentStatus:
    """One component: a process on a machine, a Deployment on a cluster."""

    state: str
    """waiting, preparing, running, restarting, stopped."""
    process: dict[str, object] | None
    """How it is found: `pid` and when it `began`, or the `pod`."""
    restarts: int
    problem: str
    """The last thing that went wrong, one sentence; empty where nothing did."""

    @property
    def name(self) -> str:
        """What a person finds it by."""
        found = self.process or {}
        return str(found.get("pid") or found.get("pod") or "-")


@dataclass(frozen=True)
class Condition:
    """How the platform is."""

    components: dict[str, ComponentStatus] = field(default_factory=dict)
    waiting_for: str | None = None
    """What is not ready yet, in words; None when everything answers."""
    memory_bytes: int | None = None
    """None where nobody may know it."""


class Platform(Protocol):
    """A platform that is up."""

    def store(self) -> "Store":
        """Open the store."""

    def airflow(self) -> "Airflow":
        """Return the client of its Airflow."""

    def service(self, problem: str) -> "Service | None":
        """Return the client of a problem's service; None where none ever served."""

    def rollout_target(self, problem: str) -> "RolloutTarget":
        """Return what a model of the problem is rolled out to."""

    def pinned(self, problem: str) -> frozenset[str]:
        """Return the digests that are named outside the store, so that nobody removes them."""

    def problems(self) -> list[str]:
        """Return the names of the problems that it knows, sorted."""

    def check_problem(self, problem: Problem) -> None:
        """See that a run of the problem would find what its file says and mentions.

        Raises:
            AskedWrongly: it would not.
        """

    def condition(self) -> Condition:
        """Return how it is."""

    def faults(self, problem: str) -> list[str]:
        """Return a sentence for each thing of this problem that waits for a person."""

    def links(self) -> dict[str, str]:
        """Return where a person looks, and where the password stands."""


class PlatformLocation(Protocol):
    """Where a platform is, or will be."""

    @property
    def problems(self) -> tuple[Path, ...]:
        """The folders of the problem files; the first that has a problem counts."""

    @property
    def unit(self) -> str:
        """What its parts are: processes, or pods."""

    def up(self, report: Report, overlay: str | None) -> float:
        """Start the platform and wait until it answers; return the seconds that it took."""

    def down(self, report: Report) -> int:
        """Stop it and keep what it stored; return how many of its unit there were."""

    def opened(self) -> AbstractContextManager[Platform]:
        """Yield the platform; whatever leads to it is closed behind it.

        Raises:
            AskedWrongly: it is not up.
        """
