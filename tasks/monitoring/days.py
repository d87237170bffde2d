"""Days of the problem's time zone: where one begins and ends, and which one a moment belongs to."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

Micros = NDArray[np.int64]
ONE_DAY = timedelta(days=1)


class Days:
    """The calendar of one problem."""

    def __init__(self, timezone: str) -> None:
        self._zone = ZoneInfo(timezone)

    def begin(self, day: date) -> datetime:
        """Return midnight at which `day` begins, in UTC."""
        return datetime.combine(day, time(), self._zone).astimezone(UTC)

    def end(self, day: date) -> datetime:
        """Return midnight at which `day` ends, in UTC; a day may have 23 or 25 hours."""
        return self.begin(day + ONE_DAY)

    def of(self, moment: datetime) -> date:
        """Return the day that `moment` belongs to."""
        return moment.astimezone(self._zone).date()

    def whole(self, since: datetime, until: datetime) -> list[date]:
        """Return the days that end by `until`, from the one that `since` belongs to."""
        first = self.of(since)
        last = self.of(until) - ONE_DAY
        return [first + n * ONE_DAY for n in range((last - first).days + 1)]

    def places(self, moments: Micros, days: Sequence[date]) -> NDArray[np.int64]:
        """Return for each moment its place in `days` (consecutive), -1 where it is in none; (n,).

        Moments are microseconds since 1970, UTC.
        """
        if not days:
            return np.full(len(moments), -1, dtype=np.int64)
        edges = np.array([micros(self.begin(day)) for day in days] + [micros(self.end(days[-1]))])
        found = np.searchsorted(edges, moments, side="right") - 1
        return np.where(found < len(days), found, -1).astype(np.int64)


def micros(moment: datetime) -> int:
    """Return microseconds since 1970, exactly.

    >>> micros(datetime(1970, 1, 1, 0, 0, 1, 5, UTC))
    1000005
    """
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
