"""Tables: equal rows are equal bytes, whatever batches they came in."""

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract.artifacts import Table
from contract.errors import InvalidRequest
from contract.store.client import Store
from contract.store.writer import Out
from methods.tables.parquet import read_table, write_file, write_table

TABLE = pa.table({"a": list(range(100)), "b": ["x", None] * 50})


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=15,
)
@given(st.integers(1, 120))
def test_batches_leave_no_trace(tmp_path: Path, size: int) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"

    write_file(whole, TABLE.to_batches(), TABLE.schema)
    rows = write_file(cut, TABLE.to_batches(max_chunksize=size), TABLE.schema)

    assert rows == 100
    assert whole.read_bytes() == cut.read_bytes()


def test_a_table_without_rows_keeps_its_columns(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    assert 0 == write_file(tmp_path / "none", [], TABLE.schema)
    assert TABLE.schema == pq.read_schema(tmp_path / "none")


def test_what_is_written_is_read(store: Store, problem_name: str, tmp_path: Path) -> None:
    out = Out(store, f"{problem_name}/runs/r/stage", tmp_path)

    table = write_table(out, "rows", TABLE)

    assert table.rows == 100
    assert TABLE.equals(read_table(store, table))
    assert ["b"] == read_table(store, table, ["b"]).column_names


def test_other_bytes_than_named_are_refused(
    store: Store, problem_name: str, tmp_path: Path
) -> None:
    out = Out(store, f"{problem_name}/runs/r/stage", tmp_path)
    table = write_table(out, "rows", TABLE)
    other = Table.model_validate(table.model_dump() | {"sha256": "0" * 64})

    with pytest.raises(InvalidRequest, match="the object was changed"):
        read_table(store, other)
