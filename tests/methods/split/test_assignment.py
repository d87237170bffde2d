"""The assignment: folds and blocks, and what is too little to be split."""

from typing import Literal

import numpy as np
import pyarrow as pa
import pytest

from contract.errors import Refused
from methods.split.assignment import assign
from methods.split.event_times import MICROSECONDS
from methods.split.rule import SplitRule

DAY = 86_400 * MICROSECONDS


def rule(by: Literal["time", "hash", "group"], **more: object) -> SplitRule:
    given = {
        "by": by,
        "columns": ("group",) if by == "group" else ("id",),
        "event_time": "at",
        "vault": 0.15,
        "validation": 0.15,
        "salt": "s",
        **more,
    }
    return SplitRule.model_validate(given)


def table(rows: int) -> pa.Table:
    times = pa.array(np.arange(rows) * (DAY // 8), pa.timestamp("us", "UTC"))
    groups = pa.array([f"g{i % 50}" for i in range(rows)])
    return pa.table({"id": pa.array(range(rows)), "at": times, "group": groups})


def test_150_rows_of_three_classes_work() -> None:
    target = np.arange(150) % 3.0

    made = assign(table(150), rule("hash"), target, ("a", "b", "c"))

    assert 150 == sum(made.rows().values())
    assert {0, 1, 2, 3, 4} == set(made.fold[made.part == "train"].tolist())


def test_folds_by_hash_hold_the_classes_in_equal_shares() -> None:
    target = (np.arange(1_000) % 10 == 0).astype(float)

    made = assign(table(1_000), rule("hash"), target, ("no", "yes"))

    positives = [int(target[made.fold == fold].sum()) for fold in range(5)]
    assert max(positives) - min(positives) <= 1


def test_folds_by_time_follow_one_another() -> None:
    rows = table(1_000)
    times = rows["at"].cast(pa.int64()).to_numpy()

    made = assign(rows, rule("time"), np.arange(1_000.0), ())

    ends = [(times[made.fold == f].min(), times[made.fold == f].max()) for f in range(5)]
    assert all(ends[f][1] < ends[f + 1][0] for f in range(4))


def test_no_group_stands_in_two_folds() -> None:
    rows = table(1_000)

    made = assign(rows, rule("group"), np.arange(1_000.0), ())

    assert all(len({*made.fold[i::50].tolist()}) == 1 for i in range(50))
    assert all(len({*made.block[i::50].tolist()}) == 1 for i in range(50))


def test_only_train_has_folds() -> None:
    made = assign(table(1_000), rule("time", gap_seconds=86_400), np.arange(1_000.0), ())

    assert set(made.fold[made.part != "train"].tolist()) == {-1}
    assert -1 not in made.fold[made.part == "train"]


def test_every_row_is_assigned_once() -> None:
    made = assign(table(500), rule("time"), np.arange(500.0), ()).table()

    assert list(range(500)) == made["row"].to_pylist()
    assert ["int64", "string", "int32", "int8"] == [str(field.type) for field in made.schema]


def test_blocks_are_days_where_the_vault_has_twenty_of_them() -> None:
    made = assign(table(2_000), rule("time"), np.arange(2_000.0), ())

    assert 250 == len(np.unique(made.block))


def test_blocks_are_shorter_where_the_vault_is_short() -> None:
    made = assign(table(200), rule("time"), np.arange(200.0), ())

    assert len(np.unique(made.block[made.part == "vault"])) >= 20


@pytest.mark.parametrize(
    ("rows", "target", "classes", "said"),
    [
        (5, np.arange(5.0), (), "Before the vault .* stand 4 labelled rows"),
        (200, (np.arange(200) < 2).astype(float), ("no", "yes"), "'yes' has 2 rows.* needs 3"),
        (
            200,
            (np.arange(200) < 9).astype(float),
            ("no", "yes"),
            "'yes' has 9 rows, none of them in validation",
        ),
    ],
)
def test_too_little_is_refused(
    rows: int, target: np.ndarray, classes: tuple[str, ...], said: str
) -> None:
    with pytest.raises(Refused, match=said):
        assign(table(rows), rule("time"), target, classes)
