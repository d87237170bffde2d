"""Exploration says first what is odd, and never looks at the vault."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from fixtures_stages import Before

from contract.store.documents import read_json_artifact
from tasks.exploration.oddities import duplicates, oddities
from tasks.exploration.page import column_report
from tasks.exploration.task import Inputs, Params, run

N = 300
Y = np.arange(N) % 2.0


def kinds(table: pa.Table) -> dict[str, str]:
    return {finding.column: finding.kind for finding in oddities(table, Y, "binary")}


def test_odd_columns_are_named() -> None:
    table = pa.table(
        {
            "same": ["x"] * N,
            "name": [f"n{i}" for i in range(N)],
            "empty": [None] * 200 + [i % 7 for i in range(100)],
            "number": [i * 37 % 101 for i in range(N)],
            "again": [i * 37 % 101 for i in range(N)],
            "after": ["late" if y else "on time" for y in Y],
        }
    )

    assert {
        "same": "constant",
        "name": "id",
        "empty": "missing",
        "again": "duplicate",
        "after": "leak",
    } == kinds(table)


def test_columns_that_differ_in_one_value_are_no_duplicates() -> None:
    one = list(range(N))

    assert [] == duplicates(pa.table({"one": one, "two": [*one[:-1], -1]}))


@pytest.mark.slow
def test_the_report_is_the_same_text_each_time() -> None:
    table = pa.table({"a": [1.0, 2.0, None] * 20, "b": ["x", "y", "z"] * 20})

    assert column_report(table, "t") == column_report(table, "t")


@pytest.mark.slow
def test_rows_of_the_vault_are_not_looked_at(before: Callable[..., Before]) -> None:
    source = {"rows": {"kind": "files", "path": "r.csv", "key": ["id"], "event_time": "at"}}
    start = datetime(2026, 1, 1, tzinfo=UTC)
    table = pa.table(
        {
            "id": [f"r{i}" for i in range(N)],
            "at": pa.array(
                [start + timedelta(days=i) for i in range(N)], pa.timestamp("us", "UTC")
            ),
            "word": ["early"] * 255 + ["secret-of-the-vault"] * 45,
            "y": ["no", "yes"] * (N // 2),
        }
    )
    stage = before(source=source)
    inputs = Inputs(**stage.documents(), tables={"rows": stage.table("rows", table)})

    made = run(inputs, Params(), stage.out("exploration"))

    page = stage.store.read(made.page).decode()
    assert "secret-of-the-vault" not in page
    assert "255 development rows" in page
    found = read_json_artifact(stage.store, made.findings)["findings"]
    assert ["word"] == [finding["column"] for finding in found if finding["kind"] == "constant"]
