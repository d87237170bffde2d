"""The warm interpreter of one machine: `python -m tasks.warm`, which forks a process a stage.

Its standard input is the socket that tasks of Airflow ask at (`contract/runtime/prefork/protocol.py`). It imports what
the stages import, once and in their order, and does nothing else before it forks: no thread of
Python's, no connection, no open file. The process of a stage has its own session, environment,
streams and folder, and runs what `python -m tasks` runs; it ends when its asker or this process
goes away. Code that was edited since is not run: who asks is sent away, to start an interpreter of
its own. Without a stage for `IDLE_SECONDS` it ends; the platform starts it again for the next.
"""

import contextlib
import gc
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module

from pydantic import ValidationError

from contract.log import configure, log
from contract.runtime.code_digest import code_stamps
from contract.runtime.exit import Leave
from contract.runtime.prefork.protocol import MESSAGE_BYTES, ForkReply, ForkRequest
from contract.runtime.process import start
from contract.stages import STAGES
from contract.store.client import Store
from tasks import __main__ as command
from tasks.forked import become, tie_to

IDLE_SECONDS = 15.0  # longer than the pause between two stages on a busy machine
ASK_SECONDS = 5.0  # for who is greeted to ask; it has its question ready
GRACE_SECONDS = 10.0  # for a stage whose asker went away, until it is killed
# What more than one stage imports, but only where it is used.
LATER = (
    *("boto3", "boto3.exceptions", "botocore.config", "botocore.exceptions"),
    *("cryptography.exceptions", "cryptography.hazmat.primitives.asymmetric.ed25519"),
    "cryptography.hazmat.primitives.serialization",
)
# Made by each process for itself, or told to each stage alone.
OF_ONE_PROCESS = frozenset({"LC_CTYPE", "PERENNIAL_PLATFORM", "TMPDIR"})


@dataclass
class Job:
    """A stage at work."""

    asker: socket.socket
    pid: int
    descriptor: int
    """A descriptor of the process, readable when it has ended."""
    killed_at: float = float("inf")

    def close(self) -> None:
        """Give back what belongs to it here."""
        self.asker.close()
        os.close(self.descriptor)


