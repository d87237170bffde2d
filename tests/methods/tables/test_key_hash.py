"""Hashes of keys: the same key is one number, in any spelling, batch or table."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from methods.tables.key_hash import hash_keys, is_whole


def hashes(*columns: list[object]) -> list[int]:
    found: list[int] = hash_keys(
        [pa.chunked_array([pa.array(column)]) for column in columns]
    ).tolist()
    return found


def test_kept_hashes_never_change() -> None:
    """What is in people's stores was written with these."""
    assert hashes(["7", "ab"]) == [2737925717180102691, 7762071847217757819]


def test_a_number_its_text_and_a_float_are_one_key() -> None:
    assert hashes([7]) == hashes(["7"]) == hashes([7.0])
    assert hashes([True]) == hashes(["true"])


def test_a_time_that_was_sent_as_a_text_is_the_tables_instant() -> None:
    moment = datetime(2013, 5, 1, 12, tzinfo=UTC)

    assert (
        hashes([moment])
        == hashes(["2013-05-01T12:00:00Z"])
        == hashes(["2013-05-01T14:00:00+02:00"])
    )
    assert hashes(["2013-05-01 is no time"]) != hashes([moment])


def test_the_order_of_a_keys_parts_counts() -> None:
    assert hashes(["a"], ["b"]) != hashes(["b"], ["a"])
    assert hashes(["ab"], ["c"]) != hashes(["a"], ["bc"])


@pytest.mark.parametrize("cut", [1, 16_384, 16_385])
def test_chunks_leave_no_trace(cut: int) -> None:
    texts = [f"key-{n}" for n in range(20_000)]
    one = pa.chunked_array([pa.array(texts)])
    two = pa.chunked_array([pa.array(texts[:cut]), pa.array(texts[cut:])])

    assert hash_keys([one]).tolist() == hash_keys([two]).tolist()
    assert len(set(hash_keys([one]).tolist())) == len(texts)


def test_keys_of_one_length_and_of_several_hash_alike() -> None:
    same, mixed = hashes(["abc", "abd"]), hashes(["abc", "abd", "abcd"])

    assert same == mixed[:2]


def test_hashes_are_spread_evenly() -> None:
    found = hash_keys([pa.chunked_array([pa.array([f"{n}" for n in range(50_000)])])])
    counts = np.bincount((found >> np.uint64(60)).astype(np.int64), minlength=16)

    assert counts.min() > 0.9 * 50_000 / 16
    assert counts.max() < 1.1 * 50_000 / 16


def test_a_key_with_a_missing_part_is_not_whole() -> None:
    columns = [pa.chunked_array([pa.array(["a", None])]), pa.chunked_array([pa.array(["b", "c"])])]

    assert is_whole(columns).tolist() == [True, False]
    assert hash_keys([]).tolist() == is_whole([]).tolist() == []
