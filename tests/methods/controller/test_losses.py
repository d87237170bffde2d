"""Days as blocks: how far they lie apart, how sure a mean is, since when it is higher."""

from datetime import date, timedelta

import numpy as np
import pytest
from decision_factory import decision

from contract.performance import DayLoss, Performance
from methods.controller.losses import (
    day_variance,
    error_of,
    find_onset,
    level_of,
    mean_of,
    paired_z,
    usual_variance,
)
from methods.controller.policy import Policy

MAY = date(2013, 5, 1)
POLICY = Policy()


def days(means: list[float], rows: int = 100, deviation: float = 0.4) -> list[DayLoss]:
    return [
        DayLoss(day=MAY + timedelta(days=n), rows=rows, mean=mean, deviation=deviation)
        for n, mean in enumerate(means)
    ]


def drawn(seed: int, count: int, between: float, rows: int = 100) -> list[DayLoss]:
    random = np.random.default_rng(seed)
    own = random.normal(0, between, count) + random.normal(0, 0.4 / rows**0.5, count)
    return days((0.5 + own).tolist(), rows)


def test_what_days_differ_by_beyond_their_rows_is_found() -> None:
    assert day_variance(drawn(0, 400, 0.1)) ** 0.5 == pytest.approx(0.1, rel=0.1)
    assert day_variance(drawn(1, 400, 0.0)) ** 0.5 < 0.02


def test_a_difference_between_two_series_is_no_difference_between_days() -> None:
    calm, higher = days([0.5] * 8), days([0.9] * 8)

    assert day_variance(calm, higher) == 0
    assert day_variance([*calm, *higher]) > 0


def test_days_of_which_nothing_can_be_said_vary_by_nothing() -> None:
    assert day_variance() == 0
    assert day_variance(days([0.5])) == 0
    assert day_variance(days([0.5, 0.9], deviation=0.0)) == 0


def test_the_baselines_days_alone_say_how_far_days_lie_apart_where_they_are_enough() -> None:
    changed = days([0.5, 0.5, 0.5, 0.9, 0.9])

    assert usual_variance(days([0.5] * 8), changed, POLICY) == 0
    assert usual_variance(days([0.5] * 7), changed, POLICY) > 0


def test_a_mean_is_as_sure_as_its_rows_and_its_days_allow() -> None:
    four = days([0.4, 0.5, 0.5, 0.6])

    assert mean_of(four) == pytest.approx(0.5)
    assert error_of(four, 0.0) == pytest.approx(0.4 / 400**0.5)
    assert error_of(four, 0.01) == pytest.approx((0.4**2 / 400 + 0.01 / 4) ** 0.5)


def test_a_saving_of_each_day_is_surer_than_one_of_a_single_day() -> None:
    every = days([0.05] * 7)
    single = days([0.35, *[0.0] * 6])

    assert mean_of(every) == pytest.approx(mean_of(single))
    assert paired_z(every) > 3 > paired_z(single)
    assert paired_z(days([0.1, 0.1], deviation=0.0)) == 0


def test_rows_of_restless_days_are_no_independent_draws() -> None:
    """Chance alone: a limit of 3 is passed by less than 2 % of windows, not by half of them."""
    passed = {"rows": 0, "days": 0}
    for seed in range(200):
        before, now = drawn(seed, 28, 0.1), drawn(10_000 + seed, 7, 0.1)
        rise = mean_of(now) - mean_of(before)
        variance = usual_variance(before, now, POLICY)
        for name, each in (("rows", 0.0), ("days", variance)):
            error = (error_of(now, each) ** 2 + error_of(before, each) ** 2) ** 0.5
            passed[name] += abs(rise) >= 3 * error

    assert passed["days"] <= 4
    assert passed["rows"] >= 10


@pytest.mark.parametrize("first", [6, 11, 13])
def test_a_step_has_its_first_day(first: int) -> None:
    losses = days([0.5] * first + [0.8] * (14 - first))

    assert find_onset(losses, 0.5, 0.0, POLICY) == MAY + timedelta(days=first)


def test_one_quiet_day_does_not_end_a_change() -> None:
    losses = days([0.5] * 6 + [0.8, 0.8, 0.5, 0.8, 0.8])

    assert find_onset(losses, 0.5, 0.0, POLICY) == MAY + timedelta(days=6)


def test_a_loss_that_has_not_risen_or_has_fallen_again_has_no_onset() -> None:
    assert find_onset(days([0.5] * 14), 0.5, 0.0, POLICY) is None
    assert find_onset(days([0.4] * 14), 0.5, 0.0, POLICY) is None
    assert find_onset(days([0.55]), 0.5, 0.0, POLICY) is None
    assert find_onset(days([0.9], deviation=0.0), 0.5, 0.0, POLICY) is None
    assert find_onset([], 0.5, 0.0, POLICY) is None


def test_the_level_of_a_world_is_the_loss_since_its_change_began() -> None:
    performance = Performance(
        metric="log_loss",
        ref=0.5,
        cur=0.6,
        low=0.5,
        high=0.7,
        change=0.2,
        z=4.0,
        z_limit=3.0,
        n_labelled=400,
        coverage=1.0,
        first=MAY,
        last=MAY + timedelta(days=3),
        days=tuple(days([0.5, 0.5, 0.7, 0.7])),
    )
    change = MAY + timedelta(days=2)

    assert level_of(decision(5, performance=performance, onset=change)) == pytest.approx(0.7)
    assert level_of(decision(5, performance=performance)) == 0.6
    assert level_of(decision(5)) is None
