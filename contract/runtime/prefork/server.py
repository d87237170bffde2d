"""The prefork server of one machine: it imports a command's libraries once and forks a process a request.

Its standard input is the listening socket at which requests arrive (`protocol.py`). Before a fork it
imports and does nothing else: no thread of Python's, no connection, no open file. The forked process
has its own session, environment, streams and folder, and runs what the started command would run;
it ends when its client or this process ends. Code that was edited since is not run: the request is
refused, and the client starts an interpreter of its own. Without a process for `IDLE_SECONDS` the
server ends; the platform starts it again for the next.

A request whose environment differs from what was imported with is refused too. That is a fault of
the installation, by which every start would lose its imports: the server warns of it and ends with
`EXIT_MISMATCH`, so that the platform's status shows it.
"""

import contextlib
import gc
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from contract.log import configure, log
from contract.runtime.code_digest import code_stamps
from contract.runtime.exit import FastExit
from contract.runtime.prefork.child import adopt_request, detach, end_with_parent
from contract.runtime.prefork.protocol import MESSAGE_BYTES, ForkReply, ForkRequest

IDLE_SECONDS = 15.0  # longer than the pause between two stages on a busy machine
REQUEST_SECONDS = 5.0  # after the greeting; the client has its request ready
GRACE_SECONDS = 10.0  # for a process whose client went away, until it is killed
EXIT_MISMATCH = 3
# Made by each process for itself, or given to each stage alone.
OF_ONE_PROCESS = frozenset({"LC_CTYPE", "PERENNIAL_PLATFORM", "TMPDIR"})


@dataclass(frozen=True)
class ForkedCommand:
    """A command whose processes are forks."""

    path: str
    """The file that `python -m` would run."""
    imports: Iterator[str]
    """Imports a library at each step and yields its name."""
    prepare: Callable[[Sequence[str]], object]
    """Import what one request needs, so that the next fork has it too; it may fail."""
    run: Callable[[Sequence[str]], int]
    """Run it with its arguments, in the fork, and return the exit code."""


@dataclass
class ForkedProcess:
    """A process at work."""

    client: socket.socket
    pid: int
    descriptor: int
    """A descriptor of the process, readable when it has ended."""
    killed_at: float = float("inf")

    def close(self) -> None:
        """Close its descriptors in this process."""
        self.client.close()
        os.close(self.descriptor)


