"""From a day's rows to its decision: gathers the evidence, as of the end of the day.

One function a kind of evidence; each returns what it found, and a note where it could not look.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from contract.decision import (
    Decision,
    LabelHealth,
    LossEstimate,
    Multivariate,
    Performance,
    Probe,
    SegmentLoss,
    Window,
)
from contract.store.documents import read_document
from contract.store.layout import WindowProfileKey
from methods.controller.attempts import is_replay_next, useless_in_a_row
from methods.controller.days import ONE_DAY
from methods.controller.decide import decide
from methods.controller.due import is_superseded
from methods.controller.evidence import Evidence, Regime, RetrainingState
from methods.controller.losses import find_onset, level_of, usual_variance
from methods.drift.comparison import Comparison, compare_profiles, distance
from methods.drift.profile import DayProfile, merge_profiles
from tasks.monitoring.context import MonitoringContext
from tasks.monitoring.evidence.expected_loss import estimate_loss
from tasks.monitoring.evidence.faults import check_late_rows, day_faults
from tasks.monitoring.evidence.log import ServedDay
from tasks.monitoring.evidence.performance import measure
from tasks.monitoring.evidence.segment_losses import segment_losses
from tasks.monitoring.promotion import measure_effect
from tasks.monitoring.window import (
    label_health,
    labelled_days,
    shortage,
    verdict_days,
    verdict_window,
)


@dataclass(frozen=True)
class DecidedDay:
    """A day's decision and the profile that it rests on."""

    decision: Decision
    window: DayProfile | None
    """The merged days; None where the data was not compared."""


def decide_day(
    context: MonitoringContext, day: date, *, in_flight: str | None = None
) -> DecidedDay:
    """Decide one day; `in_flight` is the key of another retraining that has not ended."""
    policy, history, model = context.policy, context.history, context.models[day]
    late = check_late_rows(context, day)
    days, window = verdict_window(context, day)
    frame = _frame(context, day, window, in_flight)
    frame["notes"] = (*frame["notes"], *late)
    faults = day_faults(context, day)
    if faults:  # also of a day with too few rows for a verdict, or with none at all
        return DecidedDay(decide(Evidence(shortage=None, dq=faults, **frame), policy), None)
    too_few = shortage(day, window, policy.min_window_rows)
    if too_few is not None:
        return DecidedDay(decide(Evidence(shortage=too_few, **frame), policy), None)
    merged = merge_profiles([each.profile for each in days])
    yesterday = history.decision(day - ONE_DAY)
    drifted_before: list[str] = []
    if yesterday is not None and yesterday.digest == model.digest:
        drifted_before = [column.name for column in yesterday.drifted_columns]
    comparison = compare_profiles(model.reference, merged, drifted_before, limits=policy.drift)
    performance, notes = _performance(context, day, frame["labels"])
    effect, unmeasured = measure_effect(context, day)
    notes += unmeasured
    multivariate = None
    if performance is None:
        multivariate, further = _multivariate(context, day, days)
        notes += further
    evidence = Evidence(
        shortage=None,
        columns=comparison.columns,
        prediction=comparison.scores[0] if comparison.scores else None,
        is_score_drifted=comparison.is_score_drifted,
        impact=comparison.impact,
        unseen=comparison.unseen,
        multivariate=multivariate,
        performance=performance,
        probe=_probe(context, day, performance),
        estimate=_estimate(context, day, days),
        segments=_segments(context, day, performance),
        onset=_onset(context, day, performance),
        effect=effect,
        regime=_regime(context, day, merged, comparison),
        **frame | {"notes": (*frame["notes"], *notes)},
    )
    return DecidedDay(decide(evidence, policy), merged)


def _frame(
    context: MonitoringContext, day: date, window: Window, in_flight: str | None
) -> dict[str, Any]:
    """Return the fields of the evidence that every day has."""
    problem, policy = context.problem, context.policy
    return {
        "problem": problem.name,
        "owner": problem.owner,
        "day": day,
        "at": context.calendar.end(day),
        "run": context.run,
        "digest": context.models[day].digest,
        "window": window,
        "labels": label_health(context, day),
        "alarms_before": context.history.alarms(
            day, context.models[day].digest, problem.monitoring.verdict_window, policy
        ),
        "retraining": _retraining(context, day, in_flight),
        "notes": context.notes,
    }


def _retraining(
    context: MonitoringContext, day: date, in_flight: str | None = None
) -> RetrainingState:
    rules, history, policy = context.problem.retraining, context.history, context.policy
    end, since = context.calendar.end(day), context.since[context.models[day].digest]
    useless = useless_in_a_row(history, end)
    return RetrainingState(
        mode=rules.mode,
        cooldown_until=history.cooldown_until(end, rules.cooldown, policy),
        retrains=history.retrains(end, policy),
        max_retrains=rules.max_per_30d,
        new_labels=None if context.labels is None else context.labels.new_between(since, end),
        min_new_labels=_min_new_labels(context, day),
        age=max(timedelta(0), end - since),
        max_age=rules.max_age,
        age_with_labels=rules.age_with_labels,
        blocked_before=history.is_blocked_before(day, policy),
        in_flight=in_flight,
        is_superseded=is_superseded(history, day, context.until),
        useless=len(useless),
        useless_loss=level_of(useless[0]) if useless else None,
        replay=is_replay_next(history, end, policy),
    )


