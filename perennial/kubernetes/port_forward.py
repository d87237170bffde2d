"""Port-forwards into the cluster, for as long as the command needs them.

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
from perennial.kubernetes import kubectl_errors
from perennial.kubernetes.kubectl import Kubectl
from perennial.local.ports import BEHIND, FIRST, LOOPBACK, is_free

SCRIPT = Path(__file__).with_name("forward.sh")
OPEN_SECONDS = 30.0
STOP_SECONDS = 5.0
POLL_SECONDS = 0.02
ATTEMPTS = 5  # another program may take a port between the check and its use
PENDING = "pod is not running"  # yet: kubectl is started again
ERROR_PREFIXES = (
    "error:",
    "Error from server",
    "Unable to connect",
    "The connection to the server",
)


class _PortTakenError(Exception):
    """Another program has taken the port meanwhile."""


@contextlib.contextmanager
def port_forward(kubectl: Kubectl, namespace: str, target: str, port: int) -> Iterator[int]:
    """Yield a free port of loopback that leads to `port` of a pod or of a Service's pod.

    Raises:
        InvalidRequest: the target does not exist, or the right to reach it is missing.
        TryAgain: no pod of the target runs, or the cluster does not answer.
    """
    with contextlib.ExitStack() as exit_stack:
        for _ in range(ATTEMPTS):
            local = _free_port()
            arguments = ("-n", namespace, "port-forward", "--address", LOOPBACK, target)
            command = kubectl.command_line(*arguments, f"{local}:{port}")
            try:
                exit_stack.enter_context(_running(command, local, kubectl.context_name, target))
            except _PortTakenError:
                continue
            yield local
            return
    raise TryAgain(f"No free port was found for a port-forward to {target}; try again.")


class PortForwardTransport(httpx.BaseTransport):
    """Sends every request to a local port, whatever host its URL names.

    So links and messages show the address that a person knows, and not a temporary one. The port is
    opened by the first request.
    """

    def __init__(self, open_port: Callable[[], int]) -> None:
        self._open_port = open_port
        self._port: int | None = None
        self._inner = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request to the local port."""
        if self._port is None:
            self._port = self._open_port()
        request.url = request.url.copy_with(scheme="http", host=LOOPBACK, port=self._port)
        return self._inner.handle_request(request)

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


def _free_port() -> int:
    while True:
        port = FIRST + secrets.randbelow(BEHIND - FIRST)
        if is_free(port):
            return port


@contextlib.contextmanager
def _running(command: list[str], port: int, context: str, target: str) -> Iterator[None]:
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            ["/bin/sh", str(SCRIPT), *command],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C is for the command alone; it closes the pipe
        )
        try:
            _wait_until_open(log.fileno(), port, context, target)
            yield
        finally:
            _stop(process)


def _wait_until_open(log: int, port: int, context: str, target: str) -> None:
    deadline = time.monotonic() + OPEN_SECONDS
    while True:
        output = os.pread(log, 1 << 16, 0).decode(errors="replace")
        if f"Forwarding from {LOOPBACK}:{port}" in output:
            return
        if "address already in use" in output:
            raise _PortTakenError
        errors = [line for line in output.splitlines()[:-1] if line.startswith(ERROR_PREFIXES)]
        if errors and not all(PENDING in line for line in errors):
            raise kubectl_errors.parse("\n".join(errors), context)
        if time.monotonic() > deadline:
            last = errors[-1] if errors else "kubectl printed nothing"
            sentence = (
                f"No port-forward to {target} was open within {OPEN_SECONDS:.0f} s ({last}); "
                "see `perennial status`."
            )
            raise TryAgain(sentence)
        time.sleep(POLL_SECONDS)


def _stop(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        # The leader has not been waited for, so its pid still names this process group.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
