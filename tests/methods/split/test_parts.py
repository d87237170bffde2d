"""No training row ever becomes a hold-out row; a row's part follows from its key and time."""

import hashlib

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import Refused
from methods.split.buckets import buckets, key_texts
from methods.split.cuts import cuts
from methods.split.event_times import MICROSECONDS
from methods.split.parts import parts, parts_by_bucket, parts_by_time
from methods.split.rule import SplitRule

DAY = 86_400 * MICROSECONDS
HASH = SplitRule(by="hash", columns=("id",), event_time=None, vault=0.15, validation=0.15, salt="7")
TIME = SplitRule(
    by="time",
    columns=("id",),
    event_time="at",
    vault=0.15,
    validation=0.15,
    window_seconds=28 * 86_400,
    salt="7",
)
TIMES = st.lists(st.integers(0, 400 * DAY), min_size=20, max_size=300, unique=True)


def test_duckdb_gives_the_same_bucket() -> None:
    import duckdb

    words = ["1", "a key", "ü", ""]
    with duckdb.connect() as connection:
        rows = [
            connection.execute(
                "select md5_number_lower(? || ':' || ?) % 10000", ["7", word]
            ).fetchall()[0][0]
            for word in words
        ]

    assert rows == buckets(words, "7").tolist()


def test_a_bucket_is_the_low_half_of_the_digest() -> None:
    digest = hashlib.md5(b"7:word", usedforsecurity=False).digest()

    assert [int.from_bytes(digest[8:], "little") % 10_000] == buckets(["word"], "7").tolist()


@given(st.lists(st.integers(), min_size=1, max_size=60, unique=True), st.data())
def test_by_hash_a_row_keeps_its_part_whatever_comes_or_goes(
    keys: list[int], data: st.DataObject
) -> None:
    others = data.draw(st.lists(st.integers(), max_size=60))
    grown = list(dict.fromkeys([*others, *keys]))

    before = dict(zip(keys, part_of(keys), strict=True))
    after = dict(zip(grown, part_of(grown), strict=True))

    assert before == {key: after[key] for key in keys}


def test_by_hash_parts_have_their_shares() -> None:
    found = parts_by_bucket(np.arange(10_000, dtype=np.int32), HASH)

    assert (1_500, 1_500) == (int((found == "vault").sum()), int((found == "validation").sum()))


def test_a_group_stands_in_one_part() -> None:
    table = pa.table({"id": list(range(1_000)), "storm": [f"s{i % 40}" for i in range(1_000)]})
    rule = HASH.model_copy(update={"by": "group", "columns": ("storm",)})

    found = parts(table, rule)

    assert all(len(set(found[i::40])) == 1 for i in range(40))


def test_columns_of_a_key_do_not_run_together() -> None:
    table = pa.table({"a": ["1", "11"], "b": [11, 1]})

    assert 2 == len(set(key_texts(table, ["a", "b"])))


@given(TIMES)
def test_by_time_parts_follow_one_another(times: list[int]) -> None:
    rows = np.array(times)
    found = parts_by_time(rows, cuts(rows, TIME))

    assert {"train", "validation", "vault"} == set(found)
    assert rows[found == "train"].max() < rows[found == "validation"].min()
    assert rows[found == "validation"].max() < rows[found == "vault"].min()


@given(TIMES, st.lists(st.integers(0, 500 * DAY), max_size=100, unique=True))
def test_no_row_goes_from_training_into_the_vault(times: list[int], more: list[int]) -> None:
    """Whatever comes later, also late rows of the past: the serving model's cut holds."""
    rows = np.array(times)
    first = cuts(rows, TIME)
    held = TIME.model_copy(update={"not_before": first.vault_from})
    grown = np.array(list(dict.fromkeys([*times, *more])))

    before = parts_by_time(rows, first)
    after = dict(zip(grown.tolist(), parts_by_time(grown, cuts(grown, held)), strict=True))

    training = rows[np.isin(before, ("train", "validation"))]
    assert not [row for row in training.tolist() if after[row] == "vault"]


@given(TIMES, st.lists(st.integers(1, 100 * DAY), min_size=1, max_size=100, unique=True))
def test_newer_rows_alone_never_move_the_cut_back(times: list[int], later: list[int]) -> None:
    rows = np.array(times)
    grown = np.concatenate([rows, rows.max() + np.array(later)])

    assert cuts(grown, TIME).vault_from >= cuts(rows, TIME).vault_from


def test_the_vault_is_at_most_its_share() -> None:
    """28 days are 672 rows; 2,000 are wanted, and 15 % are 1,440."""
    times = np.arange(0, 400 * DAY, DAY // 24)

    assert 1_440 == int((times >= cuts(times, TIME).vault_from).sum())


def test_many_rows_make_the_window_the_limit() -> None:
    times = np.arange(0, 400 * DAY, DAY // 240)

    found = cuts(times, TIME)

    assert 28 * 240 == int((times >= found.vault_from).sum())


def test_rows_in_a_gap_take_no_part() -> None:
    times = np.arange(0, 100 * DAY, DAY)
    rule = TIME.model_copy(update={"gap_seconds": 2 * 86_400})

    found = parts_by_time(times, cuts(times, rule))

    assert 4 == int((found == "gap").sum())


def test_rows_of_one_time_stand_together() -> None:
    times = np.repeat(np.arange(0, 40 * DAY, DAY), 7)

    found = parts_by_time(times, cuts(times, TIME))

    assert all(len(set(found[times == time])) == 1 for time in np.unique(times))


def test_one_time_alone_is_refused() -> None:
    with pytest.raises(Refused, match="share one event time in 'at'"):
        cuts(np.zeros(50, dtype=np.int64), TIME)


def test_a_window_that_ends_before_the_champions_vault_is_refused() -> None:
    rule = TIME.model_copy(update={"not_before": 900 * DAY})

    with pytest.raises(Refused, match="choose a later `window_end`"):
        cuts(np.arange(0, 100 * DAY, DAY), rule)


def part_of(keys: list[int]) -> list[str]:
    return list(parts(pa.table({"id": pa.array(map(str, keys))}), HASH))
