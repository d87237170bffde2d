"""Request a process from the prefork server, and follow it until its exit code is known.

Where there is no server, or it refuses, nothing was started: the caller then starts an interpreter,
which behaves the same and takes longer.
"""

import contextlib
import os
import signal
import socket
from collections.abc import Mapping, Sequence
from typing import IO

from pydantic import ValidationError

from contract.runtime.prefork.protocol import MESSAGE_BYTES, ForkReply, ForkRequest

GREETING_SECONDS = 20.0  # it may have to be started, and imports for a second or two at a time


class NotForked(Exception):
    """Nothing was started, and why."""

    def __init__(self, why: str, *, is_fault: bool = False) -> None:
        super().__init__(why)
        self.is_fault = is_fault
        """The server refuses every such request: a fault of the installation that somebody must mend."""


class Fork:
    """A process whose parent is the prefork server; what is used of `subprocess.Popen`."""

    def __init__(self, pid: int, stdout: IO[str], server: socket.socket) -> None:
        self.pid = pid
        self.stdout = stdout
        # While it is open the process may live: it is closed by this process's end, whichever.
        self._server = server
        self._code: int | None = None

    def poll(self) -> int | None:
        """Return the exit code if it is known."""
        return self._code

    def wait(self) -> int:
        """Wait for the exit code and return it; that of a killed process if the server died."""
        if self._code is None:
            reply = _receive(self._server)
            self._server.close()
            if reply is None or reply.code is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.pid, signal.SIGKILL)
            self._code = -signal.SIGKILL if reply is None or reply.code is None else reply.code
        return self._code


def fork(
    path: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    folder: str,
    *,
    greeting_seconds: float = GREETING_SECONDS,
) -> Fork:
    """Have the server at the socket `path` fork a process with these arguments.

    `greeting_seconds` is how long the server may take until it is there; a stage takes as long as it must.

    Raises:
        NotForked: there is no server, or it refuses; nothing was started.
    """
    request = ForkRequest(arguments=tuple(arguments), environment=dict(environment), folder=folder)
    try:
        server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    except OSError as error:  # such as on macOS
        raise NotForked(f"there are no such sockets here ({error.strerror}).") from error
    try:
        return _request(server, path, request, greeting_seconds)
    except BaseException:
        server.close()
        raise


def _request(
    server: socket.socket, path: str, request: ForkRequest, greeting_seconds: float
) -> Fork:
    server.settimeout(greeting_seconds)
    try:
        server.connect(path)
        greeting = _receive(server)
    except OSError as error:
        raise NotForked(f"no prefork server answers at {path!r} ({error}).") from error
    if greeting is None:
        raise NotForked("the prefork server ended before it answered.")
    # From here on a process may have been started, so this waits as long as it must.
    server.settimeout(None)
    reading, writing = os.pipe()
    stdout = open(reading, encoding="utf-8", errors="replace")  # noqa: PTH123, SIM115 - a descriptor, and the fork's
    try:
        socket.send_fds(server, [request.canonical()], [writing])
        reply = _receive(server)
    except BaseException as error:
        stdout.close()
        if isinstance(error, OSError):
            raise NotForked(f"the request cannot be sent ({error}).") from error
        raise
    finally:
        os.close(writing)
    if reply is not None and reply.pid is not None:
        return Fork(reply.pid, stdout, server)
    stdout.close()
    if reply is None or reply.refused is None:
        raise NotForked("the prefork server ended.")
    why = f"the prefork server refused: {reply.refused}."
    raise NotForked(why, is_fault=not reply.is_stale)


def _receive(server: socket.socket) -> ForkReply | None:
    """Return the next message; None where the server went away, or sends something else."""
    try:
        return ForkReply.model_validate_json(server.recv(MESSAGE_BYTES))
    except (ConnectionError, ValidationError):
        return None
