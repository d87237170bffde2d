"""One retraining in flight, whoever asks: on the real store, by many at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest

from contract.errors import Conflict, TryAgain
from contract.store.client import Store
from contract.store.layout import RetrainingLeaseKey
from contract.store.retraining_lease import RetrainingLease, take_lease

START = datetime(2013, 5, 1, tzinfo=UTC)
LENGTH = timedelta(days=2)
ASKING = 8


def lease(day: int, run: str = "monitor") -> RetrainingLease:
    return RetrainingLease(key=f"performance__{day}", run=run, at=START + timedelta(days=day))


def running(_: str) -> bool:
    return False


def ended(_: str) -> bool:
    return True


def take(
    store: Store, problem: str, wanted: RetrainingLease, has_ended: Callable[[str], bool] = running
) -> str | None:
    holder = take_lease(store, problem, wanted, LENGTH, has_ended)
    return None if holder is None else holder.key


def test_of_many_that_ask_at_once_one_gets_it(store: Store, problem_name: str) -> None:
    together = Barrier(ASKING)

    def ask(number: int) -> str | None:
        wanted = RetrainingLease(
            key=f"performance__{number}",
            run=f"monitor-{number}",
            at=START + timedelta(minutes=number),
        )
        together.wait()
        return take(store, problem_name, wanted)

    with ThreadPoolExecutor(ASKING) as threads:
        holders = list(threads.map(ask, range(ASKING)))

    winner = f"performance__{holders.index(None)}"
    assert sorted(map(str, holders)) == sorted(["None", *[winner] * (ASKING - 1)])


def test_a_lost_holder_is_taken_over_by_one_of_many(store: Store, problem_name: str) -> None:
    assert take(store, problem_name, lease(0)) is None
    together = Barrier(ASKING)

    def ask(number: int) -> str | None:
        together.wait()
        wanted = lease(2).model_copy(
            update={"key": f"drift__{number}", "at": START + timedelta(days=2, minutes=number)}
        )
        return take(store, problem_name, wanted)

    with ThreadPoolExecutor(ASKING) as threads:
        holders = list(threads.map(ask, range(ASKING)))

    assert holders.count(None) == 1


def test_a_holder_keeps_it_until_it_ends_or_is_lost(store: Store, problem_name: str) -> None:
    assert take(store, problem_name, lease(0)) is None

    assert take(store, problem_name, lease(1)) == "performance__0"
    assert take(store, problem_name, lease(1), ended) is None
    assert take(store, problem_name, lease(2)) == "performance__1"
    assert take(store, problem_name, lease(3)) is None


def test_a_decision_that_is_made_again_holds_what_it_took(store: Store, problem_name: str) -> None:
    """It may ask for another reason then: late labels came in between."""
    assert take(store, problem_name, lease(0)) is None

    again = lease(0, "second").model_copy(update={"key": "drift__0"})

    assert take(store, problem_name, again) is None
    assert take(store, problem_name, lease(1)) == "drift__0"


def test_a_holder_of_a_wrong_time_to_come_blocks_nothing(store: Store, problem_name: str) -> None:
    assert take(store, problem_name, lease(700)) is None

    assert take(store, problem_name, lease(1)) is None


def test_one_that_never_wins_is_tried_again(
    store: Store, problem_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else writes between each of its reads and writes."""
    swap = Store.swap

    def late(self: Store, key: str, body: bytes, etag: str | None) -> str:
        raise Conflict(f"Another writer changed {key!r} first; read it again.")

    monkeypatch.setattr(Store, "swap", late)

    with pytest.raises(TryAgain, match="others asked for a retraining"):
        take(store, problem_name, lease(0))
    monkeypatch.setattr(Store, "swap", swap)
    assert store.head(str(RetrainingLeaseKey(problem_name))) is None
