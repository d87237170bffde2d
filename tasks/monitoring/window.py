"""Which days are decided together: the verdict window, and the days whose labels count.

Days whose data was blocked stay out of later windows: what a fault did must not look like drift.
"""

from collections.abc import Sequence
from datetime import date

from contract.decision import Window
from contract.labels import LabelHealth
from contract.problem import Problem
from methods.controller.days import ONE_DAY
from tasks.monitoring.context import MonitoringContext
from tasks.monitoring.evidence.label_health import look_at_labels
from tasks.monitoring.evidence.log import ServedDay
from tasks.monitoring.evidence.performance import LabelledDay


def verdict_days(problem: Problem) -> int:
    """Return the length of the verdict window in days, at least one."""
    return max(1, problem.monitoring.verdict_window // ONE_DAY)


def days_before(context: MonitoringContext, day: date, most: int) -> list[date]:
    """Return earlier days of the same champion that were served and not blocked, newest first."""
    digest = context.models[day].digest
    return [
        earlier
        for earlier in (day - n * ONE_DAY for n in range(1, most + 1))
        if earlier in context.served
        and context.served[earlier].digest == digest
        and not context.history.is_blocked(earlier)
    ]


def verdict_window(context: MonitoringContext, day: date) -> tuple[list[ServedDay], Window]:
    """Return the days that are decided together, newest first, and what a decision says of them.

    The verdict window, extended backwards while it has too few rows.
    """
    policy = context.policy
    length = verdict_days(context.problem)
    usable = {day, *days_before(context, day, policy.longest_window_days - 1)}
    days: list[ServedDay] = []
    excluded: list[date] = []
    rows = 0
    for back in range(policy.longest_window_days):
        if back >= length and rows >= policy.min_window_rows:
            break
        each = day - back * ONE_DAY
        if context.history.is_blocked(each) and each != day:
            excluded.append(each)
        elif each in usable and each in context.served:
            days.append(context.served[each])
            rows += context.served[each].profile.rows
    today = context.served.get(day)
    return days, Window(
        days=tuple(each.day for each in days),
        rows=rows,
        rows_of_day=today.profile.rows if today else 0,
        excluded=tuple(excluded),
    )


def shortage(day: date, window: Window, needed: int) -> str | None:
    """Return why there are too few rows for a verdict, as a sentence; None: there are enough."""
    if not window.rows_of_day:
        return f"No prediction was served on {day}."
    if window.rows >= needed:
        return None
    return (
        f"{window.rows} rows were served in {len(window.days)} days; {needed} are needed "
        "for a verdict."
    )


def labelled_days(context: MonitoringContext, day: date) -> Sequence[LabelledDay]:
    """Return days, newest first, with their labels as they were known at the end of `day`.

    From the newest day whose labels are complete, by the maturity curve, as far as
    `policy.label_days` before it.
    """
    if context.labels is None:
        return []
    end, policy = context.calendar.end(day), context.policy
    youngest = context.labels.lateness(end).days_of(policy.mature_share)
    dates = [day, *days_before(context, day, youngest + policy.label_days - 1)]
    days = [
        context.served[each]
        for each in dates
        if each in context.served and each <= day - youngest * ONE_DAY
    ]
    return [(each, context.labels.of(each, end)) for each in days]


def label_health(context: MonitoringContext, day: date) -> LabelHealth | None:
    """Return how labels arrive, as of the end of `day`; None where they cannot be joined.

    Of the days of every model, since labels are no model's; blocked days stay out.
    """
    if context.labels is None:
        return None
    policy = context.policy
    days = [
        context.served[each]
        for each in sorted(context.served, reverse=True)
        if each <= day and not context.history.is_blocked(each)
    ]
    return look_at_labels(context.labels, context.models[day], days, context.calendar, day, policy)
