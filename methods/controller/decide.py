"""The verdict of a day, from its evidence and a policy alone: pure, and in an order that matters.

1 too little was served; 2 the data is broken; 3 labels say the model got worse, or that a new one is
better; 4 labels say that a drift is harmless; 5 there are no labels, and an earlier window sounded
the alarm too; 6 a drift that hardly matters; 7 the model is too old; 8 nothing.

Age is looked at before the quiet answers of 4 and 6: without labels a steady drift would keep the
verdict at `watch` for ever, and the age limit is the only thing that then helps.
A retraining that is held back is a warning that says what holds it back: storms cost more
than a late model. In `suggest` mode it is not held back but told: the verdict is `retrain`, and
nothing starts. Sources: Podkopaev and Ramdas, "Tracking the Risk of a Deployed Model and Detecting
Harmful Distribution Shifts", ICLR 2022; Regol et al., "When to Retrain", ICML 2025.
"""

from datetime import date, datetime, timedelta

from contract.decision import Decision, Outcome, Reason, Suppression, Window
from contract.performance import Performance
from contract.strict import Strict
from methods.controller import findings, sentences
from methods.controller.brakes import brake
from methods.controller.evidence import Evidence
from methods.controller.policy import Policy


class _Finding(Strict):
    verdict: Outcome
    sentence: str
    reason: Reason | None = None


def decide(evidence: Evidence, policy: Policy) -> Decision:
    """Return the decision of a day."""
    finding = _find(evidence, policy)
    is_wanted = finding.verdict == "retrain"
    suppressed_by = brake(finding.reason, evidence, policy) if is_wanted else None
    retrain = is_wanted and suppressed_by is None
    verdict = _held_back(finding.verdict, suppressed_by, evidence)
    told = findings.name(verdict, finding.reason, suppressed_by, evidence)
    is_comparable = evidence.shortage is None and not evidence.dq
    return Decision(
        problem=evidence.problem,
        day=evidence.day,
        at=evidence.at,
        run=evidence.run,
        digest=evidence.digest,
        verdict=verdict,
        reason=finding.reason,
        sentence=finding.sentence,
        next=sentences.next_step(verdict, suppressed_by, evidence, policy),
        retrain=retrain,
        suppressed_by=suppressed_by,
        key=f"{finding.reason}__{evidence.day}" if retrain else None,
        drift_detected=bool(evidence.drifted),
        alarm=is_comparable and evidence.is_alarmed(policy),
        drifted_columns=evidence.drifted,
        other_columns=tuple(column for column in evidence.columns if not column.drifted),
        prediction=evidence.prediction,
        impact=round(evidence.impact, 4),
        multivariate=evidence.multivariate,
        performance=evidence.performance,
        probe=evidence.probe,
        labels=evidence.labels,
        estimate=evidence.estimate,
        segments=evidence.segments,
        dq=evidence.dq,
        window=evidence.window,
        thresholds=policy.thresholds(),
        notes=evidence.notes,
        finding=told,
        further_findings=findings.further(evidence),
        impact_value=findings.impact(evidence) if told else None,
        onset=evidence.onset,
        replay=evidence.retraining.replay if retrain else None,
        effect=evidence.effect,
        useless=evidence.retraining.useless,
    )


def undecided(
    problem: str,
    day: date,
    at: datetime,
    *,
    run: str,
    digest: str | None,
    sentence: str,
    is_brief: bool = False,
) -> Decision:
    """Return the record of a day that was not looked at, and why it was not."""
    return Decision(
        problem=problem,
        day=day,
        at=at,
        run=run,
        digest=digest,
        verdict="insufficient_data",
        reason=None,
        sentence=sentence,
        next="Nothing starts; the next day is looked at.",
        retrain=False,
        suppressed_by=None,
        key=None,
        drift_detected=False,
        alarm=False,
        window=Window(days=(), rows=0, rows_of_day=0),
        is_brief=is_brief,
    )


def _held_back(verdict: Outcome, suppressed_by: Suppression | None, evidence: Evidence) -> Outcome:
    """Return the verdict under what holds a retraining back; a suggestion stays one."""
    if suppressed_by is None:
        return verdict
    if suppressed_by != "mode":
        return "warn"
    return "retrain" if evidence.retraining.mode == "suggest" else "watch"


def _find(evidence: Evidence, policy: Policy) -> _Finding:
    """Return what the evidence says, before anything holds a retraining back."""
    if evidence.shortage is not None:
        return _Finding(verdict="insufficient_data", sentence=evidence.shortage)
    if evidence.dq:
        return _Finding(verdict="blocked_data_quality", sentence=sentences.first_fault(evidence.dq))
    return (
        _by_labels(evidence, policy)
        or _by_drift(evidence, policy)
        or _by_age(evidence, policy)
        or _by_label_faults(evidence)
        or _quiet(evidence, policy)
    )


