"""The way back to an earlier model: roll out, see that it serves, move the champion, write it down.

The order is that of a deployment: the pointer moves last, by compare-and-swap, so a rollback that is
cut short leaves a mismatch that `status` shows, and that the next rollback mends.
"""

import time
import uuid
from datetime import UTC, datetime

from contract.artifacts import Sha256
from contract.champion import Champion
from contract.errors import AskedWrongly, TryAgain
from contract.store.client import Store
from contract.store.layout import champion_key
from contract.store.ledger import Ledger, LedgerEntry
from contract.strict import Strict
from perennial.platform import ServiceRollout

POLL_SECONDS = 0.2
SERVED = frozenset({"deployed", "rollback"})
FEWEST_DIGITS = 4  # arbitrary: fewer are a slip of the hand


class Wish(Strict):
    """What is asked."""

    problem: str
    to: str | None
    """The first digits of a digest; None: the model before the champion."""
    reason: str
    at: datetime | None
    """In the problem's own time; None: now."""


class RolledBack(Strict):
    """What was done."""

    digest: Sha256
    previous: Sha256 | None
    entry: int
    """Its number in the ledger."""


def roll_back(
    store: Store, wish: Wish, serving: ServiceRollout, seconds: float | None = None
) -> RolledBack:
    """Serve an earlier model again; `seconds` is how long the service may take to do so.

    Where the rollout names another model than the champion, and no other is asked for, a deployment
    was cut short: the champion is rolled out again and stays what it is.

    Raises:
        AskedWrongly: there is no such model.
        TryAgain: the service did not take it; the rollout was moved back.
    """
    entries = Ledger(store, wish.problem).entries()
    pointer = store.get_with_etag(champion_key(wish.problem))
    if pointer is None:
        sentence = f"{wish.problem} has no champion yet, so there is nothing to go back from."
        raise AskedWrongly(sentence)
    holder = Champion.model_validate_json(pointer[0])
    told = serving.told()
    is_mending = wish.to is None and told is not None and told != holder.digest
    digest = holder.digest if is_mending else choose(entries, holder.digest, wish)
    if store.head(f"{wish.problem}/models/sha256/{digest}/manifest.json") is None:
        sentence = f"The model {digest[:12]} is no longer in the store; choose another by --to."
        raise AskedWrongly(sentence)
    now = datetime.now(UTC)
    limit = serving.seconds if seconds is None else seconds
    serving.tell(digest, now)
    if not _takes(serving, digest, limit):
        serving.tell(holder.digest, now)
        sentence = (
            f"The service did not serve {digest[:12]} within {limit:.0f} s, so it was told to "
            f"serve {holder.digest[:12]} again; its log says why."
        )
        raise TryAgain(sentence)
    nonce = uuid.uuid4().hex
    if not is_mending:
        champion = Champion(
            digest=digest,
            run=maker(entries, digest),
            verdict=None,
            since=wish.at or now,
            nonce=nonce,
        )
        store.swap(champion_key(wish.problem), champion.canonical(), pointer[1])
    previous = told if is_mending else holder.digest
    entry = LedgerEntry(
        id=f"by hand/{nonce}/rollback",
        kind="rollback",
        at=wish.at or now,
        written=now,
        run="by hand",
        digest=digest,
        previous=previous,
        reason=wish.reason,
    )
    number = Ledger(store, wish.problem).append(entry)
    return RolledBack(digest=digest, previous=previous, entry=number)


def maker(entries: list[LedgerEntry], digest: str) -> str:
    """Return the run that made a model: the first that brought it."""
    return next(entry.run for entry in entries if entry.digest == digest)


def choose(entries: list[LedgerEntry], holder: str, wish: Wish) -> str:
    """Return the digest of the model to go back to.

    Raises:
        AskedWrongly: none, or more than one, is meant.
    """
    served = [entry for entry in entries if entry.kind in SERVED and entry.digest]
    known_digests = list(dict.fromkeys(str(entry.digest) for entry in served))
    if wish.to is None:
        return _before(served, holder, wish.problem)
    found = [digest for digest in known_digests if digest.startswith(wish.to)]
    if len(wish.to) < FEWEST_DIGITS or len(found) != 1:
        known = ", ".join(digest[:12] for digest in known_digests) or "none"
        sentence = (
            f"--to {wish.to!r} means {len(found)} models of the ledger, one is expected; "
            f"known are: {known}."
        )
        raise AskedWrongly(sentence)
    return found[0]


def _before(served: list[LedgerEntry], holder: str, problem: str) -> str:
    """Return the model that served before the holder came, not the one it came back from."""
    came = max(
        (place for place, entry in enumerate(served) if entry.digest == holder), default=len(served)
    )
    # Behind a rollback stands the model that was left; going back again goes further back.
    left = {str(entry.previous) for entry in served if entry.kind == "rollback"}
    for entry in reversed(served[:came]):
        if entry.digest != holder and str(entry.digest) not in left:
            return str(entry.digest)
    sentence = f"The ledger of {problem} names no model before {holder[:12]}; name one by --to."
    raise AskedWrongly(sentence)


def _takes(serving: ServiceRollout, digest: str, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while serving.served() != digest:
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
