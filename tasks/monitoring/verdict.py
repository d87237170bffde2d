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

from datetime import date, timedelta
from typing import Literal

from pydantic import AwareDatetime, NonNegativeInt, PositiveInt

from contract.artifacts import Sha256
from contract.decision import (
    ColumnDrift,
    Decision,
    Fault,
    Multivariate,
    Outcome,
    Performance,
    Probe,
    Reason,
    Suppression,
    Window,
)
from contract.strict import Strict

WORSE = 0.05  # of the forward baseline's loss
GAIN = 0.02  # of the champion's loss that a refit must save
GAIN_Z = 2.0
HARMLESS_LOSS = 0.02
HARMLESS_GAIN = 0.01
IMPACT = 0.30  # importance of the drifted columns together
UNSEEN = 0.05  # share of unseen categories in a column that matters
CLEAR_Z = 2.0
INTERVAL = 1.96  # standard errors on either side of a measured loss
SAME_REGIME = 0.10  # corrected stability index to the day whose challenger was refused
DRIFTING_SHARE = 0.5  # of the age limit, where drift is seen and no label can tell what it does


class Policy(Strict):
    """What holds a retraining back, as of the end of the day."""

    mode: Literal["off", "suggest", "approve", "auto"]
    cooldown_until: AwareDatetime | None
    """After the retraining before; later the more challengers in a row were refused."""
    retrains: NonNegativeInt
    """Asked for in the last 30 days."""
    max_retrains: PositiveInt
    new_labels: int | None
    """Labelled rows that the champion has not seen; None where nobody can know."""
    min_new_labels: NonNegativeInt
    age: timedelta
    """Since the end of the champion's data."""
    max_age: timedelta
    blocked_before: bool
    """True where the day before was blocked: a column must be well for two days."""


class Regime(Strict):
    """The day whose challenger was refused: its world is accepted until it changes again."""

    day: date
    distance: float
    """Largest corrected stability index of a drifted column between that window and this one."""
    loss: float | None


class Evidence(Strict):
    """Everything that a day's verdict may rest on."""

    problem: str
    owner: str
    day: date
    at: AwareDatetime
    run: str
    digest: Sha256 | None
    window: Window
    shortage: str | None
    """Why there is too little to judge, as a sentence; None: there is enough."""
    dq: tuple[Fault, ...] = ()
    columns: tuple[ColumnDrift, ...] = ()
    """By impact."""
    prediction: ColumnDrift | None = None
    is_score_drifted: bool = False
    impact: float = 0.0
    unseen: float = 0.0
    multivariate: Multivariate | None = None
    performance: Performance | None = None
    """None: there are no labels yet, or too few."""
    probe: Probe | None = None
    alarms_before: tuple[bool, ...] = ()
    """Of the two verdict windows before this one, newest first; fewer at the beginning."""
    regime: Regime | None = None
    policy: Policy
    notes: tuple[str, ...] = ()

    @property
    def drifted(self) -> tuple[ColumnDrift, ...]:
        """The drifted columns, by impact."""
        return tuple(column for column in self.columns if column.drifted)

    @property
    def is_alarmed(self) -> bool:
        """True where the unlabelled signals alone ask for a confirmation."""
        differs = self.multivariate is not None and self.multivariate.auc >= self.multivariate.limit
        return self.is_score_drifted or self.impact >= IMPACT or self.unseen >= UNSEEN or differs


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
        next=_next(verdict, held_back, evidence),
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
        return _Finding(verdict="blocked_data_quality", sentence=_broken(evidence.dq))
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
    sentence = f"{_signal(evidence)}, in two of three windows, and no labels tell what it does."
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
        return _Finding(verdict="warn", sentence=f"{_signal(evidence)}; no labels yet.")
    if evidence.drifted:
        sentence = f"{_names(evidence)} drifted; it hardly matters to the model."
        return _Finding(verdict="watch", sentence=sentence)
    sentence = f"{evidence.window.rows} rows look like the reference; no labels yet."
    return _Finding(verdict="ok", sentence=sentence)


def _quiet_with_labels(evidence: Evidence, found: Performance) -> _Finding:
    told = f"the loss is {_change(found.change)} its baseline on {found.n_labelled} labelled rows"
    if not evidence.drifted and not evidence.is_alarmed:
        return _Finding(verdict="ok", sentence=f"Nothing drifted; {told}.")
    probe = evidence.probe
    gain = 0.0 if probe is None or probe.gain is None else probe.gain
    signal = _signal(evidence)
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


def _next(verdict: Outcome, held_back: Suppression | None, evidence: Evidence) -> str:
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


def _broken(faults: tuple[Fault, ...]) -> str:
    others = len(faults) - 1
    return faults[0].sentence + (f" {others} more checks did not pass." if others else "")


def _signal(evidence: Evidence) -> str:
    """Name the strongest sign that something moved."""
    if evidence.drifted:
        share = f", {evidence.impact:.0%} of the model's importance" if evidence.impact else ""
        return f"{_names(evidence)} drifted{share}"
    if evidence.is_score_drifted:
        return "The model answers differently than on its reference"
    if evidence.unseen >= UNSEEN:
        return f"{evidence.unseen:.0%} of a column's values are unknown to the model"
    return "The columns move together differently than in the reference"


def _names(evidence: Evidence) -> str:
    names = [repr(column.name) for column in evidence.drifted]
    return f"{', '.join(names[:3])}{f' and {len(names) - 3} more' if len(names) > 3 else ''}"  # noqa: PLR2004 - arbitrary, a sentence's worth


def _change(change: float) -> str:
    return f"{abs(change):.1%} {'above' if change > 0 else 'below'}"


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
