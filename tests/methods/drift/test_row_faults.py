"""Days with too few or too many rows, and rows that came twice or came before."""

from datetime import date, timedelta
from functools import partial

import numpy as np
import pyarrow as pa
import pytest
from fixtures_drift import reference, world

from contract.faults import Fault
from methods.drift import quality, row_faults
from methods.drift.limits import QualityLimits
from methods.drift.profile import DayProfile, ReferenceProfile, day_profile, merge_profiles

check = partial(quality.check, limits=QualityLimits())
MONDAY = date(2024, 1, 1)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def held() -> ReferenceProfile:
    return reference(rows=5_000)


def volume(
    rows: int,
    before: list[int],
    *,
    weekdays: tuple[int, ...] = (),
    accepted: int | None = None,
) -> list[Fault]:
    """Return the faults of the day after `before`, which begins on a Monday."""
    return row_faults.volume_faults(
        MONDAY + len(before) * DAY,
        rows,
        {MONDAY + n * DAY: count for n, count in enumerate(before)},
        weekdays,
        accepted=None if accepted is None else MONDAY + accepted * DAY,
        limits=QualityLimits(),
    )


@pytest.mark.parametrize(("rows", "faults"), [(299, 1), (300, 0), (3_000, 0), (3_001, 1)])
def test_rows_outside_the_usual_are_a_fault(rows: int, faults: int) -> None:
    found = volume(rows, [1_000, 1_000, 1_000, 1_000, 1_000])

    assert [fault.check for fault in found] == ["rows"] * faults


def test_few_days_tell_nothing_of_the_usual() -> None:
    assert volume(60, [9_000] * 4) == []


def test_a_day_without_any_row_is_as_loud_as_one_with_a_few() -> None:
    (fault,) = volume(0, [1_000] * 5)

    assert (fault.check, fault.subject, fault.found) == ("rows", "rows", 0.0)
    assert fault.sentence.startswith("No row was answered on 2024-01-06; 300 to 3000 are usual")
    assert "422" in fault.sentence


def test_half_the_rows_are_a_fault_where_the_days_before_were_steady() -> None:
    steady = [1_000, 1_050] * 10

    assert [len(volume(rows, steady)) for rows in (500, 700, 1_400, 1_900)] == [1, 0, 0, 1]
    assert volume(500, [1_000, 600] * 10) == []


def test_a_small_number_of_rows_varies_by_chance() -> None:
    assert volume(0, [6, 5, 9, 4, 7, 6, 5] * 3) == []


def test_a_business_that_is_closed_on_sundays_is_not_away() -> None:
    week = [1_000] * 6 + [0]

    assert volume(0, [*week, *week[:6]]) == []
    assert [fault.check for fault in volume(0, [*week, *week[:4]])] == ["rows"]


def test_the_reference_knows_the_closed_day_before_the_first_week_is_over() -> None:
    assert volume(0, [1_000] * 6, weekdays=(3, 3, 3, 3, 3, 3, 0)) == []
    assert len(volume(0, [1_000] * 5, weekdays=(3, 3, 3, 3, 3, 3, 0))) == 1


def test_a_quiet_weekday_is_compared_with_its_like() -> None:
    week = [1_000] * 6 + [200]

    assert volume(190, [*week, *week[:6]]) == []


def test_a_volume_that_was_accepted_is_the_usual_one() -> None:
    before = [10_000] * 10 + [1_000]

    assert len(volume(1_000, before)) == 1
    assert volume(1_000, before, accepted=10) == []
    assert len(volume(10_000, before, accepted=10)) == 1


def rows_of(held: ReferenceProfile, rows: int, seed: int, part: str, **keys: object) -> DayProfile:
    table, scores, _ = world(rows, seed)
    identity = pa.table({"key": [f"{part}-{row}" for row in range(rows)]} | keys)
    return day_profile(table, scores, held, part, identity)


def earlier(held: ReferenceProfile, days: int = 4) -> dict[date, DayProfile]:
    return {MONDAY + n * DAY: rows_of(held, 600, n, f"day {n}") for n in range(days)}


@pytest.mark.parametrize("rows", [600, 30_000])
def test_a_day_that_came_twice_is_seen_at_any_volume(held: ReferenceProfile, rows: int) -> None:
    once = rows_of(held, rows, 7, "once")
    again = once.model_copy(update={"parts": ("again",)})

    faults = check(held, merge_profiles([once, again]), earlier(held))

    assert [fault.check for fault in faults] == ["duplicates"]
    assert faults[0].found == pytest.approx(0.5)


def test_a_day_that_came_twice_under_new_keys_is_seen_by_its_features(
    held: ReferenceProfile,
) -> None:
    table, scores, _ = world(600, 7)
    keys = pa.table({"key": [str(row) for row in range(1_200)]})
    twice = day_profile(pa.concat_tables([table, table]), np.tile(scores, 2), held, "twice", keys)

    assert [fault.check for fault in check(held, twice, earlier(held))] == ["repeated"]
    assert check(held, twice, earlier(held, days=2)) == []


def test_a_feed_that_stands_still_is_seen(held: ReferenceProfile) -> None:
    stale = rows_of(held, 600, 3, "today")

    faults = check(held, stale, earlier(held))

    assert [fault.check for fault in faults] == ["stale"]
    assert faults[0].sentence.startswith("100% of the day's rows have the features of rows of 2024")


def test_customers_who_are_asked_for_every_day_are_no_stale_feed(held: ReferenceProfile) -> None:
    same = {MONDAY + n * DAY: rows_of(held, 600, 1, f"day {n}") for n in range(5)}

    assert check(held, rows_of(held, 600, 1, "today"), same) == []


def test_a_profile_of_an_earlier_version_is_compared_without_what_it_lacks(
    held: ReferenceProfile,
) -> None:
    lacking = {"relations": (), "features": None, "whole_rows": None}
    before = {day: each.model_copy(update=lacking) for day, each in earlier(held).items()}
    today = rows_of(held, 600, 3, "today").model_copy(update=lacking)

    assert check(held, today, before) == []
    assert merge_profiles([today, rows_of(held, 600, 4, "more")]).features is None
