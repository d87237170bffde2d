"""Processes by pid and start time: a signal never reaches a program that got the pid later."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

import psutil

from perennial.local.environment import MARK

POLL_SECONDS = 0.05
AFTER_TERM_SECONDS = 5  # for descendants that are left when the leaders have ended
LOG_BYTES = 5_000_000  # a component's log that is longer is rotated; one older file is kept


@dataclass(frozen=True)
class ProcessRef:
    """A process by its pid and its start time, as `start_time` returns it."""

    pid: int
    began: str

    @classmethod
    def from_pid(cls, pid: int) -> Self:
        """Return the process that has this pid now."""
        return cls(pid=pid, began=start_time(pid) or "gone")


class Process(Protocol):
    """A child that leads a process group; `subprocess.Popen` is one."""

    pid: int
    returncode: int | Any
    """None while it runs, or was not collected yet."""

    def poll(self) -> int | None:
        """Return the exit code, None while it runs."""

    def wait(self) -> int:
        """Wait for its end and return the exit code."""


def start_time(pid: int) -> str | None:
    """Return the start time of the process with this pid, None where there is none.

    On Linux in clock ticks of this boot: exact, and untouched by a clock that is set.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        if Path("/proc/self/stat").exists():
            return None
        try:
            return f"{psutil.Process(pid).create_time():.2f}"
        except psutil.Error:
            return None
    return f"{boot}:{fields[19]}"


def is_alive(reference: ProcessRef) -> bool:
    """Tell whether this process still runs; a zombie does not."""
    if start_time(reference.pid) != reference.began:
        return False
    try:
        return bool(psutil.Process(reference.pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def start(
    command: Sequence[str],
    environment: Mapping[str, str],
    log: Path,
    folder: Path,
    stdin: int = subprocess.DEVNULL,
    *,
    max_log_bytes: int = LOG_BYTES,
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own; both of its streams are appended to `log`."""
    descriptor = open_log(log, max_log_bytes)
    try:
        return subprocess.Popen(
            command,
            env=dict(environment),
            cwd=folder,
            stdin=stdin,
            stdout=descriptor,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    finally:
        os.close(descriptor)


def open_log(log: Path, max_bytes: int = LOG_BYTES) -> int:
    """Return a descriptor that appends to `log`; a log that is too long is rotated first."""
    if log.exists() and log.stat().st_size > max_bytes:
        log.replace(log.with_suffix(".1.log"))
    return os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def has_ended(process: Process) -> bool:
    """Tell whether `process` ended, and end what is left of its group before it is collected.

    The order matters: until the zombie is collected, its pid names this group and no other. A
    killed scheduler leaves its workers behind otherwise.
    """
    if process.returncode is not None:
        return True
    try:
        if psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
            return False
    except psutil.NoSuchProcess:
        process.poll()
        return True
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return True


def stop(
    leaders: Iterable[ProcessRef],
    mark: Path | None,
    grace_seconds: float,
    *,
    kill_after_seconds: float = AFTER_TERM_SECONDS,
) -> int:
    """End `leaders`, their descendants and the processes with `mark`; return how many there were.

    Leaders get a SIGTERM first and have `grace_seconds` to end their own children; what is left
    then gets a SIGTERM as well, and a SIGKILL after `kill_after_seconds`.
    """
    alive = [psutil.Process(leader.pid) for leader in leaders if is_alive(leader)]
    everyone = {process.pid: process for process in alive}
    for process in alive:
        with contextlib.suppress(psutil.Error):
            everyone |= {child.pid: child for child in process.children(recursive=True)}
    everyone |= {process.pid: process for process in by_marker(mark)}
    _signal(alive, signal.SIGTERM)
    _wait(alive, grace_seconds)
    rest = {process.pid: process for process in everyone.values() if _runs(process)}
    rest |= {process.pid: process for process in by_marker(mark)}
    _signal(rest.values(), signal.SIGTERM)
    overdue = _wait(rest.values(), kill_after_seconds)
    _signal(overdue, signal.SIGKILL)
    _wait(overdue, AFTER_TERM_SECONDS)
    return len(everyone)


def by_marker(mark: Path | None) -> list[psutil.Process]:
    """Return the processes that were started with `mark` in their environment, without this one."""
    if mark is None:
        return []
    marked = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            # Root's platform may run a component as another user.
            is_ours = process.pid != os.getpid() and os.getuid() in {0, process.uids().real}
            if is_ours and process.environ().get(MARK) == str(mark) and _runs(process):
                marked.append(process)
    return marked


def tree(mark: Path) -> list[psutil.Process]:
    """Return the processes with `mark` in their environment, and all their descendants.

    PostgreSQL's children write a title over their environment.
    """
    members = {process.pid: process for process in by_marker(mark)}
    for process in list(members.values()):
        with contextlib.suppress(psutil.Error):
            members |= {child.pid: child for child in process.children(recursive=True)}
    return list(members.values())


def memory_bytes(mark: Path) -> int:
    """Return the memory of the platform's processes, each shared page counted once (PSS)."""
    total = 0
    for process in tree(mark):
        with contextlib.suppress(psutil.Error):
            full = process.memory_full_info()
            total += getattr(full, "pss", full.rss)
    return total


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _wait(processes: Iterable[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Wait until they have ended; return those that have not.

    An orphan that ended is a zombie until the system's first process collects it, which in a
    container may be never: `psutil.wait_procs` would count it as alive.
    """
    deadline = time.monotonic() + seconds
    running = [process for process in processes if _runs(process)]
    while running and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        running = [process for process in running if _runs(process)]
    return running


def _signal(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        # psutil compares the start time first and refuses a pid that another process has now.
        with contextlib.suppress(psutil.Error):
            process.send_signal(number)
