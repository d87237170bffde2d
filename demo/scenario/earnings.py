"""What the loop earned: of every promotion, what monitoring measured on the rows that came after it.

Both models decided the same departures, the one that served and the one that it replaced, which
scored them once more. Nothing is extrapolated: what no label has shown yet is not counted.
"""

from collections.abc import Iterable, Sequence

from contract.decision import Decision
from contract.formatting import format_amount, format_score
from contract.performance import Effect

QUESTION = "What did the loop earn?"


def effects(decisions: Iterable[Decision]) -> list[Effect]:
    """Return the newest measure of each promotion; `decisions` are of one problem, oldest first."""
    newest = {
        (decision.effect.digest, decision.effect.promoted): decision.effect
        for decision in decisions
        if decision.effect is not None
    }
    return list(newest.values())


def earned(measured: Sequence[Effect]) -> float | None:
    """Return the sum over all rows that were measured, in the problem's unit; None: nothing was."""
    parts = [effect.earned * effect.rows for effect in measured if effect.earned is not None]
    return sum(parts) if parts else None


def answer(measured: Sequence[Effect], promotions: int) -> str:
    """Return the last line of the demo; `promotions` counts the models that replaced another."""
    total = earned(measured)
    if total is None and promotions == 0:
        return f"{QUESTION} Nothing: no challenger was promoted, and the first model still serves."
    if total is None:
        return (
            f"{QUESTION} It is not known yet: no labels of the days after the promotion are there."
        )
    known = [effect for effect in measured if effect.earned is not None]
    parts = [
        f"{format_score(effect.earned, effect.unit, effect.earned_low, effect.earned_high, signed=True)}"
        f" on {effect.rows:,} departures of {effect.first} to {effect.last}"
        for effect in known
    ]
    amount = format_amount(total, known[0].unit, signed=True)
    return (
        f"{QUESTION} {amount}: {'; '.join(parts)}, against the model before on the same departures."
    )
