"""A person's word that a change of the data is meant: what is accepted, written into the ledger."""

import uuid
from datetime import UTC, datetime

from contract.decision import Decision
from contract.errors import InvalidRequest
from contract.store.client import Store
from contract.store.decisions import read_decisions
from contract.store.ledger import Ledger, LedgerEntry
from contract.strict import Strict


class AdoptionRequest(Strict):
    """What a person asks for."""

    problem: str
    column: str | None
    """None: everything that is blocked, or accepted."""
    reason: str
    by: str | None = None
    """The login of the person."""


def adopt(store: Store, request: AdoptionRequest) -> LedgerEntry:
    """Accept what the newest decided day is blocked for, and return the ledger's entry.

    Raises:
        InvalidRequest: the newest day is not blocked, or not for this column.
    """
    decision = _newest(store, request.problem)
    blocked = {fault.subject: fault for fault in reversed(decision.dq)}
    wanted = list(blocked) if request.column is None else [f"column {request.column}"]
    missing = [subject for subject in wanted if subject not in blocked]
    if missing or not blocked:
        found = ", ".join(sorted(blocked)) or "nothing"
        sentence = (
            f"{missing[0] if missing else 'Nothing'} is not blocked: on {decision.day}, the newest "
            f"decided day of {request.problem}, {found} is blocked. Name what is, or wait for the "
            "next decision."
        )
        raise InvalidRequest(sentence)
    entry = _entry(request, decision, sorted(wanted)).model_copy(
        update={
            "day": decision.day,
            "reasons": tuple(blocked[subject].sentence for subject in sorted(wanted)),
        }
    )
    Ledger(store, request.problem).append(entry)
    return entry


def take_back(store: Store, request: AdoptionRequest) -> LedgerEntry:
    """Take back what was accepted under the serving model, and return the ledger's entry.

    Raises:
        InvalidRequest: nothing of that is accepted.
    """
    decision = _newest(store, request.problem)
    accepted: set[str] = set()
    for entry in Ledger(store, request.problem).entries():
        if entry.kind == "adopted":
            accepted = (accepted - set(entry.subjects)) | (
                set(entry.subjects) if entry.day is not None else set()
            )
    wanted = accepted if request.column is None else {f"column {request.column}"}
    if not wanted or not wanted <= accepted:
        found = ", ".join(sorted(accepted)) or "nothing"
        sentence = f"Of {request.problem} {found} is accepted; there is nothing else to take back."
        raise InvalidRequest(sentence)
    entry = _entry(request, decision, sorted(wanted))
    Ledger(store, request.problem).append(entry)
    return entry


def _newest(store: Store, problem: str) -> Decision:
    decisions = read_decisions(store, problem, last=1)
    if not decisions:
        sentence = f"No day of {problem} has a decision yet, so that nothing is blocked."
        raise InvalidRequest(sentence)
    return decisions[-1]


def _entry(request: AdoptionRequest, decision: Decision, subjects: list[str]) -> LedgerEntry:
    return LedgerEntry(
        id=f"by hand/{uuid.uuid4().hex}/adopted",
        kind="adopted",
        at=decision.at,
        written=datetime.now(UTC),
        run="by hand",
        by=request.by,
        digest=decision.digest,
        reason=request.reason,
        subjects=tuple(subjects),
    )
