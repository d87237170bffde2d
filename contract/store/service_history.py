"""Which model served at a moment: since when, until when, why, and under which verdict."""

from collections.abc import Sequence
from datetime import datetime

from contract.artifacts import Document, Sha256
from contract.store.client import Store
from contract.store.documents import read_artifact
from contract.store.earlier_runs import earlier_stage
from contract.store.ledger import LedgerEntry
from contract.strict import Strict
from contract.verdict import Verdict

_SERVED = frozenset({"deployed", "rollback"})


class ServingPeriod(Strict):
    """A model and the time in which it served, in the problem's own time."""

    digest: Sha256
    run: str
    """That brought it into service; `by hand` for a rollback."""
    by: str | None
    since: datetime
    until: datetime | None
    """None: it serves still."""
    reason: str


def served_at(entries: Sequence[LedgerEntry], moment: datetime) -> ServingPeriod | None:
    """Return the model that served at `moment`; None where the ledger names none by then.

    `entries` are the ledger's, in its order: at one moment the last one written counts.
    """
    served = [entry for entry in entries if entry.kind in _SERVED and entry.digest is not None]
    by_time = sorted(served, key=lambda entry: entry.at)
    before = [entry for entry in by_time if entry.at <= moment]
    if not before:
        return None
    entry = before[-1]
    after = by_time[len(before) :]
    return ServingPeriod(
        digest=str(entry.digest),
        run=entry.run,
        by=entry.by,
        since=entry.at,
        until=after[0].at if after else None,
        reason=entry.reason,
    )


def verdict_of(store: Store, problem: str, served: ServingPeriod) -> Verdict | None:
    """Return the verdict that let the model in; None where no run did, or it is kept no longer.

    Raises:
        DamagedDocument: it cannot be read.
    """
    stage = earlier_stage(store, problem, served.run, "evaluation")
    if stage is None:
        return None
    return read_artifact(store, stage.output("verdict", Document), Verdict)
