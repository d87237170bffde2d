"""Ports on loopback, chosen once and kept, so that links and settings outlive a restart.

They lie below the range from which Linux gives ports to outgoing connections (32768 and up), or a
connection of any program could hold one of ours for a while.
"""

import json
import socket
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from contract.errors import InvalidRequest, TryAgain
from perennial.local.home import write_private

LOOPBACK = "127.0.0.1"
FIRST, BEHIND = 20_000, 32_000
PORTS = range(1, 65_536)

STORE = ("store", "store-master", "store-filer", "store-volume", "store-admin")
# Each with its gRPC port: SeaweedFS moves one that is taken silently, and its parts then fail to connect.
STORE_PORTS = (*STORE, *(f"{name}-grpc" for name in STORE))
PLATFORM_PORTS = ("airflow", *STORE_PORTS)


def service_port(problem: str) -> str:
    """Return the name under which the port of a problem's service is kept."""
    return f"service-{problem}"


def read_ports(file: Path) -> dict[str, int]:
    """Return the ports that were chosen, by name; none where nothing was chosen yet.

    Raises:
        InvalidRequest: the file holds something else.
    """
    if not file.exists():
        return {}
    try:
        ports = {str(name): int(port) for name, port in json.loads(file.read_text()).items()}
        invalid = [port for port in ports.values() if port not in PORTS]
        if invalid:
            sentence = (
                f"{str(file)!r} holds the port {invalid[0]}, one from 1 to {PORTS[-1]} is expected; "
                "delete it to choose new ones."
            )
            raise InvalidRequest(sentence)
        return ports
    except (ValueError, TypeError, AttributeError) as error:
        sentence = f"{str(file)!r} does not hold ports ({error}); delete it to choose new ones."
        raise InvalidRequest(sentence) from error


def keep_ports(file: Path, names: Iterable[str]) -> dict[str, int]:
    """Return a port for each name; choose and write down those that have none yet.

    Raises:
        TryAgain: every port of the range is taken.
    """
    ports = read_ports(file)
    missing = [name for name in names if name not in ports]
    if not missing:
        return ports
    # Two platforms of one machine begin at different ports, so they seldom choose the same one.
    start = zlib.crc32(str(file).encode())
    taken = set(ports.values())
    candidates = (FIRST + (start + step) % (BEHIND - FIRST) for step in range(BEHIND - FIRST))
    for name in missing:
        port = next((port for port in candidates if port not in taken and is_free(port)), None)
        if port is None:
            sentence = f"No port from {FIRST} to {BEHIND - 1} is free; stop what holds them."
            raise TryAgain(sentence)
        ports[name] = port
        taken.add(port)
    write_private(file, json.dumps(ports, indent=1, sort_keys=True) + "\n")
    return ports


def is_free(port: int) -> bool:
    """Tell whether a process could listen on `port` of loopback now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def refuse_taken_ports(ports: Mapping[str, int], file: Path) -> None:
    """Check that no other process listens on one of `ports`.

    Raises:
        InvalidRequest: another process does; the sentence names it where that is possible.
    """
    for name, port in ports.items():
        if not is_free(port):
            sentence = (
                f"Port {port} ({name}) is in use by {listener_of(port)}; stop it, "
                f"or delete {str(file)!r} to choose new ports."
            )
            raise InvalidRequest(sentence)


def listener_of(port: int) -> str:
    """Return in words which process listens on `port`."""
    import psutil  # noqa: PLC0415 - 15 ms that only an error must pay

    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        return "another process"
    for connection in connections:
        # An address is an empty tuple where there is none.
        if connection.status != psutil.CONN_LISTEN or tuple(connection.laddr)[1:] != (port,):
            continue
        if connection.pid is None:
            return "a process of another user"
        try:
            return f"{psutil.Process(connection.pid).name()!r} (process {connection.pid})"
        except psutil.Error:
            return f"process {connection.pid}"
    return "another process"
