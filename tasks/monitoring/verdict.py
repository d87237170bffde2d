"""The verdict of a day, from its evidence alone: pure, and in an order that matters.

1 too little was served; 2 the data is broken; 3 labels say the model got worse, or that a new one is
better; 4 labels say that a drift is harmless; 5 there are no labels, and two of three windows
sounded the alarm; 6 a drift that hardly matters; 7 the model is too old; 8 nothing.

Age is looked at before the quiet answers of 4 and 6: without labels a steady drift would keep the
verdict at `watch` for ever, and the age limit is the only thing that then helps.
A retraining that policy holds back is a warning that says what holds it back: storms cost more
than a late model. Sources: Podkopaev and Ramdas, "Tracking the Risk of a Deployed Model and Detecting
Harmful Distribution Shifts", ICLR 2022; Regol et al., "When to Retrain", ICML 2025.
"""

from contract.decision import Decision, Outcome, Performance, Reason, Suppression
from contract.strict import Strict
from tasks.monitoring.evidence import IMPACT, UNSEEN, Evidence
from tasks.monitoring.wording import (
    tell_change,
    tell_faults,
    tell_names,
    tell_next,
    tell_signal,
)

WORSE = 0.05  # of the forward baseline's loss
GAIN = 0.02  # of the champion's loss that a refit must save
GAIN_Z = 2.0
HARMLESS_LOSS = 0.02
HARMLESS_GAIN = 0.01
CLEAR_Z = 2.0
INTERVAL = 1.96  # standard errors on either side of a measured loss
SAME_REGIME = 0.10  # corrected stability index to the day whose challenger was refused
DRIFTING_SHARE = 0.5  # of the age limit, where drift is seen and no label can tell what it does


class _Finding(Strict):
    verdict: Outcome
    sentence: str
    reason: Reason | None = None


def decide(evidence: Evidence) -> Decision:
    """Return the decision of a day."""
    finding = _find(evidence)
    held_back = _held_back(finding.reason, evidence) if finding.verdict == "retrain" else None
    retrain = finding.verdict == "retrain" and held_back is None
    verdict: Outcome = finding.verdict
    if held_back is not None:
        verdict = "watch" if evidence.policy.mode == "off" else "warn"
    is_alarmed = evidence.shortage is None and not evidence.dq and evidence.is_alarmed
    return Decision(
        problem=evidence.problem,
        day=evidence.day,
        at=evidence.at,
        run=evidence.run,
        digest=evidence.digest,
        verdict=verdict,
        reason=finding.reason,
        sentence=finding.sentence,
        next=tell_next(verdict, held_back, evidence),
        retrain=retrain,
        suppressed_by=held_back,
        key=f"{finding.reason}__{evidence.day}" if retrain else None,
        drift_detected=bool(evidence.drifted),
        alarm=is_alarmed,
        drifted_columns=evidence.drifted,
        other_columns=tuple(column for column in evidence.columns if not column.drifted),
        prediction=evidence.prediction,
        impact=round(evidence.impact, 4),
        multivariate=evidence.multivariate,
        performance=evidence.performance,
        probe=evidence.probe,
        dq=evidence.dq,
        window=evidence.window,
        thresholds=_thresholds(),
        notes=evidence.notes,
    )


def _find(evidence: Evidence) -> _Finding:
    """Return what the evidence says, before policy."""
    if evidence.shortage is not None:
        return _Finding(verdict="insufficient_data", sentence=evidence.shortage)
    if evidence.dq:
        return _Finding(verdict="blocked_data_quality", sentence=tell_faults(evidence.dq))
    loud = _by_labels(evidence) or _by_drift(evidence) or _by_age(evidence)
    return loud or _quiet(evidence)


def _by_labels(evidence: Evidence) -> _Finding | None:
    """3: the loss on labelled rows, then the probe."""
    found, probe = evidence.performance, evidence.probe
    if found is not None and found.change >= WORSE and found.z >= found.z_limit:
        sentence = (
            f"The model's loss is {found.change:.0%} above its baseline "
            f"({found.cur:.3g} against {found.ref:.3g}) on {found.n_labelled} labelled rows."
        )
        return _Finding(verdict="retrain", reason="performance", sentence=sentence)
    if (
        probe is not None
        and probe.gain is not None
        and probe.z is not None
        and probe.gain >= GAIN
        and probe.z >= GAIN_Z
    ):
        sentence = (
            f"A quick refit with the newest labels has {probe.gain:.0%} less loss "
            f"on {probe.rows} rows that it has not seen."
        )
        return _Finding(verdict="retrain", reason="benefit", sentence=sentence)
    return None


