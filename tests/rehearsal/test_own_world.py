from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from rehearsal.landed_run import OwnRows
from rehearsal.own_problem import KEY
from rehearsal.own_world import DrawnDays, LandedDays, landed_span
from rehearsal.scenarios import CHANGE, SCENARIOS
from rehearsal.world import NEVER, WorldDay

BEGIN = date(2026, 3, 16)  # a Monday, the day after the last landed one
DAY = 86_400_000_000


def days(rows: OwnRows, scenario: str) -> DrawnDays:
    return DrawnDays(rows, BEGIN, 0, SCENARIOS[scenario])


def share(day: WorldDay) -> float:
    return float(np.mean([label == "yes" for label in day.truth]))


def column(day: WorldDay, name: str) -> list[float]:
    found: list[float] = day.asked[name].to_pylist()
    return found


def test_a_day_has_the_rows_of_its_weekday_at_its_own_time(own_rows: OwnRows) -> None:
    world = days(own_rows, "stationary")

    counts = [world.day(number).asked.num_rows for number in range(14)]
    day = world.day(9)

    assert counts == [40, 40, 40, 40, 40, 40, 80] * 2
    assert {moment.date() for moment in day.asked["signed_at"].to_pylist()} == {date(2026, 3, 25)}
    assert (np.diff(day.moments) >= 0).all()


def test_a_day_is_the_same_whenever_it_is_asked_for(own_rows: OwnRows) -> None:
    one, other = days(own_rows, "stationary").day(3), days(own_rows, "stationary").day(3)

    assert one.asked.equals(other.asked)
    assert one.truth == other.truth


def test_no_key_comes_twice_though_rows_do(own_rows: OwnRows) -> None:
    world = days(own_rows, "stationary")

    keys = [key for number in range(-7, 14) for key in world.day(number).asked[KEY].to_pylist()]

    assert len(set(keys)) == len(keys) > own_rows.table.num_rows


def test_a_row_that_is_drawn_again_gets_a_label_of_its_own(own_rows: OwnRows) -> None:
    world = days(own_rows, "stationary")
    seen: dict[float, set[object]] = {}
    for number in range(40):
        day = world.day(number)
        for age, label in zip(column(day, "age"), day.truth, strict=True):
            seen.setdefault(age, set()).add(label)

    assert sum(len(labels) == 2 for labels in seen.values()) > len(seen) / 3


def test_the_world_is_as_hard_as_the_model_found_it(own_rows: OwnRows) -> None:
    world = days(own_rows, "stationary")
    losses = []
    for number in range(60):
        day = world.day(number)
        assert day.chance is not None
        yes = np.array([label == "yes" for label in day.truth])
        losses += (-np.log(np.where(yes, day.chance, 1 - day.chance))).tolist()

    assert np.mean(losses) == pytest.approx(own_rows.reference.losses.mean, abs=0.03)


@pytest.mark.parametrize("scenario", ["step", "trend", "concept", "base-rate", "segment", "noise"])
def test_nothing_is_changed_before_the_day_of_the_change(own_rows: OwnRows, scenario: str) -> None:
    quiet, changed = days(own_rows, "stationary"), days(own_rows, scenario)

    for number in (-3, 0, CHANGE - 1):
        assert quiet.day(number).asked.equals(changed.day(number).asked)
        assert quiet.day(number).truth == changed.day(number).truth


def test_a_step_moves_the_most_important_number(own_rows: OwnRows) -> None:
    quiet, moved = days(own_rows, "stationary").day(CHANGE), days(own_rows, "step").day(CHANGE)
    deviation = float(np.std(own_rows.table["age"].to_numpy()))

    assert np.subtract(column(moved, "age"), column(quiet, "age")) == pytest.approx(
        np.full(40, 0.5 * deviation)
    )
    assert column(moved, "income") == column(quiet, "income")


def test_a_moved_base_rate_gives_more_of_the_rarest_answer(own_rows: OwnRows) -> None:
    def usual(scenario: str) -> list[float]:
        return [share(days(own_rows, scenario).day(number)) for number in range(CHANGE, CHANGE + 9)]

    quiet, moved = usual("stationary"), usual("base-rate")
    rarest_is_yes = np.mean(quiet) < 0.5

    assert (np.mean(moved) - np.mean(quiet)) * (1 if rarest_is_yes else -1) > 0.1


def test_a_concept_turns_round_where_the_number_is_high(own_rows: OwnRows) -> None:
    quiet, turned = days(own_rows, "stationary").day(CHANGE), days(own_rows, "concept").day(CHANGE)
    assert quiet.chance is not None
    assert turned.chance is not None
    middle = float(np.median(own_rows.table["age"].to_numpy()))
    is_high = np.array(column(quiet, "age")) > middle

    assert turned.chance[is_high] == pytest.approx(1 - quiet.chance[is_high])
    assert turned.chance[~is_high] == pytest.approx(quiet.chance[~is_high])


def test_labels_come_as_late_as_the_scenario_says(own_rows: OwnRows) -> None:
    late = days(own_rows, "late-30").day(3)
    stopped = days(own_rows, "labels-stop")

    assert (late.landings["customers"].known - late.moments == 30 * DAY).all()
    assert (stopped.day(CHANGE).landings["customers"].known == NEVER).all()
    assert (stopped.day(CHANGE - 1).landings["customers"].known < NEVER).all()


def test_nobody_asks_during_an_outage(own_rows: OwnRows) -> None:
    world = days(own_rows, "outage")

    rows = [world.day(number).asked.num_rows for number in range(CHANGE - 1, CHANGE + 4)]

    assert [count > 0 for count in rows] == [True, False, False, False, True]


@pytest.mark.parametrize("scenario", ["feed-unit", "feed-null", "feed-sign", "feed-shuffled"])
def test_a_broken_feed_damages_what_is_asked_and_not_what_lands(
    own_rows: OwnRows, scenario: str
) -> None:
    quiet, broken = days(own_rows, "stationary").day(CHANGE), days(own_rows, scenario).day(CHANGE)

    assert column(broken, "age") != column(quiet, "age")
    assert broken.landings["customers"].table.equals(quiet.landings["customers"].table)


def test_the_landed_history_is_itself(own_rows: OwnRows) -> None:
    first, last = landed_span(own_rows)
    world = LandedDays(own_rows, first + timedelta(days=7), 0)

    ages = pa.concat_arrays(
        [world.day(number).asked["age"].combine_chunks() for number in range(-7, 7)]
    )
    labels = [label for number in range(-7, 7) for label in world.day(number).truth]

    assert (first, last) == (date(2026, 3, 2), date(2026, 3, 15))
    assert ages.equals(own_rows.table["age"].combine_chunks())
    assert labels == own_rows.table["answer"].to_pylist()
