"""One process that is kept alive: started, watched, restarted after a pause that grows.

A component on demand ends by itself when it has nothing to do, which is no fault.
"""

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from contract.log import log
from perennial.local import processes
from perennial.local.state import ComponentState

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
SETTLED_SECONDS = 60.0  # a process that lived that long is restarted after the first pause again


@dataclass
class Component:
    """A process, how it is started and what must be true before."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    folder: Path
    may_start: Callable[[], bool] = lambda: True
    """Called before every start: tells whether what it needs is there, as a migrated database."""
    stdin: int = subprocess.DEVNULL
    is_on_demand: bool = False
    """It may end with exit code 0, which is no fault: it waits until it may start again."""
    starter: "Callable[[Component], processes.Process | None] | None" = None
    """Starts it in place of `command` itself; None while that is under way."""
    now: Callable[[], float] = time.monotonic
    last_exit: int | None = None
    seen: ComponentState = field(default_factory=lambda: ComponentState(state="waiting"))
    _process: processes.Process | None = None
    _started: float = 0.0
    _next_start: float = 0.0
    _pause: float = FIRST_PAUSE_SECONDS

    def poll(self) -> bool:
        """Note the end of the process, start it where it is due; tell whether its state changed.

        It never waits.
        """
        before = (self.seen.state, self.seen.process)
        if self._process is not None and processes.has_ended(self._process):
            self._note_end(self._process.returncode)
        if self._process is None and self.now() >= self._next_start and self.may_start():
            self._start()
        return before != (self.seen.state, self.seen.process)

    def _start(self) -> None:
        self._process = (
            self.starter(self)
            if self.starter
            else processes.start(self.command, self.environment, self.log, self.folder, self.stdin)
        )
        if self._process is None:
            return
        self._started = self.now()
        self.seen.state = "running"
        self.seen.process = processes.ProcessRef.from_pid(self._process.pid)
        log("platform").info("started", component=self.name, pid=self._process.pid)

    def _note_end(self, code: int) -> None:
        lived = self.now() - self._started
        if self.is_on_demand and code == 0:
            self._process, self.last_exit = None, code
            self.seen.state, self.seen.process = "waiting", None
            return
        self._pause = (
            FIRST_PAUSE_SECONDS
            if lived > SETTLED_SECONDS
            else min(self._pause * 2, LONGEST_PAUSE_SECONDS)
        )
        self._next_start = self.now() + self._pause
        self._process = None
        self.last_exit = code
        self.seen.state = "restarting"
        self.seen.process = None
        self.seen.restarts += 1
        self.seen.problem = f"ended with exit code {code} after {lived:.0f} s; see {self.log}"
        log("platform").warning(
            "ended", component=self.name, exit=code, lived=round(lived, 1), again_in=self._pause
        )
