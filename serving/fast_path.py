"""The fast path: the ASGI application around the one that BentoML builds.

BentoML's own handling costs 290 us a request at best, this one 80 with everything in it (key,
limits, checks, log). A path that is not answered here goes to BentoML only where BentoML has such a
route: its metrics make a new series of every path that they see.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from contract import service_protocol as protocol
from serving import answers
from serving.answers import Answer, failure
from serving.documentation import PAGE_HEADERS, Documentation
from serving.service_state import ServiceState
from serving.settings import Settings
from serving.spool import Spool

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

MIB = 1 << 20
THREAD_BYTES = 32 << 10  # a larger batch (about 100 rows) would hold up the others for over 1 ms
MAX_IN_FLIGHT = 256  # bodies of the largest size would take 4 GiB; most are of 1 kB
BODY_SECONDS = 10.0  # in which a body must have come
DISCARD_BYTES = 32 * MIB  # of a body that is refused, or
DISCARD_SECONDS = 1.0
_CANARY = protocol.CANARY.encode()
_AUTHORIZATION = protocol.AUTHORIZATION.encode()

# Answers that depend on the model; a missing key or a body too large depends on the caller alone.
MODEL_STATUSES = frozenset({200, 422, 500, 503})

# BentoML's routes that are passed on: those without an endless set of paths below them.
BENTOML_PATHS = frozenset(
    {
        protocol.LIVE,
        protocol.HEALTH,
        protocol.METRICS,
        "/static_content/swagger-ui-bundle.js",
        "/static_content/swagger-ui.css",
    }
)

JSON: Headers = [(b"content-type", b"application/json")]
CLOSE = (b"connection", b"close")


@dataclass(frozen=True)
class Endpoint:
    """One path of the service's own API."""

    answer: Callable[[ServiceState, bytes], Answer]
    max_bytes: int
    spool: Spool
    is_of_model: bool = True
    """Whether its answers are the model's, by which a canary is judged."""


class _RejectedRequestError(Exception):
    """The request is answered without its body being evaluated."""

    def __init__(self, answer: Answer, *headers: tuple[bytes, bytes]) -> None:
        super().__init__()
        self.answer = answer
        self.headers = headers


