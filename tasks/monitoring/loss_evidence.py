"""What the labels of a day say of the champion's loss: how high, where, since when, and what to expect."""

from collections.abc import Sequence
from datetime import date

from contract.labels import LabelHealth, LossEstimate, SegmentLoss
from contract.performance import Performance
from methods.controller.losses import find_onset, usual_variance
from tasks.monitoring.context import MonitoringContext
from tasks.monitoring.evidence.expected_loss import estimate_loss
from tasks.monitoring.evidence.log import ServedDay
from tasks.monitoring.evidence.performance import measure
from tasks.monitoring.evidence.segment_losses import segment_losses
from tasks.monitoring.window import labelled_days, verdict_days


def performance_of(
    context: MonitoringContext, day: date, health: LabelHealth | None
) -> tuple[Performance | None, tuple[str, ...]]:
    """Return the loss against its baseline; None with a note where it cannot be measured."""
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


def estimate_of(
    context: MonitoringContext, day: date, window: Sequence[ServedDay]
) -> LossEstimate | None:
    """Return the loss that the scores of the window's newest days let expect."""
    newest = window[: verdict_days(context.problem)]
    return estimate_loss(context.models[day], newest, labelled_days(context, day))


def segments_of(
    context: MonitoringContext, day: date, performance: Performance | None
) -> tuple[SegmentLoss, ...]:
    """Return where the loss is worst; nothing where no loss was measured."""
    if performance is None:
        return ()
    length = verdict_days(context.problem)
    return segment_losses(context.models[day], labelled_days(context, day), length, context.policy)


def onset_of(context: MonitoringContext, day: date, performance: Performance | None) -> date | None:
    """Return since when the champion's loss is above its baseline, as its labelled days show."""
    if performance is None:
        return None
    before = context.models[day].reference.forward
    variance = usual_variance(before, performance.days, context.policy)
    return find_onset(performance.days, performance.ref, variance, context.policy)
