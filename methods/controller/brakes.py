"""What holds a retraining back: the first brake that holds names itself in the decision."""

from contract.decision import Reason, Suppression
from contract.performance import Performance
from methods.controller.evidence import Evidence
from methods.controller.policy import Policy


def brake(reason: Reason | None, evidence: Evidence, policy: Policy) -> Suppression | None:
    """Return what holds a retraining back, the strongest first; None: nothing does.

    `suggest` comes last: what nothing else holds back is told, so that a person can start it.
    """
    state = evidence.retraining
    labels_needed = 1 if reason == "age" else state.min_new_labels
    held_back: tuple[tuple[Suppression, bool], ...] = (
        ("mode", state.mode == "off"),
        ("superseded", state.is_superseded),
        ("recent_block", state.blocked_before),
        ("in_flight", state.in_flight is not None),
        ("breaker", _is_broken(evidence, policy)),
        ("regime", _is_accepted(reason, evidence, policy)),
        ("cooldown", state.cooldown_until is not None and evidence.at < state.cooldown_until),
        ("max_per_30d", state.retrains >= state.max_retrains),
        (
            "min_new_labels",
            state.new_labels is not None and state.new_labels < labels_needed,
        ),
        ("judged_days", reason == "performance" and not is_judgeable(evidence, policy)),
        ("mode", state.mode == "suggest"),
    )
    return next((name for name, holds in held_back if holds), None)


def is_judgeable(evidence: Evidence, policy: Policy) -> bool:
    """Return True where the change has enough labelled days and rows to judge a new model by."""
    days = evidence.days_since_onset
    return evidence.onset is None or (
        len(days) >= policy.retrain.judged_days
        and sum(day.rows for day in days) >= policy.retrain.judged_rows
    )


def _is_broken(evidence: Evidence, policy: Policy) -> bool:
    """Return True where the retrains before did not help, and the loss is not clearly worse since.

    Source: Nygard, "Release It!", 2007, the circuit breaker: what failed so often is not tried on.
    """
    state, performance = evidence.retraining, evidence.performance
    if state.useless < policy.breaker_retrains:
        return False
    if performance is None or state.useless_loss is None:
        return True
    return not _is_above(performance, state.useless_loss, policy)


def _is_accepted(reason: Reason | None, evidence: Evidence, policy: Policy) -> bool:
    """Return True where a challenger was refused in this same world, which has not grown worse.

    A probe that finds a benefit, and age, are reasons of their own.
    """
    regime, performance = evidence.regime, evidence.performance
    if regime is None or regime.distance >= policy.same_regime:
        return False
    if reason == "performance" and performance is not None:
        return regime.loss is not None and not _is_above(performance, regime.loss, policy)
    return reason == "drift"


def _is_above(performance: Performance, loss: float, policy: Policy) -> bool:
    """Return True where a loss is clearly higher than an earlier one, in share and in error."""
    error = (performance.high - performance.low) / (2 * policy.interval_z)
    joint_error = 2**0.5 * error
    return (
        performance.cur >= loss * (1 + policy.loss_worse)
        and performance.cur - loss >= policy.same_regime_z * joint_error
    )
