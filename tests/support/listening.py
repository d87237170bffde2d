"""Where processes listen, for tests that let nothing but this machine ask."""

import contextlib
from collections.abc import Iterable

import psutil


def addresses_of(processes: Iterable[psutil.Process]) -> set[str]:
    """Return the addresses on which any of them accepts connections.

    A server's workers come and go, so one may end while it is asked.
    """
    found = set()
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            found |= {
                connection.laddr.ip
                for connection in process.net_connections("tcp")
                if connection.status == psutil.CONN_LISTEN
            }
    return found
