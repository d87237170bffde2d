"""Are labels what they should be? How late, how many, contradicting, unknown, or none any more.

A model whose labels have stopped looks healthy for ever: nothing is measured, so nothing alarms.
The maturity curve says how many labels should have come, and what came is counted against it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from contract.labels import LabelHealth
from contract.times import microseconds
from methods.controller.days import ONE_DAY, Calendar
from methods.controller.policy import Policy
from tasks.monitoring.evidence.champions import MonitoredModel
from tasks.monitoring.evidence.labels import JoinedLabels
from tasks.monitoring.evidence.lateness import Lateness
from tasks.monitoring.evidence.log import ServedDay


@dataclass(frozen=True)
class _Counts:
    """Of the rows of some days that were looked at."""

    looked_at: int = 0
    labelled: int = 0
    unknown: int = 0
    contradicting: int = 0


def look_at_labels(  # noqa: PLR0917 - labels, the days they are of, and a moment
    labels: JoinedLabels,
    model: MonitoredModel,
    days: Sequence[ServedDay],
    calendar: Calendar,
    day: date,
    policy: Policy,
) -> LabelHealth:
    """Describe the labels as they were known at the end of `day`.

    Args:
        labels: joined to the lines of `days`, at least.
        model: the champion of the day, which knows its classes.
        days: that were served and not blocked, newest first, of any model.
        calendar: of the problem.
        day: of the decision.
        policy: when labels count as complete, as stopped, as suspect.
    """
    at = calendar.end(day)
    lateness = labels.lateness(at)
    mature_days = lateness.days_of(policy.mature_share)
    whole = [each for each in days if each.day <= day - mature_days * ONE_DAY]
    counts = _count(labels, model, whole[: policy.label_days], at)
    since = calendar.begin(day - (policy.label_window - 1) * ONE_DAY)
    expected = _expected(labels, lateness, days, calendar, since, at, policy)
    arrived = sum(
        int(np.count_nonzero((moments > microseconds(since)) & (moments <= microseconds(at))))
        for moments in map(labels.arrivals, days)
    )
    stopped = expected >= policy.label_stop_rows and arrived < policy.label_stop_share * expected
    unmatched = 0
    if whole and not any(len(labels.arrivals(each)) for each in days):
        unmatched = labels.unmatched(calendar.begin(days[-1].day), at)
    faulty = counts.unknown + counts.contradicting
    health = LabelHealth(
        curve=lateness.curve(),
        mature_days=mature_days,
        coverage=round(counts.labelled / counts.looked_at, 4) if counts.looked_at else None,
        expected=round(expected, 1),
        arrived=arrived,
        contradicting=counts.contradicting,
        unknown_class=counts.unknown,
        unmatched=unmatched,
        stopped=stopped,
        suspect=faulty > policy.label_faults * max(1, counts.labelled),
        newest_mature=whole[0].day if whole else None,
    )
    return health.model_copy(update={"sentences": _sentences(health, counts, policy)})


def _count(
    labels: JoinedLabels, model: MonitoredModel, days: Sequence[ServedDay], at: datetime
) -> _Counts:
    looked_at = labelled = unknown = contradicting = 0
    for day in days:
        _, versions = labels.newest(day, at)
        words = [word for word in labels.words(versions) if word is not None]
        looked_at += day.lines.looked_at
        labelled += len(words)
        unknown += int(np.isnan(model.truth(list(words))).sum())
        contradicting += labels.contradictions(day, at)
    return _Counts(looked_at, labelled, unknown, contradicting)


def _expected(  # noqa: PLR0917 - what was served, until when, and how late labels come
    labels: JoinedLabels,
    lateness: Lateness,
    days: Sequence[ServedDay],
    calendar: Calendar,
    since: datetime,
    at: datetime,
    policy: Policy,
) -> float:
    """Return how many labels should have become known between two moments, by the curve.

    As many of the rows are labelled as of the days that were complete at `since`.
    """
    usual = lateness.days_of(policy.mature_share)
    before = [each for each in days if calendar.end(each.day) + usual * ONE_DAY <= since]
    rows = sum(each.lines.looked_at for each in before)
    if not rows:
        return 0.0
    known = sum(len(labels.arrivals(each)) for each in before)
    return sum(
        each.lines.looked_at
        * (known / rows)
        * (
            lateness.share_of_day(at - calendar.end(each.day))
            - lateness.share_of_day(max(since - calendar.end(each.day), -ONE_DAY))
        )
        for each in days
    )


def _sentences(health: LabelHealth, counts: _Counts, policy: Policy) -> tuple[str, ...]:
    said = []
    if health.stopped:
        said.append(
            f"{health.arrived} labels arrived in {policy.label_window} days; about "
            f"{health.expected:.0f} were expected: ask where labels come from whether they stopped."
        )
    if health.unmatched:
        said.append(
            f"{health.unmatched} labels name no row that was served: check target.labels.on, and "
            "that the key is sent as it is in the labels' source."
        )
    if counts.unknown:
        said.append(
            f"{counts.unknown} of {counts.labelled} labels are of a class that the model does not "
            "know, and were left out: check the labels, or retrain where the class is new."
        )
    if counts.contradicting:
        said.append(
            f"{counts.contradicting} rows have two different labels that were known at the same "
            "time; the one that was loaded last counts: correct the labels' source."
        )
    if health.coverage is not None and 0 < health.coverage < policy.label_min_coverage:
        said.append(
            f"{health.coverage:.0%} of the rows of complete days have a label: the loss is that of "
            "these rows, which may not be like the others."
        )
    if health.newest_mature is None and health.mature_days:
        said.append(
            f"Labels are complete {health.mature_days} days after a day; none is so old yet, so no "
            "loss is measured."
        )
    return tuple(said)
