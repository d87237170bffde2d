"""The Kubernetes API, as the stage `deployment` calls it from its pod.

Standard library alone: the client library of the API costs 84 MB and 0.7 CPU-s.
"""

import json
import ssl
import urllib.error
import urllib.request
from http import HTTPStatus
from pathlib import Path
from typing import Any

from contract.errors import Conflict, InvalidRequest, TryAgain
from contract.rollout.deployment import AbsentResource
from contract.rollout.pod_template import Resource

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
REQUEST_SECONDS = 10.0
STRATEGIC = "application/strategic-merge-patch+json"
MERGE = "application/merge-patch+json"  # for kinds that the API does not know by itself


class Api:
    """The API for one namespace, with the token of this pod's service account."""

    def __init__(self, url: str, namespace: str, account: Path = ACCOUNT) -> None:
        self._url = url
        self._namespace = namespace
        self._account = account

    def path(self, group: str, kind: str, name: str = "") -> str:
        """Return the path of one object, or of all of a kind, such as `apis/apps/v1`."""
        return f"/{group}/namespaces/{self._namespace}/{kind}" + (f"/{name}" if name else "")

    def get(self, path: str, what: str) -> dict[str, Any]:
        """Return an object; `what` names it in a message.

        Raises:
            AbsentResource: it is not there, or not to be seen.
            TryAgain: the API is away.
        """
        return self._request("GET", path, what, None, STRATEGIC)

    def patch(self, path: str, what: str, body: object, kind: str = STRATEGIC) -> None:
        """Change an object.

        Raises:
            AbsentResource: as `get`.
            Conflict: the body names a `resourceVersion` that is no longer the object's.
            TryAgain: the API is away.
        """
        self._request("PATCH", path, what, body, kind)

    def get_deployment(self, name: str) -> Resource:
        """Return a Deployment, as `contract.rollout.deployment.DeploymentApi`."""
        return self.get(self._deployment(name), f"the Deployment {name}")

    def patch_deployment(self, name: str, body: Resource) -> None:
        """Change a Deployment, as `contract.rollout.deployment.DeploymentApi`."""
        self.patch(self._deployment(name), f"the Deployment {name}", body)

    def _deployment(self, name: str) -> str:
        return self.path("apis/apps/v1", "deployments", name)

    def _request(
        self, method: str, path: str, what: str, body: object, kind: str
    ) -> dict[str, Any]:
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
            with urllib.request.urlopen(  # noqa: S310 - as above
                request, context=trusted, timeout=REQUEST_SECONDS
            ) as response:
                document: dict[str, Any] = json.load(response)
                return document
        except urllib.error.HTTPError as error:
            raise _api_error(f"{method} of {what}", error) from error
        except (OSError, ValueError) as error:
            sentence = f"The Kubernetes API does not answer ({error}); it is tried again."
            raise TryAgain(sentence) from error


def _api_error(request: str, error: urllib.error.HTTPError) -> InvalidRequest | TryAgain:
    """Return the error of the contract for a status of the API."""
    try:
        message = json.loads(error.read() or b"{}").get("message", error.reason)
    except ValueError:
        message = error.reason
    if error.code == HTTPStatus.CONFLICT:
        return Conflict(f"{request} was answered 409: {message}")
    if error.code == HTTPStatus.TOO_MANY_REQUESTS or error.code >= 500:  # noqa: PLR2004 - the server's own
        return TryAgain(f"The Kubernetes API answered {error.code}: {message}")
    sentence = (
        f"{request} was answered {error.code} ({message}); apply the problem's kustomization, which "
        "makes the service and the right to change it."
    )
    is_absent = error.code in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}
    return (AbsentResource if is_absent else InvalidRequest)(sentence)
