"""A model service as a real process on loopback, and what a caller does with it."""

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from bundle_factory import Keys
from waiting import LIMIT_SECONDS, wait_until

from contract.canonical_json import sha256
from contract.service_protocol import INFO, READY
from contract.serving_state import Rollout, ServiceAddress
from contract.store.client import Store
from contract.store.layout import rollout_key, service_key

API_KEY = "an-api-key-of-the-tests"


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as a JSON value."""
        return json.loads(self.body)


@dataclass
class Service:
    """The running process."""

    process: subprocess.Popen[bytes]
    url: str
    folder: Path
    log: Path
    headers: dict[str, str] = field(default_factory=lambda: {"authorization": f"Bearer {API_KEY}"})

    @property
    def address(self) -> str:
        """Host and port."""
        return self.url.removeprefix("http://")

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send one request on a connection of its own; bytes go as they are."""
        connection = http.client.HTTPConnection(self.address, timeout=LIMIT_SECONDS)
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        try:
            connection.request(
                method, path, data, dict(self.headers if headers is None else headers)
            )
            found = connection.getresponse()
            told = {name.lower(): value for name, value in found.getheaders()}
            return Reply(found.status, told, found.read())
        finally:
            connection.close()

    def stop(self) -> int:
        """End it as an orchestrator does and return its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(LIMIT_SECONDS)

    def wait_until_ready(self) -> None:
        """Wait until it serves a model."""
        wait_until(self._is_ready, "the service is ready")

    def wait_until_serving(self, digest: str | None) -> None:
        """Wait until it serves the model of this digest; None: no model."""
        wait_until(lambda: self.ask("GET", INFO).json["digest"] == digest, f"{digest} is served")

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        return self.ask("GET", READY).status == 200


def move_pointer(store: Store, problem: str, digest: str | None) -> None:
    """Say which model should serve."""
    known = store.get_with_etag(rollout_key(problem))
    wish = Rollout(digest=digest, nonce=uuid4().hex, at=datetime.now(UTC))
    store.swap(rollout_key(problem), wish.canonical(), known[1] if known else None)


def start_service(
    store: Store,
    problem: str,
    keys: Keys,
    home: Path,
    variables: Mapping[str, str] | None = None,
) -> Service:
    """Start the service on a free port and wait until it says where it listens."""
    home.mkdir(parents=True, exist_ok=True)
    log = home / "service.log"
    environment = os.environ | {
        "PERENNIAL_HOME": str(home),
        "PERENNIAL_VERIFY_KEYS": str(keys.folder),
        "PERENNIAL_API_KEY_SHA256": sha256(API_KEY.encode()),
        "DRAIN_SECONDS": "0.3",
        "POLL_SECONDS": "0.1",
        **(variables or {}),
    }
    with log.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "serving", problem, "--port", "0"],
            env=environment,
            cwd=Path(__file__).parents[2],
            stdout=file,
            stderr=subprocess.STDOUT,
        )

    def address() -> str | None:
        if process.poll() is not None:
            raise AssertionError(log.read_text())
        known = store.get_with_etag(service_key(problem))
        if known is None:
            return None
        found = ServiceAddress.model_validate_json(known[0])
        return found.url if found.pid == process.pid else None

    url = wait_until(address, "the service says where it listens")
    return Service(process, url, home / "services" / problem, log)
