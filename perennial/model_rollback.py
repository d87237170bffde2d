"""The rollback of a problem to an earlier model, by hand: which model, and the switch to it.

Where the rollout names another model than the champion, and no other is asked for, a deployment was
cut short: the champion is rolled out again and stays what it is. Where `champion.json` cannot be
read, the person names the model, and the document is written anew.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from contract.artifacts import Sha256
from contract.champion import Champion
from contract.errors import InvalidRequest, Refused, TryAgain
from contract.formatting import format_digest
from contract.rollout.strategy import Attempt
from contract.rollout.switch import Change, SwitchResult, current_champion, switch
from contract.rollout.target import (
    RolloutFailed,
    RolloutRefused,
    RolloutTarget,
    RolloutTimeout,
    wait_until_served,
)
from contract.store.client import Store
from contract.store.documents import DamagedDocument
from contract.store.layout import MANIFEST, ModelFileKey
from contract.store.ledger import Ledger, LedgerEntry
from contract.strict import Strict

SERVED = frozenset({"deployed", "rollback"})
MIN_DIGITS = 4  # arbitrary: fewer are a slip of the hand


class RollbackRequest(Strict):
    """What a person asks for."""

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


@dataclass(frozen=True)
class _AtOnce:
    """Roll out and wait until it serves, as `contract.rollout.strategy.Strategy`."""

    target: RolloutTarget
    digest: str
    at: datetime
    timeout_seconds: float

    def begin(self) -> None:
        """Need nothing."""

    def bring_into_service(self) -> Attempt[None]:
        """Roll out; the model was judged when it was deployed, so that it serves is enough."""
        self.target.roll_out(self.digest, self.at)
        limit = self.timeout_seconds
        try:
            wait_until_served(self.target, self.digest, limit)
        except RolloutTimeout:
            sentence = (
                f"The service did not serve {format_digest(self.digest)} within {limit:.0f} s"
            )
            return Attempt(None, sentence)
        except RolloutFailed as error:
            is_refused = isinstance(error, RolloutRefused)
            return Attempt(None, str(error).rstrip("."), is_final=is_refused)
        return Attempt(None)

    def end(self) -> None:
        """Leave nothing behind."""


def roll_back(
    store: Store,
    request: RollbackRequest,
    target: RolloutTarget,
    timeout_seconds: float | None = None,
) -> RolledBack:
    """Have the service serve an earlier model again; `timeout_seconds` overrides the target's own.

    Raises:
        InvalidRequest: there is no such model.
        Refused: the champion cannot be read, and no model is named; or the service's address
            cannot be read; or the service refused the model, and the rollout was moved back.
        TryAgain: the service did not take it in time; the rollout was moved back.
    """
    change = plan_change(store, request, target)
    _check(target)
    if store.head(str(ModelFileKey(request.problem, change.digest, MANIFEST))) is None:
        sentence = f"The model {format_digest(change.digest)} is no longer in the store; choose another by --to."
        raise InvalidRequest(sentence)
    limit = target.timeout_seconds if timeout_seconds is None else timeout_seconds
    strategy = _AtOnce(target, change.digest, change.at, limit)
    entry = ledger_entry(request, change)
    result = switch(
        store, target, change, strategy, lambda attempt: None if attempt.failure else entry
    )
    if result.entry is None:
        failed = Refused if result.attempt.is_final else TryAgain
        raise failed(_failure(result, change.digest))
    return RolledBack(digest=change.digest, previous=entry.previous, entry=result.entry)


def plan_change(store: Store, request: RollbackRequest, target: RolloutTarget) -> Change:
    """Return the change that a request means.

    Raises:
        InvalidRequest: there is no champion, or no such model.
        Refused: the champion cannot be read, and no model is named.
    """
    current = current_champion(store, request.problem)
    if current.etag is None:
        sentence = f"{request.problem} has no champion yet, so there is nothing to go back from."
        raise InvalidRequest(sentence)
    if current.damage is not None and request.to is None:
        sentence = (
            f"{current.damage} Name the model that should serve: "
            f"`perennial rollback {request.problem} --to DIGEST` writes the document anew."
        )
        raise Refused(sentence)
    entries = Ledger(store, request.problem).entries()
    now = datetime.now(UTC)
    rolled_out, is_damaged = _rolled_out(target)
    is_cut_short = is_damaged or rolled_out not in {None, current.digest}
    if current.champion is not None and request.to is None and is_cut_short:
        digest, champion = current.champion.digest, None
    else:
        digest = choose(entries, current.digest, request)
        champion = Champion(
            digest=digest,
            run=run_of(entries, digest),
            verdict=None,
            since=request.at or now,
            nonce=uuid.uuid4().hex,
        )
    return Change(
        problem=request.problem,
        digest=digest,
        at=now,
        current=current,
        champion=champion,
        # What nobody can read cannot be rolled out again: a rollback that fails stays rolled out.
        rolled_out=digest if is_damaged and current.damage else rolled_out,
        restores=current.damage is not None,
    )


def _check(target: RolloutTarget) -> None:
    """See that the service could be followed; raise `Refused` where nobody knows where it listens."""
    try:
        target.check()
    except DamagedDocument as error:
        sentence = (
            f"{error} A service writes its address anew when it starts: `perennial down`, then "
            "`perennial up`; then roll back again."
        )
        raise Refused(sentence) from error


def ledger_entry(request: RollbackRequest, change: Change) -> LedgerEntry:
    """Return the ledger's line of a rollback that was carried out."""
    # Of a deployment that was cut short, or beside a damaged document, the rollout knows who served.
    knows_rollout_alone = change.champion is None or change.restores
    previous = change.rolled_out if knows_rollout_alone else change.current.digest
    return LedgerEntry(
        id=f"by hand/{uuid.uuid4().hex}/rollback",
        kind="rollback",
        at=request.at or change.at,
        written=change.at,
        run="by hand",
        by=request.by,
        digest=change.digest,
        # A model that was only restored was not left; a later rollback may choose it.
        previous=None if change.restores and previous == change.digest else previous,
        reason=request.reason,
    )


