"""A way from this machine into a cluster, by `kubectl port-forward`."""

import socket
import subprocess
from collections.abc import Sequence
from typing import Self


class Tunnel:
    """A port of this machine that leads to a Service; to be used in a `with`."""

    def __init__(self, command: Sequence[str], port: int, environment: dict[str, str]) -> None:
        self._command, self._port, self._environment = command, port, environment
        self._process: subprocess.Popen[str] | None = None
        self._here = _free_port()
        self.url = f"http://127.0.0.1:{self._here}"

    def __enter__(self) -> Self:
        """Open it."""
        self.open_again()
        return self

    def __exit__(self, *_: object) -> None:
        """Shut it."""
        self._close()

    def open_again(self) -> None:
        """Open it anew: a door leads to one pod and goes with it.

        Raises:
            RuntimeError: the Service has no pod that runs.
        """
        self._close()
        process = self._process = subprocess.Popen(
            [*self._command, f"{self._here}:{self._port}"],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        first = process.stdout.readline()
        if "Forwarding" not in first:
            raise RuntimeError(f"{' '.join(self._command)}: {first}")

    def _close(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
