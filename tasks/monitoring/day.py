"""From a day's rows to its decision: gathers the evidence, as of the end of the day.

Each kind of evidence returns what it found, and a note where it could not look.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from contract.decision import Decision, Window
from contract.drift import Multivariate
from methods.controller.days import ONE_DAY
from methods.controller.decide import decide
from methods.controller.evidence import Evidence
from methods.drift.comparison import compare_profiles
from methods.drift.profile import DayProfile, merge_profiles
from tasks.monitoring.context import MonitoringContext
from tasks.monitoring.evidence.faults import check_late_rows, day_faults
from tasks.monitoring.evidence.log import ServedDay
from tasks.monitoring.loss_evidence import estimate_of, onset_of, performance_of, segments_of
from tasks.monitoring.probe_evidence import newest_probe
from tasks.monitoring.promotion import measure_effect
from tasks.monitoring.refused_window import regime_of
from tasks.monitoring.retraining_state import retraining_state
from tasks.monitoring.window import label_health, shortage, verdict_window


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
    performance, notes = performance_of(context, day, frame["labels"])
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
        probe=newest_probe(context, day, performance),
        estimate=estimate_of(context, day, days),
        segments=segments_of(context, day, performance),
        onset=onset_of(context, day, performance),
        effect=effect,
        regime=regime_of(context, day, merged, comparison),
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
        "retraining": retraining_state(context, day, in_flight),
        "notes": context.notes,
    }


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
