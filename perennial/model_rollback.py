"""The way back to an earlier model: roll out, see that it serves, move the champion, write it down.

The order is that of a deployment: the pointer moves last, by compare-and-swap, so a rollback that is
cut short leaves a mismatch that `status` shows, and that the next rollback mends.
"""

import time
import uuid
from datetime import UTC, datetime

from contract.artifacts import Sha256
from contract.champion import Champion
from contract.errors import AskedWrongly, Refused, TryAgain
from contract.store.champion_pointer import set_champion
from contract.store.client import Store
from contract.store.documents import DamagedDocument, parse_document
from contract.store.layout import MANIFEST, ModelFileKey, champion_key
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
    by: str | None = None
    """The login of the person."""


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

    Where the rollout names another model than the champion, or cannot be read, and no other is asked
    for, a deployment was cut short: the champion is rolled out again and stays what it is.
    A champion that cannot be read is written anew from the ledger, if the model is named.

    Raises:
        AskedWrongly: there is no such model.
        Refused: the champion cannot be read and no model is named, or a ledger's entry or the
            service's address cannot be read; nothing was changed.
        TryAgain: the service did not take it; the rollout was moved back.
    """
    entries = Ledger(store, wish.problem).entries()
    pointer = store.get_with_etag(champion_key(wish.problem))
    if pointer is None:
        sentence = f"{wish.problem} has no champion yet, so there is nothing to go back from."
        raise AskedWrongly(sentence)
    champion = _champion_in(pointer[0], wish)
    told, is_damaged = _rolled_out(serving)
    holder = champion.digest if champion else told
    is_mending = wish.to is None and (is_damaged or (told is not None and told != holder))
    digest = holder if is_mending and holder else choose(entries, holder or "", wish)
    if store.head(str(ModelFileKey(wish.problem, digest, MANIFEST))) is None:
        sentence = f"The model {digest[:12]} is no longer in the store; choose another by --to."
        raise AskedWrongly(sentence)
    now = datetime.now(UTC)
    limit = serving.seconds if seconds is None else seconds
    serving.served()  # an address that cannot be read ends this before anything moves
    serving.tell(digest, now)
    if not _takes(serving, digest, limit):
        serving.tell(holder, now)
        sentence = (
            f"The service did not serve {digest[:12]} within {limit:.0f} s, so it was told to "
            f"serve {holder[:12] if holder else 'nothing'} again; its log says why."
        )
        raise TryAgain(sentence)
    nonce = uuid.uuid4().hex
    if not is_mending:
        new = Champion(
            digest=digest,
            run=maker(entries, digest),
            verdict=None,
            since=wish.at or now,
            nonce=nonce,
        )
        set_champion(store, wish.problem, new, pointer[1])
    previous = told if is_mending else holder
    entry = LedgerEntry(
        id=f"by hand/{nonce}/rollback",
        kind="rollback",
        at=wish.at or now,
        written=now,
        run="by hand",
        by=wish.by,
        digest=digest,
        previous=previous,
        reason=wish.reason,
    )
    number = Ledger(store, wish.problem).append(entry)
    return RolledBack(digest=digest, previous=previous, entry=number)


def _champion_in(body: bytes, wish: Wish) -> Champion | None:
    """Return the champion; None for one that cannot be read and is to be written anew.

    Raises:
        Refused: it cannot be read, and no model is named.
    """
    try:
        return parse_document(body, Champion, champion_key(wish.problem))
    except DamagedDocument as error:
        if wish.to is None:
            sentence = (
                f"{error} `perennial rollback {wish.problem} --to DIGEST` writes it anew; "
                f"`perennial history {wish.problem}` shows which models served."
            )
            raise Refused(sentence) from error
        return None


def _rolled_out(serving: ServiceRollout) -> tuple[str | None, bool]:
    """Return the digest that is rolled out, and whether what says so is damaged."""
    try:
        return serving.told(), False
    except DamagedDocument:
        return None, True  # it is written anew by what follows


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
