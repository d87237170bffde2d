"""Servers of JSON on loopback: the far end of a client under test."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseServer
from typing import Any, TypeVar


class JsonHandler(BaseHTTPRequestHandler):
    """Reads and writes JSON; what a server answers is in its subclass."""

    def read(self) -> Any:
        """Return the parsed body; None where there is none."""
        length = int(self.headers.get("Content-Length") or 0)
        return json.loads(self.rfile.read(length)) if length else None

    def reply(self, status: int, value: object) -> None:
        """Send a value as JSON."""
        self.send(status, json.dumps(value).encode(), "application/json")

    def send(self, status: int, body: bytes, kind: str) -> None:
        """Send bytes of a media type."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


class JsonServer(ThreadingHTTPServer):
    """Listens on a free port, if no other address is given."""

    daemon_threads = True

    def __init__(
        self, handler: type[JsonHandler], address: tuple[str, int] = ("127.0.0.1", 0)
    ) -> None:
        super().__init__(address, handler)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self.server_address[0]}:{self.server_port}"


@dataclass(frozen=True)
class Request:
    """What was asked."""

    method: str
    path: str
    authorization: str | None
    body: Any
    """Parsed JSON; None where there was none."""


Answer = Callable[[Request], tuple[int, Any]]
"""Gives the status and the JSON value of an answer."""
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
    """Serve what a function answers at an address, by default on a free port, and yield the port."""

    class Handler(JsonHandler):
        def _answer(self) -> None:
            body, authorization = self.read(), self.headers["Authorization"]
            self.reply(*answer(Request(self.command, self.path, authorization, body)))

        do_GET = do_POST = _answer

    with running(JsonServer(Handler, address)) as server:
        yield server.server_port
