"""The fast lane: the ASGI application around the one that BentoML builds.

BentoML's own way costs 290 us a request at best, this one 80 with everything in it (key, limits,
checks, log). What the lane does not know goes on to BentoML only where BentoML has such a route:
its metrics make a new series of every path that they see.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from serving import answers
from serving.answers import Answer, failure
from serving.documentation import PAGE_HEADERS, Documentation
from serving.settings import Settings
from serving.spool import Spool
from serving.standing import Standing

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

MIB = 1 << 20
THREAD_BYTES = 32 << 10  # a larger batch (about 100 rows) would hold up the others for over 1 ms
MOST_IN_FLIGHT = 256  # bodies of the largest size would take 4 GiB; most are of 1 kB
BODY_SECONDS = 10.0  # in which a body must have come
DISCARD_BYTES = 32 * MIB  # of a body that is not wanted, or
DISCARD_SECONDS = 1.0
UNLOGGED = b"x-perennial-canary"  # deployment's own requests are not what the world asked

# What a model can be blamed or praised for; a missing key or a body too large is the caller's own.
JUDGED = frozenset({200, 422, 500, 503})

# Of BentoML's routes, those that have no endless set of paths below them.
PASSED = frozenset(
    {
        "/livez",
        "/healthz",
        "/metrics",
        "/static_content/swagger-ui-bundle.js",
        "/static_content/swagger-ui.css",
    }
)

JSON: Headers = [(b"content-type", b"application/json")]
CLOSE = (b"connection", b"close")


@dataclass(frozen=True)
class Route:
    """One path of the service's own API."""

    answer: Callable[[Standing, bytes], Answer]
    most_bytes: int
    spool: Spool
    is_judged: bool = True
    """Whether its answers are the model's, which a canary is judged by."""


class _TurnedAwayError(Exception):
    """A request that is answered before its body is looked at."""

    def __init__(self, answer: Answer, *headers: tuple[bytes, bytes]) -> None:
        super().__init__()
        self.answer = answer
        self.headers = headers


