"""The lease of a retraining: one in flight for a problem, whoever asks and wherever it is asked.

The scheduler alone cannot promise that: a run by hand beside the clock's, or a second scheduler,
would start another. The document is moved by compare-and-swap, so of two that ask at once one wins.
It runs out by the runs' own time, and a holder that ended or was lost is followed by the next.
Source: Gray and Cheriton, "Leases", SOSP 1989.
"""

import uuid
from collections.abc import Callable
from datetime import timedelta

from pydantic import AwareDatetime, Field

from contract.errors import Conflict, TryAgain
from contract.store.client import Store
from contract.store.documents import read_with_etag
from contract.store.layout import RetrainingLeaseKey
from contract.strict import Strict

ATTEMPTS = 20  # arbitrary: so many writers at once means something is wrong


class RetrainingLease(Strict):
    """Who holds it."""

    key: str
    """Of the retraining: the name under which the decision asks for it."""
    run: str
    """The monitoring run that asked."""
    at: AwareDatetime
    """The end of the day that asked."""
    nonce: str = Field(default_factory=lambda: uuid.uuid4().hex)
    """Makes every version's body, and so its ETag, differ."""


def take_lease(
    store: Store,
    problem: str,
    wanted: RetrainingLease,
    length: timedelta,
    has_ended: Callable[[str], bool],
) -> RetrainingLease | None:
    """Take the lease and return None, or return who holds it.

    A decision that is made again holds what it took before: it asks at the same `at`.

    Args:
        store: where it lies.
        problem: whose retraining it is.
        wanted: for whom.
        length: of the runs' own time after which a holder counts as lost.
        has_ended: whether the retraining of a key has left its entry in the ledger.

    Raises:
        DamagedDocument: nobody knows who holds it.
        TryAgain: too many asked at once.
    """
    key = str(RetrainingLeaseKey(problem))
    for _ in range(ATTEMPTS):
        stored = read_with_etag(store, key, RetrainingLease)
        holder, etag = stored or (None, None)
        if holder is not None and holder.at != wanted.at:
            is_lost = abs(wanted.at - holder.at) >= length
            if not is_lost and not has_ended(holder.key):
                return holder
        try:
            store.swap(key, wanted.canonical(), etag)
        except Conflict:
            continue
        return None
    sentence = f"{ATTEMPTS} others asked for a retraining of {problem} at once; it is tried again."
    raise TryAgain(sentence)
