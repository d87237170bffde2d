"""A connection's end: after so many requests, or when it is old, its next answer is the last.

A Kubernetes Service chooses a pod once a connection. A client that keeps its connection for hours
never meets a pod that came later, so neither a canary nor an added pod gets its share; and no
answer says `Connection: close` until something ends it. uvicorn limits the requests of a process,
not those of a connection.

The end is that of RFC 9112, section 9.6: the last answer says `Connection: close`, the sending side
closes, and what still comes is read and thrown away until the client closes too. A plain close would
reset the connection under a client that has sent more already, and take the last answer with it.
What a pipelining client sent behind its last request is not begun, so it can be sent again.
"""

import asyncio
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LINGER_SECONDS = 1.0  # as long as the fast path reads on after it refused a request


class _HalfClosing:
    """What the last request sees of its transport: `close` closes the sending side alone."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.write = transport.write
        self.is_closing = transport.is_closing
        self.close = transport.write_eof if transport.can_write_eof() else transport.close


class EndingConnection(HttpToolsProtocol):
    """uvicorn's connection, which ends by itself; see `limited`."""

    most_requests = 0
    most_seconds = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        """Begin to count."""
        super().connection_made(transport)
        self._requests = 0
        self._old_at = self.loop.time() + self.most_seconds
        self._has_last = False
        self._is_over = False

    def data_received(self, data: bytes) -> None:
        """Read on; after the last answer for nothing but the client's own close."""
        if not (self._has_last and self.cycle.response_complete):
            super().data_received(data)

    def on_message_begin(self) -> None:
        """Begin a request, or notice that it is one too many."""
        self._is_over = self._has_last
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Let the request in, as the last one where it is time."""
        if self._is_over:
            return
        super().on_headers_complete()
        self._requests += 1
        if self._requests >= self.most_requests or self.loop.time() >= self._old_at:
            self._has_last = True
            self.cycle.keep_alive = False  # which makes uvicorn say `Connection: close`
            self.cycle.transport = cast("asyncio.Transport", _HalfClosing(self.transport))

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body that belongs to a request that was let in."""
        if not self._is_over:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request that was let in."""
        if not self._is_over:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Go on with the next request; after the last one wait for the client's close."""
        super().on_response_complete()
        if self._has_last and self.cycle.response_complete and not self.transport.is_closing():
            self._unset_keepalive_if_required()
            self.timeout_keep_alive_task = self.loop.call_later(
                LINGER_SECONDS, self.timeout_keep_alive_handler
            )


def limited(requests: int, seconds: float) -> type[EndingConnection]:
    """Return the class of connections that end after so many requests, or so many seconds."""
    limits = {"most_requests": requests, "most_seconds": seconds}
    return type("LimitedConnection", (EndingConnection,), limits)
