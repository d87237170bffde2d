import threading
from datetime import UTC, datetime

import pytest

from contract.errors import Conflict, TryAgain
from contract.store.client import Store
from contract.store.layout import LedgerKey
from contract.store.ledger import Ledger, LedgerEntry

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def entry(name: str) -> LedgerEntry:
    return LedgerEntry(
        id=name, kind="refused", at=NOON, written=NOON, run="r", reason="It was worse."
    )


def test_entries_come_back_in_their_order(store: Store, problem_name: str) -> None:
    ledger = Ledger(store, problem_name)

    numbers = [ledger.append(entry("a")), ledger.append(entry("b"))]

    assert numbers == [0, 1]
    assert ledger.entries() == [entry("a"), entry("b")]


def test_an_id_is_written_once(store: Store, problem_name: str) -> None:
    ledger = Ledger(store, problem_name)
    ledger.append(entry("a"))
    ledger.append(entry("b"))

    assert ledger.append(entry("a")) == 0
    assert len(ledger.entries()) == 2


@pytest.mark.slow
def test_writers_at_once_lose_no_entry(store: Store, problem_name: str) -> None:
    ledger = Ledger(store, problem_name)
    names = [f"w{number}" for number in range(4)]
    threads = [threading.Thread(target=ledger.append, args=(entry(name),)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(found.id for found in ledger.entries()) == names


def test_too_many_writers_are_tried_again(
    store: Store, problem_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(key: str, body: bytes) -> str:
        raise Conflict(key)

    monkeypatch.setattr(store, "create", lose)

    with pytest.raises(TryAgain, match="other writers"):
        Ledger(store, problem_name).append(entry("a"))


def test_the_newest_entries_are_read_without_the_others(store: Store, problem_name: str) -> None:
    ledger = Ledger(store, problem_name)
    for name in "abc":
        ledger.append(entry(name))
    store.put(str(LedgerKey(problem_name, 0)), b"damaged")

    assert ledger.newest(2) == [entry("b"), entry("c")]
