"""The door of the warm interpreter: a socket that the supervisor holds and the interpreter serves.

The interpreter (`tasks/warm.py`) is there while stages are asked for, and not when the machine is
idle; who knocks while it is not waits at the door until it has been started.
"""

import select
import socket
from dataclasses import dataclass
from typing import Self

from contract.log import log
from perennial.local.component import Component
from perennial.local.environment import warm_environment
from perennial.local.home import FILE_MODE, Home

WARM = "warm-interpreter"


@dataclass(frozen=True)
class WarmDoor:
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
        """Return the interpreter behind the door, started when somebody knocks."""
        return Component(
            name=WARM,
            command=[str(home.python), "-m", "tasks.warm"],
            environment=warm_environment(home),
            log=home.logs / f"{WARM}.log",
            folder=home.project,
            may_start=self.is_knocked_at,
            stdin=self.listener.fileno(),
            is_on_demand=True,
        )

    def is_knocked_at(self) -> bool:
        """Tell whether somebody waits."""
        return bool(select.select([self.listener], [], [], 0)[0])

    def turn_away(self) -> None:
        """Let those who wait go: they start an interpreter of their own at once."""
        while self.is_knocked_at():
            self.listener.accept()[0].close()
