"""The alerts of a problem in the store: read, and changed by compare-and-swap."""

import uuid
from collections.abc import Callable

from contract.alerts import AlertState
from contract.errors import Conflict, TryAgain
from contract.store.client import Store
from contract.store.documents import read_with_etag
from contract.store.layout import AlertsKey

ATTEMPTS = 20  # arbitrary: so many writers at once means something is wrong


def read_alerts(store: Store, problem: str) -> AlertState:
    """Return the alerts; an empty state before the first.

    Raises:
        DamagedDocument: they cannot be read.
    """
    return _read(store, problem)[0]


def change_alerts(
    store: Store, problem: str, change: Callable[[AlertState], AlertState]
) -> AlertState:
    """Write what `change` makes of the state and return it; nothing is written where nothing changes.

    `change` is called again where another writer was first.

    Raises:
        DamagedDocument: as in `read_alerts`.
        TryAgain: too many writers at once.
    """
    for _ in range(ATTEMPTS):
        before, etag = _read(store, problem)
        after = change(before)
        if after == before:
            return before
        fresh = after.model_copy(update={"nonce": uuid.uuid4().hex})
        try:
            store.swap(str(AlertsKey(problem)), fresh.canonical(), etag)
        except Conflict:
            continue
        return fresh
    sentence = f"The alerts of {problem} had {ATTEMPTS} other writers; it is tried again."
    raise TryAgain(sentence)


def _read(store: Store, problem: str) -> tuple[AlertState, str | None]:
    return read_with_etag(store, str(AlertsKey(problem)), AlertState) or (AlertState(), None)
