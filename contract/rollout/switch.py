"""The switch of a problem's model: roll out, see that it serves, swap the champion, write the ledger.

The order makes it safe to be killed at any point. What should be served moves first, the champion
last and by compare-and-swap, and a second try skips each step that is done already. A switch that is never tried again leaves a rollout that names another model than the champion, which
`perennial status` shows and `perennial rollback` repairs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from contract.champion import Champion
from contract.errors import Conflict, Refused, TryAgain
from contract.rollout.strategy import Attempt, Strategy
from contract.rollout.target import RolloutTarget
from contract.store.champion_pointer import set_champion
from contract.store.client import Store
from contract.store.documents import DamagedDocument, parse_document
from contract.store.layout import champion_key
from contract.store.ledger import Ledger, LedgerEntry

E = TypeVar("E")


@dataclass(frozen=True)
class CurrentChampion:
    """`champion.json` as it was read."""

    champion: Champion | None
    """None: there is none yet, or the document cannot be read."""
    etag: str | None
    """For the compare-and-swap; None: there is no document."""
    damage: DamagedDocument | None = None
    """Why the document cannot be read; None: it can."""

    @property
    def digest(self) -> str | None:
        """The digest of the champion; None before the first one."""
        return self.champion.digest if self.champion else None

    def readable(self) -> Champion | None:
        """Return the champion; None before the first one.

        Raises:
            DamagedDocument: it is unknown which model it names.
        """
        if self.damage is not None:
            raise self.damage
        return self.champion


@dataclass(frozen=True)
class Change:
    """What a switch does to one problem."""

    problem: str
    digest: str
    """The model that should serve."""
    at: datetime
    """When it is rolled out: the run's `window_end`, or the moment of a change by hand."""
    current: CurrentChampion
    """The champion as it was when the change was decided on."""
    champion: Champion | None
    """The new champion; None: the model is the champion already, and its rollout is completed."""
    rolled_out: str | None = None
    """Rolled out before; it is rolled out again where the champion's document cannot be read."""
    restores: bool = False
    """A person named the model, so the champion's document may be one that cannot be read."""


@dataclass(frozen=True)
class SwitchResult(Generic[E]):
    """What came of it."""

    attempt: Attempt[E]
    """`failure` is None: the model serves and is the champion; else the model before serves again."""
    serves: str | None
    """The digest that should serve now; None: no model."""
    entry: int | None
    """The number of the ledger's entry; None: none was written."""


def current_champion(store: Store, problem: str) -> CurrentChampion:
    """Return `champion.json` with its ETag, also where the document cannot be read."""
    key = champion_key(problem)
    stored = store.get_with_etag(key)
    if stored is None:
        return CurrentChampion(champion=None, etag=None)
    try:
        return CurrentChampion(parse_document(stored[0], Champion, key), stored[1])
    except DamagedDocument as error:
        return CurrentChampion(champion=None, etag=stored[1], damage=error)


def switch(
    store: Store,
    target: RolloutTarget,
    change: Change,
    strategy: Strategy[E],
    entry: Callable[[Attempt[E]], LedgerEntry | None],
) -> SwitchResult[E]:
    """Make a model serve and be the champion; on any failure have the champion serve as before.

    `entry` is the line of the ledger for an attempt, None: none; the same `id` is written once.

    Raises:
        DamagedDocument: the champion cannot be read, and `change` does not restore it.
        Conflict: another run has what the strategy needs.
        TryAgain: the store or the target is away; or the model is the champion already and failed.
        Refused: the model is the champion already, and the service refuses it.
    """
    if not change.restores:
        change.current.readable()
    strategy.begin()
    attempt = strategy.bring_into_service()
    if attempt.failure is None and change.champion is not None:
        try:
            set_champion(store, change.problem, change.champion, change.current.etag)
        except Conflict as error:
            attempt = Attempt(attempt.evidence, str(error))
    if attempt.failure is not None and change.champion is None:
        # Not the model failed, which has won: its service did, or its bundle was damaged since.
        raise (Refused if attempt.is_final else TryAgain)(attempt.failure)
    strategy.end()
    serves: str | None = change.digest
    if attempt.failure is not None:
        serves = _digest_before(store, change)
        target.roll_out(serves, change.at)
    line = entry(attempt)
    number = None if line is None else Ledger(store, change.problem).append(line)
    return SwitchResult(attempt=attempt, serves=serves, entry=number)


def _digest_before(store: Store, change: Change) -> str | None:
    """Return what should serve again: the champion of now, who may have been moved meanwhile."""
    now = current_champion(store, change.problem)
    if now.damage is not None and change.restores:
        return change.rolled_out
    champion = now.readable()
    return champion.digest if champion else None
