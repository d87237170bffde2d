"""What the fast path answers when there are too many callers or slow ones, called as a server calls it."""

import asyncio
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contract.service_protocol import INFO, LIVE, PREDICT
from serving import fast_path
from serving.documentation import Documentation
from serving.fast_path import FastPath
from serving.service_state import ServiceState
from serving.settings import read_settings
from serving.spool import Spool


@pytest.fixture
def state() -> ServiceState:
    return ServiceState("p")


Make = Callable[..., FastPath]


@pytest.fixture
def make(tmp_path: Path, state: ServiceState) -> Make:
    variables = {"PERENNIAL_VERIFY_KEYS": str(tmp_path), "PERENNIAL_AUTH": "none"}
    settings = read_settings("p", "127.0.0.1", 0, variables)

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 299, "headers": []})
        await send({"type": "http.response.body", "body": b"inner"})

    spool = Spool(tmp_path / "spool")
    return functools.partial(
        FastPath,
        inner,
        settings=settings,
        state=state,
        predictions=spool,
        labels=spool,
        documentation=Documentation(dict, state),
    )


@pytest.fixture
def application(make: Make) -> FastPath:
    return make()


def ask(
    application: FastPath, path: str, receive: Callable[[], Any]
) -> tuple[int, dict[bytes, bytes]]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "path": path, "method": "POST", "headers": []}
    asyncio.run(application(scope, receive, send))
    return (sent[0]["status"], dict(sent[0]["headers"])) if sent else (0, {})


async def nothing() -> Any:
    await asyncio.Event().wait()


async def whole() -> Any:
    return {"type": "http.request", "body": b"{}", "more_body": False}


async def gone() -> Any:
    return {"type": "http.disconnect"}


def test_a_body_that_does_not_come_is_408(make: Make) -> None:
    status, headers = ask(make(body_seconds=0.01), PREDICT, nothing)

    assert (status, headers[b"connection"]) == (408, b"close")


def test_too_many_in_flight_are_told_to_come_back(
    application: FastPath, state: ServiceState
) -> None:
    state.counters.in_flight = fast_path.MAX_IN_FLIGHT

    status, headers = ask(application, PREDICT, whole)

    assert (status, headers[b"retry-after"]) == (503, b"1")
    assert state.counters.in_flight == fast_path.MAX_IN_FLIGHT


def test_a_caller_who_has_gone_is_not_answered(application: FastPath, state: ServiceState) -> None:
    assert ask(application, PREDICT, gone) == (0, {})
    assert state.counters.in_flight == 0


def test_while_draining_every_answer_closes_the_connection(
    application: FastPath, state: ServiceState
) -> None:
    state.draining = True

    assert ask(application, INFO, whole)[1][b"connection"] == b"close"


def test_what_is_not_a_request_goes_to_bentoml(application: FastPath) -> None:
    assert ask(application, LIVE, whole)[0] == 299