class PreforkServer:
    """The loop that imports, forks and waits."""

    def __init__(
        self, listener: socket.socket, command: ForkedCommand, idle_seconds: float
    ) -> None:
        self._listener = listener
        self._command = command
        self._idle_seconds = idle_seconds
        self._stamps = code_stamps()
        self._environment = dict(os.environ)
        self._is_stale = False
        self.exit_code = 0
        self._processes: dict[int, ForkedProcess] = {}
        # A poll has no descriptor that a fork would share.
        self._selector = selectors.PollSelector()
        self._selector.register(listener, selectors.EVENT_READ, self._accept)

    def serve(self) -> ForkRequest | None:
        """Return the request in the forked process; None in the server, when it has nothing to do."""
        idle_since = time.monotonic()
        has_imported = False
        while True:
            ready = self._selector.select(0 if not has_imported else self._timeout(idle_since))
            for key, _ in ready:
                handle: Callable[[], ForkRequest | None] = key.data
                request = handle()
                if request is not None:
                    return request
            self._kill_overdue()
            if ready or self._processes:
                idle_since = time.monotonic()
            elif has_imported and time.monotonic() - idle_since >= self._idle_seconds:
                return None
            if self._is_stale and not self._processes:
                return None
            if not ready and not has_imported:
                has_imported = next(self._command.imports, None) is None

    def _timeout(self, idle_since: float) -> float:
        if any(process.killed_at < float("inf") for process in self._processes.values()):
            return 0.1
        return max(0.0, idle_since + self._idle_seconds - time.monotonic())

    def _accept(self) -> ForkRequest | None:
        """Greet one client and answer its request."""
        client, _ = self._listener.accept()
        client.settimeout(REQUEST_SECONDS)
        outputs: list[int] = []
        try:
            client.send(ForkReply().canonical())
            body, outputs, _, _ = socket.recv_fds(client, MESSAGE_BYTES, 1, socket.MSG_CMSG_CLOEXEC)
            request, output = ForkRequest.model_validate_json(body), outputs[0]
        except (OSError, ValidationError, IndexError):  # it waited too long for the greeting
            for descriptor in outputs:
                os.close(descriptor)
            client.close()
            return None
        try:
            return self._fork(client, request, output)
        finally:
            os.close(output)

    def _fork(self, client: socket.socket, request: ForkRequest, output: int) -> ForkRequest | None:
        """Fork; return the request in the child, None here."""
        refusal = self._refusal(request)
        if refusal is not None:
            _send(client, refusal)
            client.close()
            return None
        # What is imported here is there for the next one as well; the process itself reports a fault.
        with contextlib.suppress(Exception):
            self._command.prepare(request.arguments)
        sys.stdout.flush()
        gc.freeze()  # a collection in the child would copy every page of it
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            end_with_parent(parent)
            self._close()
            client.close()
            detach(output)
            adopt_request(request, self._command.path, os.environ.keys() - self._environment.keys())
            return request
        process = self._processes[pid] = ForkedProcess(client, pid, os.pidfd_open(pid))
        self._selector.register(client, selectors.EVENT_READ, lambda: self._on_disconnect(process))
        self._selector.register(
            process.descriptor, selectors.EVENT_READ, lambda: self._on_exit(process)
        )
        _send(client, ForkReply(pid=pid))
        return None

    def _refusal(self, request: ForkRequest) -> ForkReply | None:
        """Return why nothing is forked for a request; None where nothing speaks against it."""
        if code_stamps() != self._stamps:
            self._is_stale = True
            why = "the code has changed since it was imported"
            log("warm").info("refused", why=why)
            return ForkReply(refused=why, is_stale=True)
        differing = [
            name
            for name, value in sorted(self._environment.items())
            if name not in OF_ONE_PROCESS and request.environment.get(name) != value
        ]
        if differing:
            self.exit_code = EXIT_MISMATCH
            why = f"it was imported with another {', '.join(differing)}"
            log("warm").warning("refused", why=why)
            return ForkReply(refused=why)
        return None

    def _on_exit(self, process: ForkedProcess) -> None:
        """Collect a process that has ended and send its exit code."""
        if process.killed_at < float("inf"):
            _signal(process.pid, signal.SIGKILL)  # nobody else ends what it leaves in its group
        _, status = os.waitpid(process.pid, 0)
        _send(process.client, ForkReply(code=os.waitstatus_to_exitcode(status)))
        for registered in (process.client, process.descriptor):
            with contextlib.suppress(KeyError):
                self._selector.unregister(registered)
        process.close()
        del self._processes[process.pid]

    def _on_disconnect(self, process: ForkedProcess) -> None:
        """End a process whose client went away: a client sends nothing more, so this is its end."""
        if process.pid not in self._processes:  # both events came at once
            return
        self._selector.unregister(process.client)
        process.killed_at = time.monotonic() + GRACE_SECONDS
        _signal(process.pid, signal.SIGTERM)

    def _kill_overdue(self) -> None:
        for process in self._processes.values():
            if time.monotonic() >= process.killed_at:
                _signal(process.pid, signal.SIGKILL)

    def _close(self) -> None:
        """Close, in the child, what belongs to the server."""
        self._selector.close()
        self._listener.close()
        for process in self._processes.values():
            process.close()


def serve(command: ForkedCommand, idle_seconds: float = IDLE_SECONDS) -> int:
    """Serve the socket on standard input until nothing is requested.

    Returns:
        In the server 0, or `EXIT_MISMATCH`; in a forked process the exit code of the command.
    """
    fast_exit = FastExit()
    configure()
    server = PreforkServer(socket.socket(fileno=os.dup(0)), command, idle_seconds)
    request = server.serve()
    if request is None:
        return fast_exit.run(lambda: server.exit_code)
    arguments = list(request.arguments)
    return fast_exit.run(lambda: command.run(arguments))


def _send(client: socket.socket, reply: ForkReply) -> None:
    with contextlib.suppress(OSError):  # it went away; its process is ended for that
        client.send(reply.canonical())


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)
