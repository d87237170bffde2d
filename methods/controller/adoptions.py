"""What a person accepted as it is: from which day on a fault is the world, and which days that frees.

An adoption holds for the reference it was made under: the next model is compared with its own. It
frees the blocked days in a row that led to the day whose state was accepted.
"""

from collections.abc import Mapping, Sequence
from datetime import date

from contract.decision import Decision
from contract.store.ledger import LedgerEntry


def adopted_since(entries: Sequence[LedgerEntry], digest: str | None) -> dict[str, date]:
    """Return from which day on each subject is accepted, while the model `digest` serves.

    The newest entry about a subject holds; one without a day takes the acceptance back.
    """
    found: dict[str, date | None] = {}
    for entry in entries:
        if entry.kind == "adopted" and entry.digest == digest:
            found.update(dict.fromkeys(entry.subjects, entry.day))
    return {subject: day for subject, day in found.items() if day is not None}


def is_released(
    decision: Decision, decisions: Mapping[date, Decision], entries: Sequence[LedgerEntry]
) -> bool:
    """Return True where a person accepted everything that a blocked day was blocked for."""
    since = adopted_since(entries, decision.digest)
    return bool(decision.dq) and all(
        fault.subject in since and _lasts(decision.day, since[fault.subject], decisions)
        for fault in decision.dq
    )


def _lasts(first: date, last: date, decisions: Mapping[date, Decision]) -> bool:
    """Return True where no day from `first` to `last` was in limits."""
    between = [each for day, each in decisions.items() if first <= day <= last]
    quiet = {"blocked_data_quality", "insufficient_data"}
    return first <= last and all(each.verdict in quiet for each in between)