def _by_drift(evidence: Evidence) -> _Finding | None:
    """5: only where no label can tell; two of three windows."""
    if (
        evidence.performance is not None
        or not evidence.is_alarmed
        or not any(evidence.alarms_before)
    ):
        return None
    sentence = f"{tell_signal(evidence)}, in two of three windows, and no labels tell what it does."
    return _Finding(verdict="retrain", reason="drift", sentence=sentence)


def _by_age(evidence: Evidence) -> _Finding | None:
    """7: half the limit where a drift is seen and there are no labels."""
    policy = evidence.policy
    is_blind = evidence.performance is None and bool(evidence.drifted)
    limit = policy.max_age * (DRIFTING_SHARE if is_blind else 1.0)
    if policy.age <= limit:
        return None
    why = " while drift is seen and labels are missing" if is_blind else ""
    sentence = f"The model is {policy.age.days} days old; {limit.days} days are allowed{why}."
    return _Finding(verdict="retrain", reason="age", sentence=sentence)


def _quiet(evidence: Evidence) -> _Finding:
    """4 and 6 with labels, 5 for the first time and 6 without, and 8."""
    if evidence.performance is None:
        return _quiet_without_labels(evidence)
    return _quiet_with_labels(evidence, evidence.performance)


def _quiet_without_labels(evidence: Evidence) -> _Finding:
    if evidence.is_alarmed:
        return _Finding(verdict="warn", sentence=f"{tell_signal(evidence)}; no labels yet.")
    if evidence.drifted:
        sentence = f"{tell_names(evidence)} drifted; it hardly matters to the model."
        return _Finding(verdict="watch", sentence=sentence)
    sentence = f"{evidence.window.rows} rows look like the reference; no labels yet."
    return _Finding(verdict="ok", sentence=sentence)


def _quiet_with_labels(evidence: Evidence, found: Performance) -> _Finding:
    told = (
        f"the loss is {tell_change(found.change)} its baseline on {found.n_labelled} labelled rows"
    )
    if not evidence.drifted and not evidence.is_alarmed:
        return _Finding(verdict="ok", sentence=f"Nothing drifted; {told}.")
    probe = evidence.probe
    gain = 0.0 if probe is None or probe.gain is None else probe.gain
    signal = tell_signal(evidence)
    if found.change <= HARMLESS_LOSS and gain < HARMLESS_GAIN:
        return _Finding(verdict="watch", sentence=f"{signal}, measured harmless: {told}.")
    if evidence.impact < IMPACT:
        return _Finding(verdict="watch", sentence=f"{signal}; {told}.")
    return _Finding(verdict="warn", sentence=f"{signal}; {told}, not clearly worse yet.")


def _held_back(reason: Reason | None, evidence: Evidence) -> Suppression | None:
    """Return what policy says against a retraining, the strongest word first."""
    policy = evidence.policy
    enough = 1 if reason == "age" else policy.min_new_labels
    against: dict[Suppression, bool] = {
        "mode": policy.mode in {"off", "suggest"},
        "recent_block": policy.blocked_before,
        "regime": _is_accepted(reason, evidence),
        "cooldown": policy.cooldown_until is not None and evidence.at < policy.cooldown_until,
        "max_per_30d": policy.retrains >= policy.max_retrains,
        "min_new_labels": policy.new_labels is not None and policy.new_labels < enough,
    }
    return next((name for name, holds in against.items() if holds), None)


def _is_accepted(reason: Reason | None, evidence: Evidence) -> bool:
    """Tell whether a challenger was refused in this same world, so that it need not be asked again.

    A probe that finds a benefit, and age, are news of their own.
    """
    regime, found = evidence.regime, evidence.performance
    if regime is None or regime.distance >= SAME_REGIME:
        return False
    if reason == "performance" and found is not None:
        return regime.loss is not None and not _is_clearly_above(found, regime.loss)
    return reason == "drift"


def _is_clearly_above(found: Performance, loss: float) -> bool:
    """Tell whether a loss is higher than an earlier one, by 5 % and by twice their joint error."""
    joint_error = 2**0.5 * (found.high - found.low) / (2 * INTERVAL)
    return found.cur >= loss * (1 + WORSE) and found.cur - loss >= CLEAR_Z * joint_error


def _thresholds() -> dict[str, float]:
    return {
        "loss_worse": WORSE,
        "probe_gain": GAIN,
        "probe_z": GAIN_Z,
        "harmless_loss": HARMLESS_LOSS,
        "harmless_gain": HARMLESS_GAIN,
        "impact": IMPACT,
        "unseen": UNSEEN,
        "same_regime": SAME_REGIME,
    }
