"""Ports of this machine that lead into the cluster, for as long as the command needs them.

kubectl opens them; `forward.sh` keeps them open and ends with this process, even if that is killed.
"""

import contextlib
import os
import secrets
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx

from contract.errors import TryAgain
from perennial.kubernetes.kubectl import Kubectl
from perennial.kubernetes.kubectl_errors import complaint
from perennial.local.ports import BEHIND, FIRST, LOOPBACK, is_free

SCRIPT = Path(__file__).with_name("forward.sh")
OPEN_SECONDS = 30.0
STOP_SECONDS = 5.0
POLL_SECONDS = 0.02
ATTEMPTS = 5  # of ports: between the look and the use another program may take one
PENDING = "pod is not running"  # yet: it is asked again
FAILURES = ("error:", "Error from server", "Unable to connect", "The connection to the server")


class _Taken(Exception):
    """Somebody else has taken the port meanwhile."""


@contextlib.contextmanager
def forwarded(kubectl: Kubectl, namespace: str, target: str, port: int) -> Iterator[int]:
    """Yield a free port of loopback that leads to `port` of a pod or of a Service's pod.

    Raises:
        AskedWrongly: there is no such target, or no right to reach it.
        TryAgain: no pod of it runs, or the cluster does not answer.
    """
    with contextlib.ExitStack() as open_now:
        for _ in range(ATTEMPTS):
            local = _free_port()
            words = ("-n", namespace, "port-forward", "--address", LOOPBACK, target)
            command = kubectl.words(*words, f"{local}:{port}")
            try:
                open_now.enter_context(_held(command, local, kubectl.where, target))
            except _Taken:
                continue
            yield local
            return
    raise TryAgain(f"No free port was found for a port-forward to {target}; try again.")


class Through(httpx.BaseTransport):
    """Sends every request to a port of this machine, whatever host its URL names.

    So links and sentences show the address that a person knows, and not one that is gone soon. The
    port is opened by the first request: who never asks pays nothing.
    """

    def __init__(self, opened: Callable[[], int]) -> None:
        self._opened = opened
        self._port: int | None = None
        self._inner = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it."""
        if self._port is None:
            self._port = self._opened()
        request.url = request.url.copy_with(scheme="http", host=LOOPBACK, port=self._port)
        return self._inner.handle_request(request)

    def close(self) -> None:
        """Close what is open."""
        self._inner.close()


def _free_port() -> int:
    while True:
        port = FIRST + secrets.randbelow(BEHIND - FIRST)
        if is_free(port):
            return port


@contextlib.contextmanager
def _held(command: list[str], port: int, where: str, target: str) -> Iterator[None]:
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            ["/bin/sh", str(SCRIPT), *command],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C is for the command alone; it closes the pipe
        )
        try:
            _wait_until_open(log.fileno(), port, where, target)
            yield
        finally:
            _end(process)


def _wait_until_open(log: int, port: int, where: str, target: str) -> None:
    deadline = time.monotonic() + OPEN_SECONDS
    while True:
        said = os.pread(log, 1 << 16, 0).decode(errors="replace")
        if f"Forwarding from {LOOPBACK}:{port}" in said:
            return
        if "address already in use" in said:
            raise _Taken
        failed = [line for line in said.splitlines()[:-1] if line.startswith(FAILURES)]
        if failed and not all(PENDING in line for line in failed):
            raise complaint("\n".join(failed), where)
        if time.monotonic() > deadline:
            last = failed[-1] if failed else "kubectl said nothing"
            sentence = (
                f"No way to {target} was open within {OPEN_SECONDS:.0f} s ({last}); "
                "see `perennial status`."
            )
            raise TryAgain(sentence)
        time.sleep(POLL_SECONDS)


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        # The leader is not collected yet, so its pid names this group and nothing else.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
