"""A request to a prefork server that goes away, at any point, starts nothing and leaves nothing open."""

import resource
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from waiting import LIMIT_SECONDS

from contract.runtime.prefork.fork_client import Fork, NotForked, fork
from contract.runtime.prefork.protocol import MESSAGE_BYTES, ForkReply

GREETING = ForkReply().canonical()


class TimedOut(BaseException):
    """What Airflow raises in a task whose time is over."""


@contextmanager
def server(path: Path, act: Callable[[socket.socket], object]) -> Iterator[None]:
    """Accept one client at `path`, greet it, and end after `act`."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            with listener.accept()[0] as client:
                client.settimeout(LIMIT_SECONDS)
                client.send(GREETING)
                act(client)

        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join()


def request(path: Path) -> Fork:
    return fork(str(path), ["problem"], {}, str(path.parent))


def test_a_server_that_ends_before_it_replies_has_started_nothing(tmp_path: Path) -> None:
    path = tmp_path / "warm.sock"

    with (
        server(path, lambda client: client.recv(MESSAGE_BYTES)),
        pytest.raises(NotForked, match="the prefork server ended") as refused,
    ):
        request(path)

    assert not refused.value.is_fault


def test_a_request_that_is_too_long_is_not_sent(tmp_path: Path) -> None:
    path = tmp_path / "warm.sock"
    environment = {"LONG": "x" * (8 << 20)}

    with (
        server(path, lambda client: client.recv(MESSAGE_BYTES)),
        pytest.raises(NotForked, match=r"the request cannot be sent \(.*[Mm]essage too long"),
    ):
        fork(str(path), ["problem"], environment, str(tmp_path))


def test_where_no_socket_can_be_made_nothing_is_started(tmp_path: Path) -> None:
    """There are none of this kind on macOS; here no file may be opened any more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        with pytest.raises(NotForked, match="there are no such sockets here"):
            request(tmp_path / "warm.sock")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_task_that_is_ended_while_it_waits_lets_go_of_the_server(tmp_path: Path) -> None:
    """By which the server ends a stage that it may have started."""
    path = tmp_path / "warm.sock"
    seen: list[bytes] = []

    def end_the_task(client: socket.socket) -> None:
        client.recv(MESSAGE_BYTES)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
        seen.append(client.recv(MESSAGE_BYTES))

    def raise_timed_out(*_: object) -> None:
        raise TimedOut

    before = signal.signal(signal.SIGUSR1, raise_timed_out)
    try:
        with server(path, end_the_task), pytest.raises(TimedOut):
            request(path)
    finally:
        signal.signal(signal.SIGUSR1, before)

    assert seen == [b""]