def _by_labels(evidence: Evidence, policy: Policy) -> _Finding | None:
    """3: the loss on labelled rows, then the probe."""
    performance, probe = evidence.performance, evidence.probe
    if (
        performance is not None
        and performance.change >= policy.loss_worse
        and performance.z >= performance.z_limit
    ):
        sentence = (
            f"The model's loss is {performance.change:.0%} above its baseline "
            f"({performance.cur:.3g} against {performance.ref:.3g}) on "
            f"{sentences.labelled_rows(performance, evidence.day)}."
        )
        return _Finding(verdict="retrain", reason="performance", sentence=sentence)
    if (
        probe is not None
        and probe.gain is not None
        and probe.z is not None
        and probe.gain >= policy.probe_gain
        and probe.z >= policy.probe_z
    ):
        sentence = (
            f"A quick refit with the newest labels has {probe.gain:.0%} less loss "
            f"on {probe.rows} rows that it has not seen."
        )
        return _Finding(verdict="retrain", reason="benefit", sentence=sentence)
    return None


def _by_drift(evidence: Evidence, policy: Policy) -> _Finding | None:
    """5: only without labels, and confirmed by an earlier window."""
    if (
        evidence.performance is not None
        or not evidence.is_alarmed(policy)
        or not any(evidence.alarms_before)
    ):
        return None
    sentence = (
        f"{sentences.strongest_signal(evidence, policy)}, in 2 of {policy.alarm_windows + 1} "
        "windows, and there are no labels to measure what it does."
    )
    return _Finding(verdict="retrain", reason="drift", sentence=sentence)


def _by_age(evidence: Evidence, policy: Policy) -> _Finding | None:
    """7: a share of the limit where a drift is seen and there are no labels.

    With labels the loss says whether the model is too old, unless the problem file wants both.
    """
    state = evidence.retraining
    if evidence.performance is not None and not state.age_with_labels:
        return None
    is_blind = evidence.performance is None and bool(evidence.drifted)
    limit = state.max_age * (policy.drifting_age_share if is_blind else 1.0)
    labels = evidence.labels
    if labels is not None and labels.mature_days and not (labels.stopped or labels.unmatched):
        # Labels will tell, later: an earlier refresh would keep every model from being measured.
        limit = max(limit, timedelta(days=labels.mature_days) + policy.label_patience)
    if state.age <= limit:
        return None
    condition = " while drift is seen and labels are missing" if is_blind else ""
    sentence = f"The model is {state.age.days} days old; {limit.days} days are allowed{condition}."
    return _Finding(verdict="retrain", reason="age", sentence=sentence)


def _by_label_faults(evidence: Evidence) -> _Finding | None:
    """Labels that stopped, or that no loss can be measured by: a quiet day would not be known to be."""
    labels = evidence.labels
    if labels is None or not (labels.stopped or labels.suspect or labels.unmatched):
        return None
    return _Finding(verdict="warn", sentence=labels.sentences[0])


def _quiet(evidence: Evidence, policy: Policy) -> _Finding:
    """4 and 6 with labels, 5 for the first time and 6 without, and 8."""
    if evidence.performance is None:
        return _quiet_without_labels(evidence, policy)
    return _quiet_with_labels(evidence, evidence.performance, policy)


def _quiet_without_labels(evidence: Evidence, policy: Policy) -> _Finding:
    if evidence.is_alarmed(policy):
        signal = sentences.strongest_signal(evidence, policy)
        return _Finding(verdict="warn", sentence=f"{signal}; no labels yet.")
    if evidence.drifted:
        names = sentences.drifted_names(evidence)
        sentence = f"{names} drifted; it hardly matters to the model."
        return _Finding(verdict="watch", sentence=sentence)
    sentence = f"{evidence.window.rows} rows look like the reference; no labels yet."
    return _Finding(verdict="ok", sentence=sentence)


def _quiet_with_labels(evidence: Evidence, performance: Performance, policy: Policy) -> _Finding:
    loss = (
        f"the loss is {sentences.loss_change(performance.change)} its baseline on "
        f"{sentences.labelled_rows(performance, evidence.day)}"
    )
    if not evidence.drifted and not evidence.is_alarmed(policy):
        return _Finding(verdict="ok", sentence=f"Nothing drifted; {loss}.")
    probe = evidence.probe
    gain = 0.0 if probe is None or probe.gain is None else probe.gain
    signal = sentences.strongest_signal(evidence, policy)
    if performance.change <= policy.harmless_loss and gain < policy.harmless_gain:
        return _Finding(verdict="watch", sentence=f"{signal}, measured harmless: {loss}.")
    if evidence.impact < policy.impact:
        return _Finding(verdict="watch", sentence=f"{signal}; {loss}.")
    return _Finding(verdict="warn", sentence=f"{signal}; {loss}, not clearly worse yet.")