def choose(entries: list[LedgerEntry], champion: str | None, request: RollbackRequest) -> str:
    """Return the digest of the model to go back to; without `champion` the request names one.

    Raises:
        InvalidRequest: none, or more than one, is meant.
    """
    served = [entry for entry in entries if entry.kind in SERVED and entry.digest]
    digests = list(dict.fromkeys(str(entry.digest) for entry in served))
    if request.to is None:
        return _before(served, champion or "", request.problem)
    matching = [digest for digest in digests if digest.startswith(request.to)]
    if len(request.to) < MIN_DIGITS or len(matching) != 1:
        known = ", ".join(format_digest(digest) for digest in digests) or "none"
        sentence = (
            f"--to {request.to!r} means {len(matching)} models of the ledger, one is expected; "
            f"known are: {known}."
        )
        raise InvalidRequest(sentence)
    return matching[0]


def run_of(entries: list[LedgerEntry], digest: str) -> str:
    """Return the run that made a model: the first that brought it."""
    return next(entry.run for entry in entries if entry.digest == digest)


def _before(served: list[LedgerEntry], champion: str, problem: str) -> str:
    """Return the model that served before the champion came, not the one it came back from."""
    came = max(
        (index for index, entry in enumerate(served) if entry.digest == champion),
        default=len(served),
    )
    # Behind a rollback stands the model that was left; going back again goes further back.
    left = {str(entry.previous) for entry in served if entry.kind == "rollback"}
    for entry in reversed(served[:came]):
        if entry.digest != champion and str(entry.digest) not in left:
            return str(entry.digest)
    sentence = f"The ledger of {problem} names no model before {format_digest(champion)}; name one by --to."
    raise InvalidRequest(sentence)


def _rolled_out(target: RolloutTarget) -> tuple[str | None, bool]:
    """Return the digest that is rolled out, and whether the document of it cannot be read."""
    try:
        return target.rolled_out(), False
    except DamagedDocument:
        return None, True


def _failure(result: SwitchResult[None], digest: str) -> str:
    """Return why the model does not serve, and what was rolled out again."""
    serves = format_digest(result.serves, "no model")
    back = f"so {serves} was rolled out again"
    if result.serves == digest:
        back = "and it stays rolled out, as what was before cannot be read"
    return f"{result.attempt.failure}, {back}; the log of the service shows the cause."
