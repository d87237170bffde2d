"""A stage as a child process in a process group of its own, which never outlives its task."""

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Protocol

LINE_CHARACTERS = 16_384  # a longer line is cut in pieces: one line must not fill the memory
POLL_SECONDS = 0.05
KILL_SECONDS = 2.0  # SIGKILL needs no grace; a zombie that nobody reaps must not hold the task


class StageProcess(Protocol):
    """What leads a session of its own and writes both of its streams into one pipe."""

    pid: int

    @property
    def stdout(self) -> IO[str] | None:
        """The reading end of the pipe."""

    def poll(self) -> int | None:
        """Return the exit code where it has ended: minus the signal's number if one killed it."""

    def wait(self) -> int:
        """Wait for the end and return the exit code."""


def start(
    command: Sequence[str], environment: Mapping[str, str], folder: str
) -> subprocess.Popen[str]:
    """Start an interpreter of the stage's own."""
    # Where the task's process is killed with -9, the kernel sends SIGTERM to the child.
    setpriv = shutil.which("setpriv")
    tie = (setpriv, "--pdeathsig", "TERM") if setpriv else ()
    return subprocess.Popen(
        [*tie, *command],
        env=dict(environment),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )


class Child:
    """One process and all its descendants that stay in its group."""

    def __init__(self, process: StageProcess, grace_seconds: float = 10.0) -> None:
        self._grace_seconds = grace_seconds
        self._process = process
        # A descendant that holds the pipe would keep `lines` waiting after the child's end.
        self._watcher = threading.Thread(target=self._end_with_the_child, daemon=True)
        self._watcher.start()

    def lines(self) -> Iterator[str]:
        """Yield what the child writes, line by line, until it has ended."""
        stream = self._process.stdout
        if stream is not None:
            while line := stream.readline(LINE_CHARACTERS):
                yield line.rstrip("\n")

    def wait(self) -> int:
        """Return the exit code; minus the signal's number where one killed the child."""
        self._watcher.join()
        return self._process.wait()

    def end(self) -> None:
        """Send SIGTERM to the whole group, and kill what is left after the grace."""
        for sent, seconds in (
            (signal.SIGTERM, self._grace_seconds),
            (signal.SIGKILL, KILL_SECONDS),
        ):
            try:
                os.killpg(self._process.pid, sent)
            except ProcessLookupError:
                return
            if self._is_gone_within(seconds):
                return

    def close(self) -> None:
        """End the group and give the pipe back."""
        self.end()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _end_with_the_child(self) -> None:
        self._process.wait()
        self.end()

    def _is_gone_within(self, seconds: float) -> bool:
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            self._process.poll()
            try:
                os.killpg(self._process.pid, 0)
            except ProcessLookupError:
                return True
            time.sleep(POLL_SECONDS)
        return False
