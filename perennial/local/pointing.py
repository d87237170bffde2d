"""Which model a machine's service should take: `PROBLEM/rollout.json`, moved by compare-and-swap."""

import contextlib
import uuid
from collections.abc import Callable
from datetime import datetime

from contract.serving_state import Rollout
from contract.store.client import Store
from contract.store.documents import DamagedDocument, parse_document, read_document
from contract.store.layout import rollout_key

SERVE_SECONDS = 60.0  # a start of the service takes some seconds, a swap of the model less than one


class Pointer:
    """The rollout of one problem on a machine; `served` tells which digest answers now."""

    seconds = SERVE_SECONDS

    def __init__(self, store: Store, problem: str, served: Callable[[], str | None]) -> None:
        self._store = store
        self._problem = problem
        self._served = served

    def told(self) -> str | None:
        """Return the digest that is rolled out; None before the first deployment.

        Raises:
            DamagedDocument: nobody knows.
        """
        rollout = read_document(self._store, rollout_key(self._problem), Rollout)
        return None if rollout is None else rollout.digest

    def tell(self, digest: str | None, at: datetime) -> None:
        """Roll a model out; nothing where it is so already. What cannot be read is written anew."""
        key = rollout_key(self._problem)
        found = self._store.get_with_etag(key)
        with contextlib.suppress(DamagedDocument):
            if found is not None and parse_document(found[0], Rollout, key).digest == digest:
                return
        wish = Rollout(digest=digest, nonce=uuid.uuid4().hex, at=at)
        self._store.swap(key, wish.canonical(), found[1] if found else None)

    def served(self) -> str | None:
        """Return the digest that requests are answered with; None while there is none."""
        return self._served()
