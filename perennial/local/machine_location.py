"""This machine as a location of the platform: its processes, its folders of problems."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contract.errors import InvalidRequest
from perennial.local.home import Home
from perennial.local.machine_platform import MachinePlatform, open_platform
from perennial.platform import Report
from perennial.waits import USUAL, Waits


class MachineLocation:
    """The platform of one machine: a `perennial.platform.PlatformLocation`."""

    def __init__(self, home: Home, waits: Waits = USUAL) -> None:
        self._home = home
        self._waits = waits

    unit = "processes"

    @property
    def problems(self) -> tuple[Path, ...]:
        """The folders of the problem files."""
        return self._home.problem_folders

    def up(self, report: Report, overlay: str | None) -> float:
        """Start the platform and wait until it is ready; return the seconds.

        Raises:
            InvalidRequest: an overlay is given, which is for a cluster.
        """
        if overlay is not None:
            sentence = f"--overlay {overlay!r} is for a cluster; say --on kubernetes as well."
            raise InvalidRequest(sentence)
        from perennial.local.lifecycle import up  # noqa: PLC0415 - processes, which `plan` must not pay

        limit = self._waits.machine_ready
        return up(self._home, lambda what: report(f"waiting for {what} …"), limit)

    def down(self, report: Report) -> int:
        """Stop every process; return how many there were."""
        from perennial.local.lifecycle import down  # noqa: PLC0415 - as above

        return down(self._home, lambda what: report(f"stopping {what} …"))

    @contextmanager
    def connect(self) -> Iterator[MachinePlatform]:
        """Yield the platform.

        Raises:
            InvalidRequest: it is not up.
        """
        yield open_platform(self._home, self._waits)
