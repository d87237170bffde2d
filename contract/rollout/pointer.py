"""A rollout to the service of one machine: `PROBLEM/rollout.json`, which that service follows.

The document moves by compare-and-swap alone. It names what should be served; only the service itself
knows what is served.
"""

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime

from contract.errors import Conflict, TryAgain
from contract.formatting import format_digest
from contract.log import log
from contract.rollout.target import RolloutRefused
from contract.service_protocol import InfoAnswer
from contract.serving_state import Rollout, ServiceAddress
from contract.store.client import Store
from contract.store.documents import DamagedDocument, parse_document, read_document
from contract.store.layout import rollout_key, service_key

# A supervisor starts the first service within 3 s of the rollout, and that takes 10 s when busy; a
# swap of the model takes less than one.
TIMEOUT_SECONDS = 60.0
POLL_SECONDS = 0.25
ATTEMPTS = 10  # arbitrary; a person and a deployment are the only writers

_log = log("deployment")


class PointerTarget:
    """The service of one problem on one machine; `read_info` requests /info at a URL; None: no response."""

    def __init__(
        self,
        store: Store,
        problem: str,
        read_info: Callable[[str], InfoAnswer | None],
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self.timeout_seconds = timeout_seconds
        self.poll_seconds = poll_seconds
        self._store = store
        self._problem = problem
        self._read_info = read_info

    def check(self) -> None:
        """Read the service's address, as `RolloutTarget`."""
        read_document(self._store, service_key(self._problem), ServiceAddress)

    def rolled_out(self) -> str | None:
        """Return the digest of `rollout.json`, as `RolloutTarget`."""
        rollout = read_document(self._store, rollout_key(self._problem), Rollout)
        return None if rollout is None else rollout.digest

    def roll_out(self, digest: str | None, at: datetime) -> None:
        """Write `rollout.json`, as `RolloutTarget`; one that cannot be read is written anew."""
        key = rollout_key(self._problem)
        for _ in range(ATTEMPTS):
            stored = self._store.get_with_etag(key)
            if _is_rolled_out(None if stored is None else stored[0], digest, key):
                return
            rollout = Rollout(digest=digest, nonce=uuid.uuid4().hex, at=at)
            try:
                self._store.swap(key, rollout.canonical(), stored[1] if stored else None)
            except Conflict:
                continue
            return
        sentence = f"{key} is being written by others all the time; it is tried again."
        raise Conflict(sentence)

    def served_at(self, digest: str) -> str | None:
        """Ask the service that announced itself, as `RolloutTarget`."""
        url = self._address()
        info = None if url is None else self._read_info(url)
        if info is None:
            return None
        error: Mapping[str, object] = info.get("error") or {}
        if error.get("digest") == digest and error.get("final"):
            raise RolloutRefused(f"The service refused the model: {error.get('why')}")
        return url if info.get("digest") == digest and info.get("ready") else None

    def pending_reason(self, digest: str) -> str:
        """Return what the service serves instead, as `RolloutTarget`."""
        return f"{self._status()}, expected {format_digest(digest)}; see its log."

    def _status(self) -> str:
        try:
            self.check()
        except (DamagedDocument, TryAgain) as failure:
            return str(failure).rstrip(".")
        url = self._address()
        if url is None:
            return f"no service has announced itself at {service_key(self._problem)}"
        info = self._read_info(url)
        if info is None:
            return f"the service at {url} does not answer"
        served = info.get("digest")
        error: Mapping[str, object] = info.get("error") or {}
        why = f" ({error['why']})" if error.get("why") else ""
        return f"the service at {url} serves {format_digest(served, 'no model')}{why}"

    def _address(self) -> str | None:
        """Return the URL of `service.json`; None: there is none yet, or none that can be read."""
        try:
            address = read_document(self._store, service_key(self._problem), ServiceAddress)
        except DamagedDocument:
            _log.warning("not an address", key=service_key(self._problem))
            return None
        except TryAgain as error:
            _log.warning("waiting for the store", why=str(error))
            return None
        return None if address is None else address.url


def _is_rolled_out(body: bytes | None, digest: str | None, key: str) -> bool:
    """Tell whether a stored rollout names the digest; one that cannot be read names nothing."""
    if body is None:
        return digest is None
    try:
        return parse_document(body, Rollout, key).digest == digest
    except DamagedDocument:
        return False
