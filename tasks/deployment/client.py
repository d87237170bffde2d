"""The service as a caller sees it: one kept connection, JSON in and out, no library but Python's."""

import http.client
import json
import time
from http import HTTPStatus
from typing import Any, NamedTuple, Self, cast
from urllib.parse import urlsplit

from contract import service_protocol as protocol

REQUEST_SECONDS = 10.0
INFO_SECONDS = 2.0


class Reply(NamedTuple):
    """One response."""

    status: int
    body: dict[str, Any]
    seconds: float
    """From the first byte sent to the last received."""


class Client:
    """A connection to one service, opened again where the service closed it."""

    def __init__(self, url: str, api_key: str, seconds: float = REQUEST_SECONDS) -> None:
        parts = urlsplit(url)
        kind = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        self.url = url
        self._connection = kind(parts.netloc, timeout=seconds)
        self._headers = {
            protocol.AUTHORIZATION: protocol.bearer(api_key),
            "content-type": "application/json",
            protocol.CANARY: "1",
        }

    def __enter__(self) -> Self:
        """Return the client itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self._connection.close()

    def request(self, method: str, path: str, value: object = None) -> Reply:
        """Send one request and return the response.

        Raises:
            OSError: the service does not answer, or not in HTTP and JSON.
        """
        body = None if value is None else json.dumps(value).encode()
        began = time.perf_counter()
        try:
            self._connection.request(method, path, body, self._headers)
            response = self._connection.getresponse()
            content = response.read()
            seconds = time.perf_counter() - began
            document = json.loads(content) if content.strip() else {}
        except (http.client.HTTPException, ValueError) as error:
            self._connection.close()
            message = f"{type(error).__name__} from {self.url}{path}"
            raise OSError(message) from error
        except OSError:
            self._connection.close()
            raise
        return Reply(response.status, document if isinstance(document, dict) else {}, seconds)

    def info(self) -> protocol.InfoAnswer | None:
        """Return the answer of /info; None where the service does not answer."""
        try:
            reply = self.request("GET", protocol.INFO)
        except OSError:
            return None
        return cast("protocol.InfoAnswer", reply.body) if reply.status == HTTPStatus.OK else None


def read_info(url: str, api_key: str) -> protocol.InfoAnswer | None:
    """Return the answer of /info at a URL; None where nothing answers within 2 s."""
    with Client(url, api_key, seconds=INFO_SECONDS) as client:
        return client.info()
