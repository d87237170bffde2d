"""Which rows judge: enough of them, whole days, and never a row that a refit has learnt."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from methods.retrain.thresholds import RetrainLimits
from methods.split.judged import DAY, enough_from, steps

LIMITS = RetrainLimits()
NOBODY = np.empty(0, dtype=np.int64)


def days(count: int, rows: int) -> np.ndarray:
    """Times of `rows` rows on each of `count` days."""
    return np.concatenate([day * DAY + np.arange(rows) * 1_000_000 for day in range(count)])


def test_three_days_judge_where_they_hold_enough_rows() -> None:
    assert enough_from(days(10, 400), NOBODY, LIMITS) == 7 * DAY


def test_days_are_added_until_there_are_enough_rows() -> None:
    assert enough_from(days(30, 100), NOBODY, LIMITS) == 25 * DAY


def test_days_are_added_until_the_rarer_class_has_enough() -> None:
    times = days(20, 400)

    assert enough_from(times, times[::40], LIMITS) == 15 * DAY


def test_two_days_or_few_rows_are_never_enough() -> None:
    assert enough_from(days(2, 4_000), NOBODY, LIMITS) is None
    assert enough_from(days(20, 20), NOBODY, LIMITS) is None


@given(st.integers(1, 40), st.integers(1, 5), st.integers(0, 3))
def test_each_judged_row_is_scored_once_by_a_refit_that_ended_before_its_day(
    judged_days: int, rows: int, gap_days: int
) -> None:
    times = days(judged_days + 10, rows)
    judged = np.flatnonzero(times >= 10 * DAY)

    found = steps(times, judged, gap_days * DAY, LIMITS)

    assert np.concatenate([step.score for step in found]).tolist() == judged.tolist()
    assert len(found) <= LIMITS.refits
    for step in found:
        assert times[step.train].max() < times[step.score].min() - gap_days * DAY


def test_rows_of_one_day_are_cut_by_the_moment() -> None:
    times = days(11, 50)

    assert len(steps(times, np.flatnonzero(times >= 10 * DAY), 0, LIMITS)) > 1


def test_many_rows_are_judged_by_fewer_refits() -> None:
    times = days(20, 500)
    limits = LIMITS.model_copy(update={"refit_rows": 30_000})

    assert len(steps(times, np.flatnonzero(times >= 10 * DAY), 0, limits)) == 3


def test_a_step_without_an_earlier_row_is_left_out() -> None:
    times = days(6, 10)

    assert len(steps(times, np.arange(len(times)), 0, LIMITS)) == 5
