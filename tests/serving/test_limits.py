"""What the lane does when callers are too many or too slow, asked as a server asks it."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from serving import lane as lanes
from serving.documentation import Documentation
from serving.lane import Lane
from serving.settings import read_settings
from serving.spool import Spool
from serving.standing import Standing


@pytest.fixture
def standing() -> Standing:
    return Standing("p")


@pytest.fixture
def lane(tmp_path: Path, standing: Standing) -> Lane:
    variables = {"PERENNIAL_VERIFY_KEYS": str(tmp_path), "PERENNIAL_AUTH": "none"}
    settings = read_settings("p", "127.0.0.1", 0, variables)

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 299, "headers": []})
        await send({"type": "http.response.body", "body": b"inner"})

    spool = Spool(tmp_path / "spool")
    return Lane(
        inner,
        settings=settings,
        standing=standing,
        predictions=spool,
        labels=spool,
        documentation=Documentation(dict, standing),
    )


def ask(lane: Lane, path: str, receive: Callable[[], Any]) -> tuple[int, dict[bytes, bytes]]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "path": path, "method": "POST", "headers": []}
    asyncio.run(lane(scope, receive, send))
    return (sent[0]["status"], dict(sent[0]["headers"])) if sent else (0, {})


async def nothing() -> Any:
    await asyncio.Event().wait()


async def whole() -> Any:
    return {"type": "http.request", "body": b"{}", "more_body": False}


async def gone() -> Any:
    return {"type": "http.disconnect"}


def test_a_body_that_does_not_come_is_408(lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "BODY_SECONDS", 0.01)

    status, headers = ask(lane, "/v1/predict", nothing)

    assert (status, headers[b"connection"]) == (408, b"close")


def test_too_many_in_flight_are_told_to_come_back(lane: Lane, standing: Standing) -> None:
    standing.counters.in_flight = lanes.MOST_IN_FLIGHT

    status, headers = ask(lane, "/v1/predict", whole)

    assert (status, headers[b"retry-after"]) == (503, b"1")
    assert standing.counters.in_flight == lanes.MOST_IN_FLIGHT


def test_a_caller_who_has_gone_is_not_answered(lane: Lane, standing: Standing) -> None:
    assert ask(lane, "/v1/predict", gone) == (0, {})
    assert standing.counters.in_flight == 0


def test_while_draining_every_answer_closes_the_connection(lane: Lane, standing: Standing) -> None:
    standing.draining = True

    assert ask(lane, "/info", whole)[1][b"connection"] == b"close"


def test_what_is_not_a_request_goes_to_bentoml(lane: Lane) -> None:
    assert ask(lane, "/livez", whole)[0] == 299
