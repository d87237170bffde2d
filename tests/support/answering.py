"""A server of JSON on loopback whose answers are a function: the far end of a client under test."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseServer
from typing import Any, TypeVar


@dataclass(frozen=True)
class Request:
    """What was asked."""

    method: str
    path: str
    authorization: str | None
    body: Any
    """Parsed JSON; None where there was none."""


Answer = Callable[[Request], tuple[int, Any]]
"""Gives the status and what is told as JSON."""
Server = TypeVar("Server", bound=BaseServer)


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """Let a server answer from a thread of its own, and close it in the end."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def answering(answer: Answer, address: tuple[str, int] = ("127.0.0.1", 0)) -> Iterator[int]:
    """Serve at an address, by default on a free port, and yield the port."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            status, found = answer(
                Request(self.command, self.path, self.headers["Authorization"], body)
            )
            text = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = _answer  # noqa: N815 - the base class's names

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(address, Handler)
    server.daemon_threads = True
    with running(server):
        yield server.server_port
