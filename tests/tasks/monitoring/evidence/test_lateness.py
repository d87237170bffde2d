"""The maturity curve, and how far back it makes monitoring read."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from contract.times import microseconds
from methods.controller.policy import Policy
from tasks.monitoring.evidence.lateness import Lateness, days_back, lateness_of

NOW = datetime(2013, 9, 1, tzinfo=UTC)
HOUR, DAY = 3_600_000_000, 86_400_000_000


def after(*hours: float) -> Lateness:
    return Lateness(np.sort(np.array([round(hour * HOUR) for hour in hours], np.int64)))


def test_the_share_known_grows_with_age() -> None:
    lateness = after(10, 20, 30, 40)

    assert [lateness.share_at(timedelta(hours=hours)) for hours in (9, 10, 35, 99)] == [
        0,
        0.25,
        0.75,
        1,
    ]
    assert lateness.age_of(0.5) == timedelta(hours=20)
    assert lateness.curve() == {0: 0.0, 1: 0.5, 2: 1.0}


@pytest.mark.parametrize(
    ("hours", "days"), [(0, 0), (1, 0), (24, 1), (30, 1), (40, 2), (90 * 24, 90)]
)
def test_a_day_is_complete_when_most_of_its_rows_have_their_label(hours: float, days: int) -> None:
    assert after(hours).days_of(Policy().mature_share) == days


def test_young_events_do_not_make_labels_look_early() -> None:
    """Half of the labels come after 60 days; of the last month only the early half is known."""
    ages = np.tile([1, 60], 500) * DAY
    events = microseconds(NOW) - np.linspace(0, 200, 1_000).astype(np.int64) * DAY
    known = events + ages
    lateness = lateness_of(events, known, NOW, after(24))

    assert lateness.share_at(timedelta(days=2)) == pytest.approx(0.5, abs=0.02)
    assert lateness.share_at(timedelta(days=60)) == 1.0


def test_a_label_that_is_not_known_yet_says_nothing() -> None:
    events = np.full(200, microseconds(NOW) - 2 * DAY)
    known = np.concatenate([events[:150] + DAY, events[150:] + 30 * DAY])

    assert lateness_of(events, known, NOW, after(5)).age_of(1.0) == timedelta(days=1)
    assert lateness_of(events[:0], known[:0], NOW, after(5)).ages.tolist() == [5 * HOUR]


def test_days_are_read_as_far_back_as_labels_come_and_no_further_than_the_limit() -> None:
    policy = Policy()

    assert days_back(after(30), policy) == policy.label_days + 2
    assert days_back(after(90 * 24), policy) == policy.label_days + 90
    assert days_back(after(9_999 * 24), policy) == policy.label_days + policy.longest_label_days
