"""The Kubernetes API, as the stage `deployment` speaks to it.

Standard library alone: the client library of the API costs 84 MB and 0.7 CPU-s.
"""

import json
import ssl
import urllib.error
import urllib.request
from http import HTTPStatus
from pathlib import Path
from typing import Any

from contract.errors import AskedWrongly, Conflict, TryAgain

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
ASK_SECONDS = 10.0
STRATEGIC = "application/strategic-merge-patch+json"
MERGE = "application/merge-patch+json"  # for kinds that the API does not know by itself

Found = dict[str, Any]  # a document of Kubernetes: whatever it holds is JSON


class Absent(AskedWrongly):
    """There is no such object, or no right to see it; without a right the API does not tell."""


class Api:
    """The API for one namespace, with the token of this pod's service account."""

    def __init__(self, url: str, namespace: str, account: Path = ACCOUNT) -> None:
        self._url = url
        self._namespace = namespace
        self._account = account

    def path(self, group: str, kind: str, name: str = "") -> str:
        """Return the path of one object, or of all of a kind, such as `apis/apps/v1`."""
        return f"/{group}/namespaces/{self._namespace}/{kind}" + (f"/{name}" if name else "")

    def get(self, path: str, what: str) -> Found:
        """Return an object; `what` names it in a message.

        Raises:
            Absent: it is not there, or not to be seen.
            TryAgain: the API is away.
        """
        return self._ask("GET", path, what, None, STRATEGIC)

    def patch(self, path: str, what: str, body: object, kind: str = STRATEGIC) -> Found:
        """Change an object and return it.

        Raises:
            Absent: as `get`.
            Conflict: the body names a `resourceVersion` that is no longer the object's.
            TryAgain: the API is away.
        """
        return self._ask("PATCH", path, what, body, kind)

    def _ask(self, method: str, path: str, what: str, body: object, kind: str) -> Found:
        token = self._account / "token"
        request = urllib.request.Request(  # noqa: S310 - the address is the cluster's own
            f"{self._url}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {token.read_text(encoding='ascii')}",
                "Content-Type": kind,
            },
        )
        authority = self._account / "ca.crt"
        trusted = ssl.create_default_context(cafile=str(authority)) if authority.exists() else None
        try:
            with urllib.request.urlopen(request, context=trusted, timeout=ASK_SECONDS) as answer:  # noqa: S310 - as above
                found: Found = json.load(answer)
                return found
        except urllib.error.HTTPError as error:
            raise _complaint(f"{method} of {what}", error) from error
        except (OSError, ValueError) as error:
            sentence = f"The Kubernetes API does not answer ({error}); it is tried again."
            raise TryAgain(sentence) from error


def _complaint(asked: str, error: urllib.error.HTTPError) -> AskedWrongly | TryAgain:
    try:
        said = json.loads(error.read() or b"{}").get("message", error.reason)
    except ValueError:
        said = error.reason
    if error.code == HTTPStatus.CONFLICT:
        return Conflict(f"{asked} was answered 409: {said}")
    if error.code == HTTPStatus.TOO_MANY_REQUESTS or error.code >= 500:  # noqa: PLR2004 - the server's own
        return TryAgain(f"The Kubernetes API answered {error.code}: {said}")
    sentence = (
        f"{asked} was answered {error.code} ({said}); apply the problem's kustomization, which "
        "makes the service and the right to change it."
    )
    is_absent = error.code in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}
    return (Absent if is_absent else AskedWrongly)(sentence)
