"""Days of the problem's time zone: where one begins and ends, and which one a moment belongs to."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from contract.times import microseconds

Micros = NDArray[np.int64]
ONE_DAY = timedelta(days=1)
_MICROS_A_DAY = 86_400_000_000
_EPOCH = date(1970, 1, 1).toordinal()
# Two days from the first and the last that there is, since zones reach into the days beside one.
_FIRST_DAY, _LAST_DAY = 2 - _EPOCH, date.max.toordinal() - 2 - _EPOCH


class Calendar:
    """The days of one problem."""

    def __init__(self, timezone: str) -> None:
        self.name = timezone
        self._zone = ZoneInfo(timezone)

    def begin(self, day: date) -> datetime:
        """Return midnight at which `day` begins, in UTC."""
        return datetime.combine(day, time(), self._zone).astimezone(UTC)

    def end(self, day: date) -> datetime:
        """Return midnight at which `day` ends, in UTC; a day may have 23 or 25 hours."""
        return self.begin(day + ONE_DAY)

    def day_of(self, moment: datetime) -> date:
        """Return the day that `moment` belongs to."""
        return moment.astimezone(self._zone).date()

    def whole_days(self, since: datetime, until: datetime) -> list[date]:
        """Return the days that end by `until`, from the one that `since` belongs to."""
        first = self.day_of(since)
        last = self.day_of(until) - ONE_DAY
        return [first + n * ONE_DAY for n in range((last - first).days + 1)]

    def days_of(self, moments: Micros) -> list[date]:
        """Return the days that have one of the moments, ascending; (n,) microseconds, UTC.

        A moment that no calendar has (before the year 1, after 9999) has no day.
        """
        numbers = np.unique(moments // _MICROS_A_DAY)
        found: set[date] = set()
        for number in numbers[(numbers > _FIRST_DAY) & (numbers < _LAST_DAY)].tolist():
            utc = date.fromordinal(_EPOCH + number)
            near = [utc - ONE_DAY, utc, utc + ONE_DAY]
            of_day = moments[moments // _MICROS_A_DAY == number]
            positions = np.unique(self.positions(of_day, near))
            found.update(near[position] for position in positions.tolist() if position >= 0)
        return sorted(found)

    def positions(self, moments: Micros, days: Sequence[date]) -> NDArray[np.int64]:
        """Return for each moment its index in `days` (consecutive), -1 where it is in none; (n,).

        Moments are microseconds since 1970, UTC.
        """
        if not days:
            return np.full(len(moments), -1, dtype=np.int64)
        edges = np.array([microseconds(self.begin(day)) for day in (*days, days[-1] + ONE_DAY)])
        index = np.searchsorted(edges, moments, side="right") - 1
        return np.where(index < len(days), index, -1).astype(np.int64)
