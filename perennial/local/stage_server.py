"""The socket of the stages' prefork server: the supervisor holds it and starts the server when needed.

The server (`tasks/prefork.py`) runs while stages are requested, and not when the machine is idle; a
client that connects while it is not running waits until it has been started.
"""

import select
import socket
from dataclasses import dataclass
from typing import Self

from contract.log import log
from perennial.local.component import Component
from perennial.local.environment import stage_server_environment
from perennial.local.home import FILE_MODE, Home

WARM = "warm-interpreter"
"""The component's name in the platform's state and the file of its log."""


@dataclass(frozen=True)
class ForkListener:
    """The listening socket."""

    listener: socket.socket

    @classmethod
    def open(cls, home: Home) -> Self | None:
        """Make the socket; None where the system has no such sockets, or the path is too long."""
        home.warm.unlink(missing_ok=True)
        listener = None
        try:
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            listener.bind(str(home.warm))
            home.warm.chmod(FILE_MODE)
            listener.listen()
        except OSError as error:
            if listener is not None:
                listener.close()
            log("platform").warning("each stage starts an interpreter", why=str(error))
            return None
        return cls(listener)

    def component(self, home: Home) -> Component:
        """Return the server behind the socket, which is started when a client has connected."""
        return Component(
            name=WARM,
            command=[str(home.python), "-m", "tasks.prefork"],
            environment=stage_server_environment(home),
            log=home.logs / f"{WARM}.log",
            folder=home.project,
            may_start=self.has_pending,
            stdin=self.listener.fileno(),
            is_on_demand=True,
        )

    def has_pending(self) -> bool:
        """Return whether a client waits."""
        return bool(select.select([self.listener], [], [], 0)[0])

    def reject_pending(self) -> None:
        """Close the connections that wait: each of their stages starts an interpreter at once."""
        while self.has_pending():
            self.listener.accept()[0].close()
