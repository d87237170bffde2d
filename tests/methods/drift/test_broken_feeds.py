"""What happens to a feed on one day, on a quiet world: seen on the first day, all that features show."""

import pytest

from benchmarks.monitoring.broken import Feed, quiet_days, try_kind
from benchmarks.monitoring.feeds import CONTROLS, FEEDS

# Of a category that takes a fifth more at every weekend anyway, a default is not told from one.
NOT_SHOWN = {"most frequent kind in 30 %"}


@pytest.fixture(scope="module")
def quiet() -> Feed:
    return quiet_days(1_000, 0)


@pytest.mark.parametrize("kind", [name for name in FEEDS if name not in CONTROLS])
def test_a_broken_feed_is_blocked_on_its_first_day(quiet: Feed, kind: str) -> None:
    ((faults, decision),) = try_kind(quiet, FEEDS[kind], last=1)

    assert (decision.verdict == "blocked_data_quality") == (kind not in NOT_SHOWN)
    assert bool(faults) == (kind not in NOT_SHOWN)
    assert not decision.retrain


@pytest.mark.parametrize("kind", CONTROLS)
def test_what_does_no_harm_is_not_blocked(quiet: Feed, kind: str) -> None:
    ((faults, decision),) = try_kind(quiet, FEEDS[kind], last=1)

    assert (faults, decision.verdict) == ([], "ok")


def test_quiet_days_are_never_blocked(quiet: Feed) -> None:
    assert len(quiet.good) == 10