class FastPath:
    """The application; `inner` is what BentoML built."""

    def __init__(
        self,
        inner: Application,
        *,
        settings: Settings,
        state: ServiceState,
        predictions: Spool,
        labels: Spool,
        documentation: Documentation,
        body_seconds: float = BODY_SECONDS,
    ) -> None:
        self.inner = inner
        self._body_seconds = body_seconds
        self._keys = settings.key_digests
        self._state = state
        self._counters = state.counters
        self._threads = ThreadPoolExecutor(1, "batches")
        self._endpoints = {
            protocol.PREDICT: Endpoint(answers.predict, MIB, predictions),
            protocol.PREDICT_BATCH: Endpoint(answers.predict_batch, 16 * MIB, predictions),
            protocol.FEEDBACK: Endpoint(answers.feedback, MIB, labels, is_of_model=False),
        }
        self._views: dict[str, Callable[[], tuple[Answer, Headers]]] = {
            protocol.INFO: lambda: (answers.info(state), JSON),
            protocol.READY: lambda: (answers.ready(state), JSON),
            protocol.OPENAPI: lambda: (Answer(HTTPStatus.OK, documentation.openapi()), JSON),
            protocol.DOCUMENTATION: lambda: (
                Answer(HTTPStatus.OK, documentation.page),
                PAGE_HEADERS,
            ),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        path: str = scope["path"]
        endpoint = self._endpoints.get(path)
        if endpoint is not None:
            await self._answer(path, endpoint, scope, receive, send)
        elif path in self._views:
            await self._answer_view(path, scope, send)
        elif path in BENTOML_PATHS:
            await self.inner(scope, receive, send)
        else:
            known = ", ".join([*self._endpoints, *self._views])
            sentence = f"There is no {path[:60]!r} here; there are {known}."
            await self._reply(send, failure(HTTPStatus.NOT_FOUND, sentence), JSON)
            self._counters.requests["other", HTTPStatus.NOT_FOUND] += 1

    async def _answer_view(self, path: str, scope: Scope, send: Send) -> None:
        if scope["method"] not in {"GET", "HEAD"} and path != protocol.INFO:
            await self._reply(send, _wrong_method(path, "GET"), [*JSON, (b"allow", b"GET")])
            return
        answer, headers = self._views[path]()
        await self._reply(send, answer, headers, only_head=scope["method"] == "HEAD")

    async def _answer(
        self, path: str, endpoint: Endpoint, scope: Scope, receive: Receive, send: Send
    ) -> None:
        began = time.perf_counter()
        counters = self._counters
        is_canary = any(name == _CANARY for name, _ in scope["headers"])
        counters.in_flight += 1
        try:
            body = await self._read_request(path, endpoint, scope, receive)
            if body is None:
                return  # the caller has gone
            if len(body) > THREAD_BYTES:
                loop = asyncio.get_running_loop()
                answer = await loop.run_in_executor(
                    self._threads, endpoint.answer, self._state, body
                )
            else:
                answer = endpoint.answer(self._state, body)
            await self._reply(send, answer, JSON)
            if answer.entry is not None and not is_canary:
                endpoint.spool.put(answer.entry)
        except _RejectedRequestError as rejection:
            answer = rejection.answer
            # Its body may not have been read to its end: the connection cannot be used again.
            await self._reply(send, answer, [*JSON, *rejection.headers, CLOSE])
        finally:
            counters.in_flight -= 1
        seconds = time.perf_counter() - began
        counters.observe(path, answer.status, seconds)
        if endpoint.is_of_model and not is_canary and answer.status in MODEL_STATUSES:
            counters.tallies.add(self._state.served, answer.status, seconds, answer.entry)

    async def _read_request(
        self, path: str, endpoint: Endpoint, scope: Scope, receive: Receive
    ) -> bytes | None:
        """Return the request's body, None where the caller has gone.

        Raises:
            _RejectedRequestError: the method, the key, the load or the body does not allow it.
        """
        headers: dict[bytes, bytes] = dict(scope["headers"])
        if scope["method"] != "POST":
            raise _RejectedRequestError(_wrong_method(path, "POST"), (b"allow", b"POST"))
        if not answers.is_allowed(self._keys, headers.get(_AUTHORIZATION)):
            sentence = "The API key is missing or unknown; send `Authorization: Bearer KEY`."
            answer = failure(HTTPStatus.UNAUTHORIZED, sentence)
            await _discard(receive)
            raise _RejectedRequestError(answer, (b"www-authenticate", b"Bearer"))
        if self._counters.in_flight > MAX_IN_FLIGHT:
            sentence = f"More than {MAX_IN_FLIGHT} requests are in flight; try again in a second."
            answer = failure(HTTPStatus.SERVICE_UNAVAILABLE, sentence)
            raise _RejectedRequestError(answer, (b"retry-after", b"1"))
        try:
            return await _body(receive, headers, endpoint.max_bytes, self._body_seconds)
        except TimeoutError as error:
            sentence = f"The body did not come within {self._body_seconds:g} s; send it again."
            raise _RejectedRequestError(failure(HTTPStatus.REQUEST_TIMEOUT, sentence)) from error
        except OverflowError as error:
            sentence = (
                f"The body is larger than {endpoint.max_bytes:,} bytes; send several requests."
            )
            answer = failure(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, sentence)
            raise _RejectedRequestError(answer) from error

    async def _reply(
        self, send: Send, answer: Answer, headers: Headers, *, only_head: bool = False
    ) -> None:
        sent = [*headers, (b"content-length", b"%d" % len(answer.body))]
        if self._state.draining and CLOSE not in sent:
            sent.append(CLOSE)  # so that a kept connection moves to another process
        await send({"type": "http.response.start", "status": int(answer.status), "headers": sent})
        body = b"" if only_head else answer.body
        await send({"type": "http.response.body", "body": body})


async def _body(
    receive: Receive, headers: dict[bytes, bytes], max_bytes: int, max_seconds: float
) -> bytes | None:
    """Return the whole body, None where the caller has gone.

    Raises:
        OverflowError: it is, or is announced to be, larger than `max_bytes`.
        TimeoutError: it does not come within `max_seconds`.
    """
    announced = headers.get(b"content-length", b"0")
    if announced.isdigit() and int(announced) > max_bytes:
        await _discard(receive)
        raise OverflowError
    parts: list[bytes] = []
    size = 0
    async with asyncio.timeout(max_seconds):
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            part = message.get("body", b"")
            size += len(part)
            if size > max_bytes:
                break
            if not message.get("more_body"):
                return b"".join([*parts, part]) if parts else part
            parts.append(part)
    if message.get("more_body"):
        await _discard(receive)
    raise OverflowError


async def _discard(receive: Receive) -> None:
    """Read and drop the body for a while: a client cut off in mid-body never reads the answer."""
    size = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DISCARD_SECONDS):
            while size < DISCARD_BYTES:
                message = await receive()
                size += len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body"):
                    return


def _wrong_method(path: str, method: str) -> Answer:
    return failure(HTTPStatus.METHOD_NOT_ALLOWED, f"{path} answers {method} alone.")
