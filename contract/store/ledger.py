"""The ledger: what was done to a problem's model and why, one numbered file an entry, append-only.

An entry's number is claimed by a conditional put, so two writers never share one. An entry has an
`id` of its own (run and kind), so that a step that is run twice writes it once.
"""

import json
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from contract.artifacts import Sha256
from contract.errors import Conflict, TryAgain
from contract.recipe import Answer
from contract.store.client import Store
from contract.store.documents import parse_document
from contract.store.layout import LedgerKey, parse_keys
from contract.strict import Strict

Kind = Literal[
    "deployed",
    "progress",  # a canary went a step on
    "hold",  # a canary waits for more requests
    "refused",
    "returned",
    "rollback",
    "retrain",
    "blocked",  # the first day of a fault of the data
    "cleared",  # the first day on which the data is in limits again
    "adopted",  # a person accepted what was blocked as it is, or took that back
    "effect",  # whether the newest promotion helped
    "halted",  # retrains in a row did not help: monitoring asks for no more
]

ATTEMPTS = 20  # arbitrary: so many writers at once means something is wrong


class LedgerEntry(Strict):
    """One line of the ledger."""

    id: str
    """What makes the entry itself: `RUN/KIND`; the second entry of an id is not written."""
    kind: Kind
    at: datetime
    """The run's `window_end`: when, in the problem's own time."""
    written: datetime
    """When, by the clock."""
    run: str
    """The run that did it; `by hand` for a person."""
    by: str | None = None
    """Who caused it: the login of the person; None where the clock or monitoring did."""
    digest: Sha256 | None = None
    """The model that this is about."""
    previous: Sha256 | None = None
    """The model that served before."""
    reason: str
    """One sentence for the person who reads it in the morning."""
    reasons: tuple[str, ...] = ()
    """Further sentences, such as each gate that refused."""
    answer: Answer | None = None
    """Of a decision about a challenger: how it answers a change; None in entries of earlier versions."""
    recovered: Annotated[float, Field(allow_inf_nan=False)] | None = None
    """Share of what was lost that it brings back on judged rows; None where nobody knows."""
    subjects: tuple[str, ...] = ()
    """Of `adopted`: what is accepted, as `contract.faults.Fault.subject` names it."""
    day: date | None = None
    """Of `adopted`: the day whose state is accepted; None: it no longer is."""


class Ledger:
    """The ledger of one problem."""

    def __init__(self, store: Store, problem: str) -> None:
        self._store = store
        self._problem = problem

    def entries(self) -> list[LedgerEntry]:
        """Return all entries, oldest first.

        Raises:
            DamagedDocument: one cannot be read, and what was done is not known in full.
        """
        return self._read(self._keys())

    def newest(self, count: int) -> list[LedgerEntry]:
        """Return the last `count` (>= 1) entries, oldest first, without reading the others.

        Raises:
            DamagedDocument: one of these cannot be read.
        """
        return self._read(self._keys()[-count:])

    def _keys(self) -> list[str]:
        keys = parse_keys(self._store.keys(LedgerKey.prefix(self._problem)), LedgerKey)
        return [str(key) for key in keys]

    def _read(self, keys: list[str]) -> list[LedgerEntry]:
        return [parse_document(self._store.get(key), LedgerEntry, key) for key in keys]

    def append(self, entry: LedgerEntry) -> int:
        """Write `entry` behind the others and return its number; the number it has, if it is there.

        Raises:
            DamagedDocument: as in `entries`; nothing is written.
            TryAgain: too many writers at once.
        """
        for _ in range(ATTEMPTS):
            entries = self.entries()
            for number, known in enumerate(entries):
                if known.id == entry.id:
                    return number
            body = json.dumps(entry.model_dump(mode="json"), indent=1, sort_keys=True).encode()
            try:
                self._store.create(str(LedgerKey(self._problem, len(entries))), body)
            except Conflict:
                continue
            return len(entries)
        sentence = f"The ledger of {self._problem} had {ATTEMPTS} other writers; it is tried again."
        raise TryAgain(sentence)