class Server:
    """The loop that imports, forks and waits."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._stamps = code_stamps()
        self._environment = dict(os.environ)
        self._is_stale = False
        self._jobs: dict[int, Job] = {}
        # A poll has no descriptor that a fork would share.
        self._selector = selectors.PollSelector()
        self._selector.register(listener, selectors.EVENT_READ, self._answer)

    def serve(self) -> ForkRequest | None:
        """Return what to run, in the process of a stage; None when this one has nothing to do."""
        imports = _imports()
        idle_since = time.monotonic()
        is_warm = False
        while True:
            ready = self._selector.select(0 if not is_warm else self._patience(idle_since))
            for key, _ in ready:
                act: Callable[[], ForkRequest | None] = key.data
                asked = act()
                if asked is not None:
                    return asked
            self._kill_the_stubborn()
            if ready or self._jobs:
                idle_since = time.monotonic()
            elif is_warm and time.monotonic() - idle_since >= IDLE_SECONDS:
                return None
            if self._is_stale and not self._jobs:
                return None
            if not ready and not is_warm:
                is_warm = next(imports, None) is None

    def _patience(self, idle_since: float) -> float:
        if any(job.killed_at < float("inf") for job in self._jobs.values()):
            return 0.1
        return max(0.0, idle_since + IDLE_SECONDS - time.monotonic())

    def _answer(self) -> ForkRequest | None:
        """Answer one asker."""
        asker, _ = self._listener.accept()
        asker.settimeout(ASK_SECONDS)
        streams: list[int] = []
        try:
            asker.send(ForkReply().canonical())
            body, streams, _, _ = socket.recv_fds(asker, MESSAGE_BYTES, 1, socket.MSG_CMSG_CLOEXEC)
            asked, stream = ForkRequest.model_validate_json(body), streams[0]
        except (OSError, ValidationError, IndexError):  # it waited too long for the greeting
            for descriptor in streams:
                os.close(descriptor)
            asker.close()
            return None
        try:
            return self._start(asker, asked, stream)
        finally:
            os.close(stream)

    def _start(self, asker: socket.socket, asked: ForkRequest, stream: int) -> ForkRequest | None:
        """Fork; return what is asked in the child, None here."""
        why = self._objection(asked)
        if why is not None:
            log("warm").info("refused", why=why)
            _tell(asker, ForkReply(refused=why))
            asker.close()
            return None
        # What is imported here is there for the next stage as well; a fault is the stage's to tell.
        with contextlib.suppress(Exception):
            command.find(asked.words[0])
        sys.stdout.flush()
        gc.freeze()  # a collection in the child would copy every page of it
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            tie_to(parent)
            os.setsid()
            self._close()
            asker.close()
            become(asked, stream, os.environ.keys() - self._environment.keys())
            return asked
        job = self._jobs[pid] = Job(asker, pid, os.pidfd_open(pid))
        self._selector.register(asker, selectors.EVENT_READ, lambda: self._desert(job))
        self._selector.register(job.descriptor, selectors.EVENT_READ, lambda: self._end(job))
        _tell(asker, ForkReply(pid=pid))
        return None

    def _objection(self, asked: ForkRequest) -> str | None:
        if code_stamps() != self._stamps:
            self._is_stale = True
            return "the code has changed since it was imported"
        differing = [
            name
            for name, value in sorted(self._environment.items())
            if name not in OF_ONE_PROCESS and asked.environment.get(name) != value
        ]
        if differing:
            return f"it was imported with another {', '.join(differing)}"
        return None

    def _end(self, job: Job) -> None:
        """Collect a stage that has ended and tell its asker."""
        if job.killed_at < float("inf"):
            _signal(job.pid, signal.SIGKILL)  # nobody else minds what it leaves in its group
        _, status = os.waitpid(job.pid, 0)
        _tell(job.asker, ForkReply(code=os.waitstatus_to_exitcode(status)))
        for registered in (job.asker, job.descriptor):
            with contextlib.suppress(KeyError):
                self._selector.unregister(registered)
        job.close()
        del self._jobs[job.pid]

    def _desert(self, job: Job) -> None:
        """End a stage whose asker went away: it asks nothing more, so this is its end."""
        if job.pid not in self._jobs:  # both were seen at once
            return
        self._selector.unregister(job.asker)
        job.killed_at = time.monotonic() + GRACE_SECONDS
        _signal(job.pid, signal.SIGTERM)

    def _kill_the_stubborn(self) -> None:
        for job in self._jobs.values():
            if time.monotonic() >= job.killed_at:
                _signal(job.pid, signal.SIGKILL)

    def _close(self) -> None:
        """Close, in the process of a stage, what is not its own."""
        self._selector.close()
        self._listener.close()
        for job in self._jobs.values():
            job.close()


def _imports() -> Iterator[str]:
    """Import one after the other what the stages import; yield each name."""
    for name in LATER:
        import_module(name)
        yield name
    Store.preload_botocore()
    yield "store"
    for stage in STAGES:
        with contextlib.suppress(Exception):  # the stage itself will say it, with its traceback
            command.find(stage)
        yield stage


def _tell(asker: socket.socket, told: ForkReply) -> None:
    with contextlib.suppress(OSError):  # it went away; its stage is ended for that
        asker.send(told.canonical())


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)


def main() -> int:
    """Serve until nothing is asked; in a forked process run the stage and return its exit code."""
    leave = Leave()
    configure()
    asked = Server(socket.socket(fileno=os.dup(0))).serve()
    return leave.run(lambda: 0 if asked is None else start(list(asked.words), command.find))


if __name__ == "__main__":
    sys.exit(main())
