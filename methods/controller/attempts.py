"""What became of the retrainings that monitoring asked for: did they help, which kind comes next."""

from collections.abc import Sequence
from datetime import datetime

from contract.decision import Decision
from contract.store.ledger import LedgerEntry
from methods.controller.history import REFUSED, SERVED, History
from methods.controller.policy import Policy

BY_HAND = "by hand"


def useless_in_a_row(history: History, end: datetime) -> list[Decision]:
    """Return the newest decisions whose retraining did not help, newest first.

    Refused, taken back, or deployed without a saving that is sure. A run or a choice of a person
    ends the row, as does a deployment that helped or that nobody asked for here; one whose effect
    is not known yet neither ends nor lengthens it.
    """
    asked = history.asking(end)
    useless: dict[str, Decision] = {}
    for entry in reversed(history.entries_by(end)):
        if entry.by is not None or entry.run == BY_HAND:
            break
        if entry.kind not in SERVED | REFUSED:
            continue
        decision = _of(entry, asked)
        if decision is None:
            if entry.kind in SERVED:
                break
            continue
        if entry.kind in SERVED:
            effect = history.effect_of(entry.digest or "", end)
            if effect is not None and effect.helped:
                break
            if effect is None or not effect.is_final:
                continue
        useless.setdefault(str(decision.key), decision)
    return list(useless.values())


def is_replay_next(history: History, end: datetime, policy: Policy) -> bool:
    """Return whether the next retraining replays the champion's plan; False: it searches.

    It searches after a replay that did not help, or won back too little of what was lost, and each
    `search_every`-th time.
    """
    asked = history.asking(end)
    if not asked or policy.search_every == 1:
        return policy.search_every > 1
    replays = 0
    for decision in reversed(asked):
        if not decision.replay:
            break
        replays += 1
    if replays >= policy.search_every - 1:
        return False
    last = asked[-1]
    return not (last.replay and _recovered_too_little(last, history, end, policy))


def has_ended(history: History, key: str, end: datetime) -> bool:
    """Return True where the retraining that a decision asked for under `key` has left its entry."""
    entries = history.entries_by(end)
    return any(e.kind in SERVED | REFUSED and e.run.endswith(key) for e in entries)


def _of(entry: LedgerEntry, asked: Sequence[Decision]) -> Decision | None:
    """Return the decision that asked for the entry's run."""
    return next((each for each in asked if each.key and entry.run.endswith(each.key)), None)


def _recovered_too_little(
    decision: Decision, history: History, end: datetime, policy: Policy
) -> bool:
    ended = [
        e for e in history.entries_by(end) if e.kind in SERVED | REFUSED and _of(e, [decision])
    ]
    if not ended:
        return False
    if ended[-1].kind in REFUSED:
        return True
    effect = history.effect_of(ended[-1].digest or "", end)
    if effect is None or decision.performance is None or (effect.earned_low or 0.0) > 0.0:
        return False
    lost = effect.before - decision.performance.ref
    return lost > 0 and effect.before - effect.after < policy.retrain.recovered * lost
