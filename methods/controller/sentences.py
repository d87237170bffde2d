"""The sentences of a day's decision: what was seen, and what happens now."""

from datetime import date

from contract.decision import Outcome, Suppression
from contract.faults import Fault
from contract.formatting import format_score
from contract.performance import Effect, Performance
from methods.controller.evidence import Evidence
from methods.controller.policy import Policy

NAMES_SHOWN = 3  # columns named in a sentence; arbitrary
LAG_NAMED = 3  # days, from which on a sentence says how late labels come; arbitrary


def next_step(
    verdict: Outcome, suppressed_by: Suppression | None, evidence: Evidence, policy: Policy
) -> str:
    """Return what happens now, in one sentence."""
    if suppressed_by is not None:
        return _waiting(suppressed_by, evidence, policy)
    if verdict == "retrain" and evidence.retraining.mode == "approve":
        return "Retraining waits for a person's approval in Airflow."
    sentences: dict[Outcome, str] = {
        "retrain": "Retraining starts now; the gate decides whether the new model serves.",
        "blocked_data_quality": (
            f"Nothing is retrained; {evidence.owner} mends the data, and {policy.release_days} "
            "days in limits release it."
        ),
        "insufficient_data": "Nothing starts; the next day is looked at with the days before it.",
        "warn": "Nothing starts yet; the next window decides.",
        "watch": "Nothing starts.",
        "ok": "Nothing to do.",
    }
    return sentences[verdict]


def _waiting(suppressed_by: Suppression, evidence: Evidence, policy: Policy) -> str:
    state = evidence.retraining
    until = state.cooldown_until or evidence.at
    refused_on = evidence.regime.day if evidence.regime else evidence.day
    sentences: dict[Suppression, str] = {
        "mode": _suggestion(evidence)
        if state.mode == "suggest"
        else f"Nothing starts by itself: retraining.mode is {state.mode!r}.",
        "judged_days": (
            f"Nothing starts yet: the change since {evidence.onset} has "
            f"{len(evidence.days_since_onset)} labelled days with "
            f"{sum(each.rows for each in evidence.days_since_onset)} rows; "
            f"{policy.retrain.judged_days} days and {policy.retrain.judged_rows} rows judge a new model."
        ),
        "superseded": "Nothing starts: a later day was decided before this one.",
        "in_flight": f"Nothing starts: the retraining {state.in_flight} has not ended yet.",
        "breaker": (
            f"Nothing starts any more: {state.useless} retrains in a row did not help. "
            f"{evidence.owner} looks at the cause; `perennial run {evidence.problem}` starts one "
            "by hand, and a clearly higher loss another."
        ),
        "recent_block": (
            f"Nothing starts: after broken data, {policy.release_days} days in limits are needed."
        ),
        "regime": (
            "Nothing starts: the data and the loss are still those of "
            f"{refused_on}, whose challenger was refused."
        ),
        "cooldown": f"Nothing starts before {until:%Y-%m-%d}: a retraining was just tried.",
        "max_per_30d": (
            f"Nothing starts: {state.retrains} retrainings in {policy.retrain_period.days} days "
            "are the limit."
        ),
        "min_new_labels": (
            f"Nothing starts: there are {state.new_labels} new labelled rows, and a retraining "
            f"needs {state.min_new_labels}."
        ),
    }
    return sentences[suppressed_by]


def _suggestion(evidence: Evidence) -> str:
    onset = f" --onset {evidence.onset}" if evidence.onset else ""
    kind = "--replay" if evidence.retraining.replay else "--search"
    return (
        "Nothing starts by itself: retraining.mode is 'suggest'. "
        f"To start it: `perennial run {evidence.problem} {kind}{onset}`."
    )


def effect_sentence(effect: Effect) -> str:
    """Return whether a promotion helped, for a person."""
    saved = 1 - effect.after / effect.before if effect.before else 0.0
    figures = (
        f"on {effect.rows} rows of {effect.first} to {effect.last} the model before would have had "
        f"a loss of {effect.before:.3g}, the promoted one has {effect.after:.3g} "
        f"({abs(saved):.0%} {'less' if saved >= 0 else 'more'})"
    )
    if effect.earned is not None:
        interval = effect.earned_low, effect.earned_high
        worth = format_score(effect.earned, effect.unit, *interval, signed=True)
        figures += f"; in value that is {worth}"
    answer = "helped" if effect.helped else "did not help for sure"
    until_now = "" if effect.is_final else " so far"
    return f"The promotion of {effect.promoted:%Y-%m-%d} {answer}{until_now}: {figures}."


def first_fault(faults: tuple[Fault, ...]) -> str:
    """Return the first fault's sentence, and how many more there are."""
    others = len(faults) - 1
    return faults[0].sentence + (f" {others} more checks did not pass." if others else "")


def strongest_signal(evidence: Evidence, policy: Policy) -> str:
    """Name the strongest sign that something moved; a clause without a full stop."""
    if evidence.drifted:
        share = f", {evidence.impact:.0%} of the model's importance" if evidence.impact else ""
        return f"{drifted_names(evidence)} drifted{share}"
    if evidence.is_score_drifted:
        return "The model answers differently than on its reference"
    if evidence.unseen >= policy.unseen:
        return f"{evidence.unseen:.0%} of a column's values are unknown to the model"
    return "The columns move together differently than in the reference"


def drifted_names(evidence: Evidence) -> str:
    """Name the drifted columns, three at most."""
    names = [repr(column.name) for column in evidence.drifted]
    more = len(names) - NAMES_SHOWN
    return f"{', '.join(names[:NAMES_SHOWN])}{f' and {more} more' if more > 0 else ''}"


def labelled_rows(performance: Performance, day: date) -> str:
    """Return on how many rows a loss rests, and how late their labels came where they came late."""
    rows = f"{performance.n_labelled} labelled rows"
    lag = (day - performance.last).days
    if lag < LAG_NAMED:
        return rows
    return f"{rows} of {performance.first} to {performance.last}: labels come {lag} days late"


def loss_change(change: float) -> str:
    """Return how far a loss is from its baseline.

    >>> loss_change(0.05)
    '5.0% above'
    """
    return f"{abs(change):.1%} {'above' if change > 0 else 'below'}"
