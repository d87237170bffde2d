"""Interfaces of a platform: the same for this machine and for a cluster.

Two packages implement them: `perennial.local` with processes, `perennial.kubernetes` with kubectl.
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
"""Called with a line of progress or a warning."""


@dataclass(frozen=True)
class ComponentStatus:
    """One component: a process on a machine, a Deployment on a cluster."""

    state: str
    """waiting, preparing, running, restarting, stopped."""
    process: dict[str, object] | None
    """Identifies it: `pid` and the time `began`, or `pod`."""
    restarts: int
    problem: str
    """The last error as one sentence; empty where there is none."""

    @property
    def name(self) -> str:
        """Its process id or its pod's name; a hyphen without either."""
        process = self.process or {}
        return str(process.get("pid") or process.get("pod") or "-")


@dataclass(frozen=True)
class PlatformStatus:
    """State of the components, and of the platform as a whole."""

    components: dict[str, ComponentStatus] = field(default_factory=dict)
    waiting_for: str | None = None
    """The name of the first component that is not ready; None when all are."""
    memory_bytes: int | None = None
    """None without the right to read it."""


class Platform(Protocol):
    """A running platform."""

    def store(self) -> "Store":
        """Open the store."""

    def airflow(self) -> "Airflow":
        """Return the client of its Airflow."""

    def service(self, problem: str) -> "Service | None":
        """Return the client of a problem's service; None before the first deployment."""

    def rollout_target(self, problem: str) -> "RolloutTarget":
        """Return what a model of the problem is rolled out to."""

    def pinned(self, problem: str) -> frozenset[str]:
        """Return the digests that are referenced outside the store; `gc` must keep them."""

    def problems(self) -> list[str]:
        """Return the names of its problems, sorted."""

    def check_problem(self, problem: Problem) -> None:
        """Check that the platform has the problem's file and the variables that it mentions.

        Raises:
            InvalidRequest: something is missing or different.
        """

    def status(self) -> PlatformStatus:
        """Return the state of its components."""

    def faults(self, problem: str) -> list[str]:
        """Return a sentence for each fault of this problem that needs a person."""

    def links(self) -> dict[str, str]:
        """Return URLs and paths for a person, and where the password is."""


class PlatformLocation(Protocol):
    """Where a platform runs: started, connected to and stopped from here."""

    @property
    def problems(self) -> tuple[Path, ...]:
        """The folders of the problem files; the first that has a problem counts."""

    @property
    def unit(self) -> str:
        """What its components are counted in: processes or pods."""

    def up(self, report: Report, overlay: str | None) -> float:
        """Start the platform and wait until it is ready; return the seconds that it took."""

    def down(self, report: Report) -> int:
        """Stop it and keep its data; return the number of processes or pods."""

    def connect(self) -> AbstractContextManager[Platform]:
        """Yield the platform; connections to it are closed at exit.

        Raises:
            InvalidRequest: it is not up.
        """
