"""What breaks a day as a whole: too few or too many rows, rows that came twice, or came before."""

from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from statistics import median

from contract.faults import Check, Fault
from methods.drift.limits import QualityLimits
from methods.drift.profile import DayProfile
from methods.drift.row_digests import repeated_share, share_known
from methods.drift.summaries import FEWEST_ROWS


def repeat_faults(
    day: DayProfile, before: Mapping[date, DayProfile], limits: QualityLimits
) -> list[Fault]:
    """Find rows of the day that came twice, or on an earlier day; one cause alone.

    Args:
        day: its profile.
        before: earlier days in limits; they show how often rows come again by themselves.
        limits: of the policy.
    """
    if day.rows < FEWEST_ROWS:
        return []
    return _duplicates(day, limits) or _stale(day, before, limits) or _repeated(day, before, limits)


def volume_faults(
    day: date,
    rows: int,
    before: Mapping[date, int],
    weekdays: tuple[int, ...],
    *,
    accepted: date | None,
    limits: QualityLimits,
) -> list[Fault]:
    """Find a day with too few or too many rows, or none at all.

    Args:
        day: whose rows they are.
        rows: of the day; none where nothing was answered.
        before: rows of earlier days that were not blocked, also of those without any.
        weekdays: days with rows of the reference by weekday; empty where unknown.
        accepted: from which day on a person accepted the rows as they are; None: nobody did.
        limits: of the policy.
    """
    if accepted is not None:
        before = {each: count for each, count in before.items() if each >= accepted}
    served = [count for count in before.values() if count]
    if len(served) < (1 if accepted is not None else limits.rows_days):
        return []
    same = [count for each, count in before.items() if each.weekday() == day.weekday()]
    is_closed = 0 in same or (any(weekdays) and not weekdays[day.weekday()] and not any(same))
    if not rows and is_closed:
        return []
    usual = float(median(served))
    least, most = min([usual, *filter(None, same)]), max([usual, *same])
    low_share, high_share = _shares(served, usual, limits)
    low = min(low_share * least, least - limits.rows_z * least**0.5)
    high = max(high_share * most, most + limits.rows_z * most**0.5)
    if low <= rows <= high:
        return []
    sentence = (
        f"The day has {rows} rows; {max(low, 0):.0f} to {high:.0f} are usual by the "
        f"{len(served)} days before."
    )
    if not rows:
        sentence = (
            f"No row was answered on {day}; {max(low, 0):.0f} to {high:.0f} are usual: the service "
            "was away, nobody asked, every request was refused (422), or the rows' times are wrong."
        )
    return [_fault("rows", float(rows), low if rows < low else high, sentence)]


def _shares(served: list[int], usual: float, limits: QualityLimits) -> tuple[float, float]:
    """Return the limits as shares of the usual rows: closer where the days before were steady."""
    if len(served) < limits.rows_steady_days:
        return limits.rows_low, limits.rows_high
    factor = limits.baseline_factor
    low, high = (min(served) / usual) ** factor, (max(served) / usual) ** factor
    steady = limits.rows_steady
    return (
        min(max(low, limits.rows_low), steady),
        max(min(high, limits.rows_high), 1 / steady),
    )


def _duplicates(day: DayProfile, limits: QualityLimits) -> list[Fault]:
    share = 0.0 if day.whole_rows is None else repeated_share(day.whole_rows)
    if share < limits.duplicates:
        return []
    sentence = (
        f"{share:.0%} of the day's rows repeat another row's key and values; "
        f"less than {limits.duplicates:.0%} is usual."
    )
    return [_fault("duplicates", share, limits.duplicates, sentence)]


def _stale(
    day: DayProfile, before: Mapping[date, DayProfile], limits: QualityLimits
) -> list[Fault]:
    if day.features is None:
        return []
    samples = {each: one.features for each, one in before.items() if one.features is not None}
    pairs = list(pairwise(samples[each] for each in sorted(samples)))
    if len(pairs) < limits.repeated_days:
        return []
    usual = max(share_known(later, earlier) for earlier, later in pairs)
    limit = usual + limits.stale
    found, source = max((share_known(day.features, samples[each]), each) for each in samples)
    if limit > 1 or found < limit:
        return []
    sentence = (
        f"{found:.0%} of the day's rows have the features of rows of {source}; {usual:.0%} is "
        "usual: the feed stands still."
    )
    return [_fault("stale", found, limit, sentence)]


def _repeated(
    day: DayProfile, before: Mapping[date, DayProfile], limits: QualityLimits
) -> list[Fault]:
    if day.features is None:
        return []
    # The more rows, the more of them meet their like: at most in proportion.
    usual = [
        repeated_share(one.features) * max(1.0, day.rows / one.rows)
        for one in before.values()
        if one.features is not None and one.rows
    ]
    if len(usual) < limits.repeated_days:
        return []
    share = repeated_share(day.features)
    limit = max(limits.repeated, limits.baseline_factor * max(usual))
    if share < limit:
        return []
    sentence = (
        f"{share:.0%} of the day's rows have the features of another row of the day; less than "
        f"{limit:.0%} is usual: rows came again under another key."
    )
    return [_fault("repeated", share, limit, sentence)]


def _fault(check: Check, found: float, limit: float, sentence: str) -> Fault:
    return Fault(
        check=check,
        column=None,
        found=round(found, 4),
        limit=round(limit, 4),
        sentence=sentence,
    )