class Lane:
    """The application; `inner` is what BentoML built."""

    def __init__(
        self,
        inner: Application,
        *,
        settings: Settings,
        standing: Standing,
        predictions: Spool,
        labels: Spool,
        documentation: Documentation,
    ) -> None:
        self.inner = inner
        self._keys = settings.key_digests
        self._standing = standing
        self._counters = standing.counters
        self._threads = ThreadPoolExecutor(1, "batches")
        self._routes = {
            "/v1/predict": Route(answers.predict, MIB, predictions),
            "/v1/predict_batch": Route(answers.predict_batch, 16 * MIB, predictions),
            "/v1/feedback": Route(answers.feedback, MIB, labels, is_judged=False),
        }
        self._views: dict[str, Callable[[], tuple[Answer, Headers]]] = {
            "/info": lambda: (answers.info(standing), JSON),
            "/readyz": lambda: (answers.ready(standing), JSON),
            "/docs.json": lambda: (Answer(HTTPStatus.OK, documentation.openapi()), JSON),
            "/": lambda: (Answer(HTTPStatus.OK, documentation.page), PAGE_HEADERS),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        path: str = scope["path"]
        route = self._routes.get(path)
        if route is not None:
            await self._answer(path, route, scope, receive, send)
        elif path in self._views:
            await self._show(path, scope, send)
        elif path in PASSED:
            await self.inner(scope, receive, send)
        else:
            known = ", ".join([*self._routes, *self._views])
            sentence = f"There is no {path[:60]!r} here; there are {known}."
            await self._reply(send, failure(HTTPStatus.NOT_FOUND, sentence), JSON)
            self._counters.requests["other", HTTPStatus.NOT_FOUND] += 1

    async def _show(self, path: str, scope: Scope, send: Send) -> None:
        if scope["method"] not in {"GET", "HEAD"} and path != "/info":
            await self._reply(send, _wrong_method(path, "GET"), [*JSON, (b"allow", b"GET")])
            return
        answer, headers = self._views[path]()
        await self._reply(send, answer, headers, only_head=scope["method"] == "HEAD")

    async def _answer(
        self, path: str, route: Route, scope: Scope, receive: Receive, send: Send
    ) -> None:
        began = time.perf_counter()
        counters = self._counters
        is_ours = any(name == UNLOGGED for name, _ in scope["headers"])
        counters.in_flight += 1
        try:
            body = await self._admit(path, route, scope, receive)
            if body is None:
                return  # the caller has gone
            if len(body) > THREAD_BYTES:
                loop = asyncio.get_running_loop()
                answer = await loop.run_in_executor(
                    self._threads, route.answer, self._standing, body
                )
            else:
                answer = route.answer(self._standing, body)
            await self._reply(send, answer, JSON)
            if answer.entry is not None and not is_ours:
                route.spool.put(answer.entry)
        except _TurnedAwayError as refusal:
            answer = refusal.answer
            # Its body may not have been read to its end: the connection cannot be used again.
            await self._reply(send, answer, [*JSON, *refusal.headers, CLOSE])
        finally:
            counters.in_flight -= 1
        seconds = time.perf_counter() - began
        counters.observe(path, answer.status, seconds)
        if route.is_judged and not is_ours and answer.status in JUDGED:
            counters.tallies.add(self._standing.served, answer.status, seconds, answer.entry)

    async def _admit(self, path: str, route: Route, scope: Scope, receive: Receive) -> bytes | None:
        """Return the request's body, None where the caller has gone.

        Raises:
            _TurnedAwayError: the method, the key, the load or the body does not let it in.
        """
        headers: dict[bytes, bytes] = dict(scope["headers"])
        if scope["method"] != "POST":
            raise _TurnedAwayError(_wrong_method(path, "POST"), (b"allow", b"POST"))
        if not answers.is_allowed(self._keys, headers.get(b"authorization")):
            sentence = "The API key is missing or unknown; send `Authorization: Bearer KEY`."
            answer = failure(HTTPStatus.UNAUTHORIZED, sentence)
            await _discard(receive)
            raise _TurnedAwayError(answer, (b"www-authenticate", b"Bearer"))
        if self._counters.in_flight > MOST_IN_FLIGHT:
            sentence = f"More than {MOST_IN_FLIGHT} requests are in flight; try again in a second."
            answer = failure(HTTPStatus.SERVICE_UNAVAILABLE, sentence)
            raise _TurnedAwayError(answer, (b"retry-after", b"1"))
        try:
            return await _body(receive, headers, route.most_bytes)
        except TimeoutError as error:
            sentence = f"The body did not come within {BODY_SECONDS:g} s; send it again."
            raise _TurnedAwayError(failure(HTTPStatus.REQUEST_TIMEOUT, sentence)) from error
        except OverflowError as error:
            sentence = f"The body is larger than {route.most_bytes:,} bytes; send several requests."
            answer = failure(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, sentence)
            raise _TurnedAwayError(answer) from error

    async def _reply(
        self, send: Send, answer: Answer, headers: Headers, *, only_head: bool = False
    ) -> None:
        told = [*headers, (b"content-length", b"%d" % len(answer.body))]
        if self._standing.draining and CLOSE not in told:
            told.append(CLOSE)  # so that a kept connection moves to another process
        await send({"type": "http.response.start", "status": int(answer.status), "headers": told})
        body = b"" if only_head else answer.body
        await send({"type": "http.response.body", "body": body})


async def _body(receive: Receive, headers: dict[bytes, bytes], most: int) -> bytes | None:
    """Return the whole body, None where the caller has gone.

    Raises:
        OverflowError: it is, or says that it will be, larger than `most`.
        TimeoutError: it does not come.
    """
    told = headers.get(b"content-length", b"0")
    if told.isdigit() and int(told) > most:
        await _discard(receive)
        raise OverflowError
    parts: list[bytes] = []
    size = 0
    async with asyncio.timeout(BODY_SECONDS):
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            part = message.get("body", b"")
            size += len(part)
            if size > most:
                break
            if not message.get("more_body"):
                return b"".join([*parts, part]) if parts else part
            parts.append(part)
    if message.get("more_body"):
        await _discard(receive)
    raise OverflowError


async def _discard(receive: Receive) -> None:
    """Read on for a while without keeping: who is cut off in mid-body never reads the answer."""
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
