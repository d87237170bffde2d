"""Which model a machine's service should take: `PROBLEM/rollout.json`, moved by compare-and-swap."""

import uuid
from collections.abc import Callable
from datetime import datetime

from contract.serving_state import Rollout
from contract.store.client import Store
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
        """Return the digest that is rolled out; None before the first deployment."""
        found = self._store.get_with_etag(rollout_key(self._problem))
        return None if found is None else Rollout.model_validate_json(found[0]).digest

    def tell(self, digest: str | None, at: datetime) -> None:
        """Roll a model out; nothing where it is so already."""
        key = rollout_key(self._problem)
        found = self._store.get_with_etag(key)
        if found is not None and Rollout.model_validate_json(found[0]).digest == digest:
            return
        wish = Rollout(digest=digest, nonce=uuid.uuid4().hex, at=at)
        self._store.swap(key, wish.canonical(), found[1] if found else None)

    def served(self) -> str | None:
        """Return the digest that requests are answered with; None while there is none."""
        return self._served()
