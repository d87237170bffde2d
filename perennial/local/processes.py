"""Processes by pid and start time, so that a pid that was given to another program is never hit."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psutil

from perennial.local.environment import MARK

POLL_SECONDS = 0.05
AFTER_TERM_SECONDS = 5  # for what is left when the leaders of the groups are gone
LOG_BYTES = 5_000_000  # a component's log that is longer begins anew; one older file is kept


@dataclass(frozen=True)
class Known:
    """A process that was seen: its pid, and when it began in the system's own words."""

    pid: int
    began: str


class Process(Protocol):
    """A child that leads a group of its own; `subprocess.Popen` is one."""

    pid: int
    returncode: int | Any
    """None while it runs, or was not collected yet."""

    def poll(self) -> int | None:
        """Return the exit code, None while it runs."""

    def wait(self) -> int:
        """Wait for its end and return the exit code."""


def begin_of(pid: int) -> str | None:
    """Return when the process with this pid began, None where there is none.

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


def know(pid: int) -> Known:
    """Return the process with this pid as it can be found again."""
    return Known(pid=pid, began=begin_of(pid) or "gone")


def is_alive(known: Known) -> bool:
    """Tell whether that very process still runs; one that ended and was not collected does not."""
    if begin_of(known.pid) != known.began:
        return False
    try:
        return bool(psutil.Process(known.pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def start(
    command: Sequence[str],
    environment: Mapping[str, str],
    log: Path,
    folder: Path,
    stdin: int = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own; both of its streams are appended to `log`."""
    descriptor = open_log(log)
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


def open_log(log: Path) -> int:
    """Return a descriptor that appends to `log`; one that has become too long begins anew."""
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_suffix(".1.log"))
    return os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def has_ended(process: Process) -> bool:
    """Tell whether `process` ended, and end what is left of its group before it is collected.

    The order matters: while the dead leader is not collected its pid names the group and nothing
    else, so no stranger can be hit. A killed scheduler leaves its workers behind otherwise.
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


def stop(leaders: Iterable[Known], mark: Path | None, grace_seconds: float) -> int:
    """End `leaders`, their descendants, and whatever carries `mark`; return how many there were.

    Leaders are asked first (SIGTERM) and have `grace_seconds` to end their own children; what is
    still there then is asked, and killed after `AFTER_TERM_SECONDS`.
    """
    alive = [psutil.Process(known.pid) for known in leaders if is_alive(known)]
    everyone = {process.pid: process for process in alive}
    for process in alive:
        with contextlib.suppress(psutil.Error):
            everyone |= {child.pid: child for child in process.children(recursive=True)}
    everyone |= {process.pid: process for process in marked(mark)}
    _signal(alive, signal.SIGTERM)
    _wait(alive, grace_seconds)
    rest = {process.pid: process for process in everyone.values() if _runs(process)}
    rest |= {process.pid: process for process in marked(mark)}
    _signal(rest.values(), signal.SIGTERM)
    stubborn = _wait(rest.values(), AFTER_TERM_SECONDS)
    _signal(stubborn, signal.SIGKILL)
    _wait(stubborn, AFTER_TERM_SECONDS)
    return len(everyone)


def marked(mark: Path | None) -> list[psutil.Process]:
    """Return the processes that were started with `mark` in their environment, but this one."""
    if mark is None:
        return []
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            # Root's platform may keep a database as another user.
            is_ours = process.pid != os.getpid() and os.getuid() in {0, process.uids().real}
            if is_ours and process.environ().get(MARK) == str(mark) and _runs(process):
                found.append(process)
    return found


def family(mark: Path) -> list[psutil.Process]:
    """Return the marked processes with their descendants: a database's write a title over it."""
    found = {process.pid: process for process in marked(mark)}
    for process in list(found.values()):
        with contextlib.suppress(psutil.Error):
            found |= {child.pid: child for child in process.children(recursive=True)}
    return list(found.values())


def memory_bytes(mark: Path) -> int:
    """Return the memory of the platform's processes, a shared page counted once (PSS)."""
    total = 0
    for process in family(mark):
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
    container may be never: psutil's own waiting would take it for alive.
    """
    deadline = time.monotonic() + seconds
    left = [process for process in processes if _runs(process)]
    while left and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        left = [process for process in left if _runs(process)]
    return left


def _signal(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        # psutil compares the start time first and refuses a pid that was given away.
        with contextlib.suppress(psutil.Error):
            process.send_signal(number)
