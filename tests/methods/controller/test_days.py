"""Days of the problem's own time zone."""

from datetime import UTC, date, datetime, timedelta

import numpy as np

from contract.times import microseconds
from methods.controller.days import Calendar

NEW_YORK = Calendar("America/New_York")
MARCH = [date(2013, 3, 9), date(2013, 3, 10)]  # the second has 23 hours
BEGIN = datetime(2013, 3, 9, 5, tzinfo=UTC)


def test_days_before_the_problems_midnight_belong_to_its_own_zone() -> None:
    assert NEW_YORK.begin(date(2013, 3, 10)) == datetime(2013, 3, 10, 5, tzinfo=UTC)
    assert NEW_YORK.end(date(2013, 3, 10)) == datetime(2013, 3, 11, 4, tzinfo=UTC)
    assert NEW_YORK.day_of(datetime(2013, 3, 10, 4, 59, tzinfo=UTC)) == date(2013, 3, 9)


def test_whole_days_end_by_the_moment_and_begin_with_the_day_of_the_first_one() -> None:
    noon = BEGIN + timedelta(hours=12)

    assert NEW_YORK.whole_days(noon, BEGIN + timedelta(hours=47)) == MARCH
    assert NEW_YORK.whole_days(noon, BEGIN + timedelta(hours=46)) == MARCH[:1]
    assert NEW_YORK.whole_days(noon, noon) == []


def test_a_moment_has_the_index_of_its_day_and_none_outside() -> None:
    hours = [-1, 0, 23, 24, 46, 47]
    moments = np.array([microseconds(BEGIN + timedelta(hours=hour)) for hour in hours])

    assert NEW_YORK.positions(moments, MARCH).tolist() == [-1, 0, 0, 1, 1, -1]
    assert NEW_YORK.positions(moments, []).tolist() == [-1] * 6


def test_moments_have_the_days_of_the_zone() -> None:
    moments = [
        datetime(2013, 3, 10, 4, 59, tzinfo=UTC),  # midnight in New York is 05:00, then 04:00
        datetime(2013, 3, 10, 5, tzinfo=UTC),
        datetime(2013, 3, 11, 4, tzinfo=UTC),
        datetime(2013, 3, 11, 3, 59, tzinfo=UTC),
    ]
    days = Calendar("America/New_York").days_of(np.array([microseconds(each) for each in moments]))

    assert days == [date(2013, 3, 9), date(2013, 3, 10), date(2013, 3, 11)]


def test_a_moment_that_no_calendar_has_has_no_day() -> None:
    largest = np.iinfo(np.int64).max

    assert Calendar("UTC").days_of(np.array([largest, -largest, 0])) == [date(1970, 1, 1)]
    assert Calendar("UTC").days_of(np.empty(0, np.int64)) == []
