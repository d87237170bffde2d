"""The sentences of a day's decision: what was seen, and what happens now."""

from contract.decision import Fault, Outcome, Suppression
from tasks.monitoring.evidence import UNSEEN, Evidence


def tell_next(verdict: Outcome, held_back: Suppression | None, evidence: Evidence) -> str:
    """Return what happens now, in one sentence."""
    if held_back is not None:
        return _waiting(held_back, evidence)
    if verdict == "retrain" and evidence.policy.mode == "approve":
        return "Retraining waits for a person's approval in Airflow."
    sentences: dict[Outcome, str] = {
        "retrain": "Retraining starts now; the gate decides whether the new model serves.",
        "blocked_data_quality": (
            f"Nothing is retrained; {evidence.owner} mends the data, and two days in limits "
            "release it."
        ),
        "insufficient_data": "Nothing starts; the next day is looked at with the days before it.",
        "warn": "Nothing starts yet; the next window decides.",
        "watch": "Nothing starts.",
        "ok": "Nothing to do.",
    }
    return sentences[verdict]


def _waiting(held_back: Suppression, evidence: Evidence) -> str:
    policy = evidence.policy
    until = policy.cooldown_until or evidence.at
    on = evidence.regime.day if evidence.regime else evidence.day
    sentences: dict[Suppression, str] = {
        "mode": f"Nothing starts by itself: retraining.mode is {policy.mode!r}.",
        "recent_block": "Nothing starts: the data was broken the day before.",
        "regime": f"Nothing starts: a challenger was refused in this same world, that of {on}.",
        "cooldown": f"Nothing starts before {until:%Y-%m-%d}: a retraining has just been.",
        "max_per_30d": f"Nothing starts: {policy.retrains} retrainings in 30 days are the limit.",
        "min_new_labels": (
            f"Nothing starts: {policy.new_labels} new labelled rows, of {policy.min_new_labels} "
            "that a retraining needs."
        ),
    }
    return sentences[held_back]


def tell_faults(faults: tuple[Fault, ...]) -> str:
    """Say the first fault, and how many more there are."""
    others = len(faults) - 1
    return faults[0].sentence + (f" {others} more checks did not pass." if others else "")


def tell_signal(evidence: Evidence) -> str:
    """Name the strongest sign that something moved."""
    if evidence.drifted:
        share = f", {evidence.impact:.0%} of the model's importance" if evidence.impact else ""
        return f"{tell_names(evidence)} drifted{share}"
    if evidence.is_score_drifted:
        return "The model answers differently than on its reference"
    if evidence.unseen >= UNSEEN:
        return f"{evidence.unseen:.0%} of a column's values are unknown to the model"
    return "The columns move together differently than in the reference"


def tell_names(evidence: Evidence) -> str:
    """Name the drifted columns, three at most."""
    names = [repr(column.name) for column in evidence.drifted]
    return f"{', '.join(names[:3])}{f' and {len(names) - 3} more' if len(names) > 3 else ''}"  # noqa: PLR2004 - arbitrary, a sentence's worth


def tell_change(change: float) -> str:
    """Say how far a loss is from its baseline: `5.0% above`."""
    return f"{abs(change):.1%} {'above' if change > 0 else 'below'}"
