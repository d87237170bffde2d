"""A stage as a fork of the warm interpreter, which saves it every import (`contract/runtime/prefork/protocol.py`).

Where there is none, or it will not, nothing was started and the stage gets an interpreter of its
own: there is one behaviour, and the fork only comes to it sooner.
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


class NotWarm(Exception):
    """Nothing was started, and why."""


class Fork:
    """The process of a stage, whose parent is the warm interpreter."""

    def __init__(self, pid: int, stdout: IO[str], interpreter: socket.socket) -> None:
        self.pid = pid
        self.stdout = stdout
        # While it is open the stage may live: it is closed by this process's end, whichever.
        self._interpreter = interpreter
        self._code: int | None = None

    def poll(self) -> int | None:
        """Return the exit code if it was told."""
        return self._code

    def wait(self) -> int:
        """Return the exit code when it is told; that of a killed stage if the interpreter died."""
        if self._code is None:
            told = _hear(self._interpreter)
            self._interpreter.close()
            if told is None or told.code is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.pid, signal.SIGKILL)
            self._code = -signal.SIGKILL if told is None or told.code is None else told.code
        return self._code


def fork(path: str, words: Sequence[str], environment: Mapping[str, str], folder: str) -> Fork:
    """Have the interpreter at the socket `path` fork a process for `words`.

    Raises:
        NotWarm: nobody is there, or refuses; nothing was started.
    """
    asked = ForkRequest(words=tuple(words), environment=dict(environment), folder=folder)
    try:
        interpreter = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    except OSError as error:  # such as on macOS
        raise NotWarm(f"there are no such sockets here ({error.strerror}).") from error
    try:
        return _ask(interpreter, path, asked)
    except BaseException:
        interpreter.close()
        raise


def _ask(interpreter: socket.socket, path: str, asked: ForkRequest) -> Fork:
    interpreter.settimeout(GREETING_SECONDS)
    try:
        interpreter.connect(path)
        greeting = _hear(interpreter)
    except OSError as error:
        raise NotWarm(f"no warm one answers at {path!r} ({error}).") from error
    if greeting is None:
        raise NotWarm("the warm one ended before it answered.")
    # From here on a process may have been started, so this waits as long as it must.
    interpreter.settimeout(None)
    reading, writing = os.pipe()
    stdout = open(reading, encoding="utf-8", errors="replace")  # noqa: PTH123, SIM115 - a descriptor, and the fork's
    try:
        socket.send_fds(interpreter, [asked.canonical()], [writing])
        told = _hear(interpreter)
    except BaseException as error:
        stdout.close()
        if isinstance(error, OSError):
            raise NotWarm(f"the warm one cannot be asked ({error}).") from error
        raise
    finally:
        os.close(writing)
    if told is None or told.pid is None:
        stdout.close()
        refused = told.refused if told else None
        raise NotWarm(f"the warm one {f'refused: {refused}' if refused else 'ended'}.")
    return Fork(told.pid, stdout, interpreter)


def _hear(interpreter: socket.socket) -> ForkReply | None:
    """Return the next word of the interpreter; None where it went away, or speaks otherwise."""
    try:
        return ForkReply.model_validate_json(interpreter.recv(MESSAGE_BYTES))
    except (ConnectionError, ValidationError):
        return None
