"""A kept connection ends by itself: with an answer that says so, and with no answer lost."""

import json
import re
import socket
import time
from collections.abc import Callable, Iterator

import pytest
from bundle_factory import ROW, Keys, Made, make_bundle, upload
from service_process import API_KEY, Service, move_pointer, start_service
from waiting import LIMIT_SECONDS, wait_until

from contract.service_protocol import INFO
from contract.store.client import Store

pytestmark = pytest.mark.slow  # a service takes seconds to start

PROBLEM = "ending-connections"
MOST = 20
BODY = json.dumps(ROW).encode()
REQUEST = (
    b"POST /v1/predict HTTP/1.1\r\nhost: s\r\n"
    b"authorization: Bearer %s\r\ncontent-length: %d\r\n\r\n%s"
    % (API_KEY.encode(), len(BODY), BODY)
)
PROBE = b"GET /livez HTTP/1.1\r\nhost: s\r\n\r\n"
ANSWER = re.compile(rb"HTTP/1\.1 (\d+).*?\r\n\r\n", re.DOTALL)


class Caller:
    """One connection, byte by byte."""

    def __init__(self, service: Service) -> None:
        host, _, port = service.address.partition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=LIMIT_SECONDS)
        self.seen = b""

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answers(self, at_least: int = 10_000) -> list[bytes]:
        """Read until so many answers have come, or the service closes; the heads."""
        while len(heads := self._heads()) < at_least:
            part = self.socket.recv(1 << 16)
            if not part:
                break
            self.seen += part
        return heads

    def _heads(self) -> list[bytes]:
        found, rest = [], self.seen
        while head := ANSWER.match(rest):
            length = int(re.search(rb"content-length: (\d+)", head[0]).group(1))  # type: ignore[union-attr] # every answer has one
            if len(rest) < head.end() + length:
                break
            found.append(rest[: head.end() + length])
            rest = rest[head.end() + length :]
        return found


def is_last(answer: bytes) -> bool:
    return b"connection: close" in answer


@pytest.fixture(scope="module")
def service(
    store: Store, keys: Keys, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    made = make_bundle(tmp_path_factory.mktemp("bundle"), PROBLEM, keys)
    upload(store, PROBLEM, made)
    move_pointer(store, PROBLEM, made.digest)
    limits = {"CONNECTION_REQUESTS": str(MOST), "CONNECTION_SECONDS": str(LIMIT_SECONDS)}
    found = start_service(store, PROBLEM, keys, tmp_path_factory.mktemp("home"), limits)
    try:
        found.wait_until_ready()
        yield found
    finally:
        ended = found.stop()
    assert ended == 0


@pytest.fixture
def caller(service: Service) -> Iterator[Caller]:
    found = Caller(service)
    yield found
    found.socket.close()


def predicted(service: Service) -> int:
    """Rows that were predicted, each of which is logged."""
    return int(service.ask("GET", INFO).json["counts"]["rows"])


def test_the_last_of_so_many_answers_says_that_it_is(caller: Caller) -> None:
    for place in range(MOST):
        caller.send(REQUEST)
        answers = caller.answers(place + 1)

        assert is_last(answers[-1]) is (place == MOST - 1)

    assert caller.socket.recv(1) == b""


def test_an_old_connection_closes_with_its_next_answer(
    start: Callable[..., Service], store: Store, make: Callable[..., Made], problem_name: str
) -> None:
    move_pointer(store, problem_name, make("a").digest)
    never = {"CONNECTION_REQUESTS": "1000000000"}
    service = start({"CONNECTION_SECONDS": "0.2"} | never)
    service.wait_until_ready()
    caller = Caller(service)

    def is_closing() -> bool:
        caller.send(REQUEST)
        return is_last(caller.answers(len(caller.answers(0)) + 1)[-1])

    wait_until(is_closing, "the connection is old enough")
    assert caller.socket.recv(1) == b""
    caller.socket.close()


@pytest.mark.parametrize("pause", [0.0, 0.02])
def test_pipelined_requests_are_answered_or_not_begun(
    service: Service, caller: Caller, pause: float
) -> None:
    """No answer is lost with the connection, and none was predicted that was not answered."""
    before = predicted(service)
    caller.send(REQUEST * (MOST + 300))
    time.sleep(pause)  # so that they come in one read, or in two
    caller.send(REQUEST * 50 + REQUEST[:-7])

    answers = caller.answers()

    assert [is_last(answer) for answer in answers] == [False] * (MOST - 1) + [True]
    assert b"".join(answers) == caller.seen
    assert predicted(service) == before + MOST


def test_routes_of_bentoml_count_and_close_as_well(caller: Caller) -> None:
    for place in range(MOST):
        caller.send(PROBE)
        answers = caller.answers(place + 1)

    assert [is_last(answer) for answer in answers] == [False] * (MOST - 1) + [True]


def test_a_body_that_comes_slowly_is_whole_on_the_last_request_too(caller: Caller) -> None:
    caller.send(REQUEST * (MOST - 1))
    caller.answers(MOST - 1)
    for part in (REQUEST[:90], REQUEST[90:-30], REQUEST[-30:]):
        caller.send(part)
        time.sleep(0.02)  # so that each part is read alone

    answers = caller.answers(MOST)

    assert answers[-1].startswith(b"HTTP/1.1 200")
    assert is_last(answers[-1])


def test_a_client_that_never_closes_is_left_after_a_second(caller: Caller) -> None:
    caller.send(REQUEST * MOST)
    caller.answers()

    def is_cut_off() -> bool:
        try:
            caller.send(REQUEST)
        except (ConnectionResetError, BrokenPipeError):
            return True
        return False

    wait_until(is_cut_off, "the service closes the connection")
