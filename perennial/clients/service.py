"""HTTP client of a problem's prediction service."""

import json
from http import HTTPStatus
from typing import Any, cast

import httpx

from contract import service_protocol as protocol
from contract.errors import InvalidRequest, TryAgain
from contract.serving_state import ServiceAddress
from contract.store.client import Store
from contract.store.documents import read_document
from contract.store.layout import service_key

REQUEST_SECONDS = 30


class Service:
    """A client of one problem's service."""

    def __init__(
        self, problem: str, url: str, api_key: str, client: httpx.Client | None = None
    ) -> None:
        self.url = url.rstrip("/")
        self._problem = problem
        self._key = api_key
        self._client = client or httpx.Client(trust_env=False, timeout=REQUEST_SECONDS)

    def predict(self, rows: Any) -> Any:  # noqa: ANN401 - any JSON value; the service checks it
        """Return the predictions for one row (an object) or for several (a list of them).

        Raises:
            InvalidRequest: a field is invalid; the message names it.
            TryAgain: the service is unreachable, or has no model yet.
        """
        if isinstance(rows, list):
            return self._request("POST", protocol.PREDICT_BATCH, {"rows": rows})
        return self._request("POST", protocol.PREDICT, rows)

    def info(self) -> protocol.InfoAnswer | None:
        """Return the service's state; None while it does not answer."""
        try:
            info = self._request("GET", protocol.INFO, None)
        except (TryAgain, InvalidRequest):
            return None
        return cast("protocol.InfoAnswer", info) if isinstance(info, dict) else None

    def digest(self) -> str | None:
        """Return the digest of the model that answers; None while nothing does."""
        info = self.info()
        return info.get("digest") if info else None

    def _request(self, method: str, path: str, body: object) -> Any:  # noqa: ANN401 - any JSON value
        headers = {protocol.AUTHORIZATION: protocol.bearer(self._key)}
        try:
            response = self._client.request(method, f"{self.url}{path}", json=body, headers=headers)
        except httpx.HTTPError as error:
            sentence = (
                f"The service of {self._problem!r} does not answer at {self.url} "
                f"({type(error).__name__}); see `perennial status {self._problem}`."
            )
            raise TryAgain(sentence) from error
        if response.is_success:
            return response.json()
        message = _message(response)
        if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise TryAgain(f"The service answered {response.status_code}: {message}")
        raise InvalidRequest(f"The service refused the request ({response.status_code}): {message}")


def find_service(store: Store, problem: str, api_key: str) -> Service | None:
    """Return the service that registered itself in the store; None without one.

    Raises:
        DamagedDocument: its address cannot be read.
    """
    address = read_document(store, service_key(problem), ServiceAddress)
    return None if address is None else Service(problem, address.url, api_key)


def _message(response: httpx.Response) -> str:
    """Return the error message of a response as one line."""
    try:
        body = response.json()
    except ValueError:
        return " ".join(response.text.split())[:500] or "no message"
    if not isinstance(body, dict) or not isinstance(body.get("error"), str):
        return json.dumps(body)[:500]
    return str(body["error"]).rstrip(".")