def _min_new_labels(context: MonitoringContext, day: date) -> int:
    minimum = context.problem.retraining.min_new_labels
    return max(minimum.rows, round(minimum.share * context.models[day].model.card.rows))


def _performance(
    context: MonitoringContext, day: date, health: LabelHealth | None
) -> tuple[Performance | None, tuple[str, ...]]:
    policy = context.policy
    if health is not None and health.suspect:
        return None, ("No loss is measured: too many labels contradict or are of unknown classes.",)
    performance = measure(
        context.models[day],
        labelled_days(context, day),
        verdict_days(context.problem),
        policy,
    )
    if performance is not None or context.labels is None:
        return performance, ()
    note = (
        f"Too few labels were known for a loss: {policy.min_labelled_rows} rows, "
        f"{policy.min_labelled_of_class} of each class."
    )
    return None, (note,)


def _probe(context: MonitoringContext, day: date, performance: Performance | None) -> Probe | None:
    """Return the newest probe of this verdict window; try one where there is none."""
    if performance is None or context.labels is None:
        return None
    model, length = context.models[day], verdict_days(context.problem)
    asked = context.history.last_asked(day)
    for back in range(1, length):
        if asked is not None and day - back * ONE_DAY <= asked:
            break  # what was asked for on an earlier probe is not asked for on it again
        earlier = context.history.decision(day - back * ONE_DAY)
        if (
            earlier is not None
            and earlier.digest == model.digest
            and earlier.probe is not None
            and earlier.probe.gain is not None
            and earlier.probe.day > day - length * ONE_DAY
        ):
            return earlier.probe
    state = _retraining(context, day)
    if state.new_labels is not None and state.new_labels < state.min_new_labels:
        sentence = (
            f"{state.new_labels} new labelled rows; {state.min_new_labels} are needed for a probe."
        )
        return _skipped(day, sentence)
    if state.cooldown_until is not None and context.calendar.end(day) < state.cooldown_until:
        sentence = "Nothing is retrained during a cool-down, so that a probe would change nothing."
        return _skipped(day, sentence)
    if model.dataset is None:
        return _skipped(day, "The rows that the champion was made from are no longer kept.")
    # The import of LightGBM costs a second of CPU, which most days do without.
    from tasks.monitoring.evidence.probe import try_refit  # noqa: PLC0415 - as said above

    seed = context.problem.models.seed
    onset = _onset(context, day, performance)
    return try_refit(
        model,
        labelled_days(context, day),
        length,
        day,
        seed=seed,
        policy=context.policy,
        onset=None if onset is None else int(context.calendar.begin(onset).timestamp() * 1e6),
    )


def _estimate(
    context: MonitoringContext, day: date, window: Sequence[ServedDay]
) -> LossEstimate | None:
    newest = window[: verdict_days(context.problem)]
    return estimate_loss(context.models[day], newest, labelled_days(context, day))


def _segments(
    context: MonitoringContext, day: date, performance: Performance | None
) -> tuple[SegmentLoss, ...]:
    if performance is None:
        return ()
    length = verdict_days(context.problem)
    return segment_losses(context.models[day], labelled_days(context, day), length, context.policy)


def _skipped(day: date, reason: str) -> Probe:
    return Probe(day=day, gain=None, z=None, rows=0, skipped=reason)


def _multivariate(
    context: MonitoringContext, day: date, window: Sequence[ServedDay]
) -> tuple[Multivariate | None, tuple[str, ...]]:
    """Run the classifier; None with a note where the reference's rows are no longer kept."""
    model = context.models[day]
    dataset = model.dataset
    if dataset is None:
        return None, ("The reference's rows are no longer kept, so that no classifier was run.",)
    import pyarrow as pa  # noqa: PLC0415 - only where the classifier is run

    from tasks.monitoring.evidence import domain  # noqa: PLC0415 - imports LightGBM, a second of CPU

    before = dataset.take(dataset.rows("validation"))
    now = pa.concat_tables([each.sample for each in window], promote_options="permissive")
    return domain.classify(model.reference, before, now, seed=0, policy=context.policy), ()


def _onset(context: MonitoringContext, day: date, performance: Performance | None) -> date | None:
    """Return since when the champion's loss is above its baseline, as its labelled days show."""
    if performance is None:
        return None
    before = context.models[day].reference.forward
    variance = usual_variance(before, performance.days, context.policy)
    return find_onset(performance.days, performance.ref, variance, context.policy)


def _regime(
    context: MonitoringContext, day: date, merged: DayProfile, comparison: Comparison
) -> Regime | None:
    """Return how far this window is from the one whose challenger was refused."""
    model = context.models[day]
    refused = context.history.refused_decision(context.calendar.end(day))
    if refused is None or refused.digest != model.digest or refused.day >= day:
        return None
    then = _window_of(context, refused)
    if then is None:
        return None
    names = [column.name for column in (*comparison.drifted, *comparison.scores)]
    return Regime(
        day=refused.day,
        distance=distance(model.reference, then, merged, names),
        loss=level_of(refused),
    )


def _window_of(context: MonitoringContext, decision: Decision) -> DayProfile | None:
    """Return the window that a retraining was asked for about, however long ago that was.

    A version before kept none: its days are merged anew, as far as they are still read.
    """
    key = WindowProfileKey(decision.problem, decision.day)
    kept = read_document(context.store, str(key), DayProfile)
    days = [context.served[each] for each in decision.window.days if each in context.served]
    if kept is None and days:
        return merge_profiles([each.profile for each in days])
    return kept
