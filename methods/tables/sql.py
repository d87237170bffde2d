"""DuckDB as the stages use it: bounded memory, UTC, spilling into the task's scratch folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

MEMORY = "1GB"  # 10 million rows x 12 were profiled, sorted and split within it
THREADS = 2
BATCH_ROWS = 100_000


def connect(scratch: Path) -> duckdb.DuckDBPyConnection:
    """Open a database file in `scratch`, so that what does not fit into memory goes there."""
    connection = duckdb.connect(
        scratch / "work.duckdb",
        config={
            "memory_limit": MEMORY,
            "threads": THREADS,
            "temp_directory": str(scratch / "spill"),
            # Nothing is downloaded: what is not built into the wheel does not exist for us.
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    )
    run(connection, "SET TimeZone = 'UTC'")
    return connection


def run(connection: duckdb.DuckDBPyConnection, statement: str) -> None:
    """Carry out a statement whose result nobody reads."""
    connection.execute(statement).fetchall()


def rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    """Return a small result."""
    return list(connection.execute(query).fetchall())


def stream(connection: duckdb.DuckDBPyConnection, query: str) -> pa.RecordBatchReader:
    """Return a result of any size batch by batch; read it to its end before the next statement."""
    return connection.sql(query).to_arrow_reader(BATCH_ROWS)


def columns(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, str]:
    """Return the names and DuckDB types of a query's columns without running it."""
    return {row[0]: row[1] for row in rows(connection, f"DESCRIBE {query}")}


def name(identifier: str) -> str:
    """Quote a column's or table's name.

    >>> name("late")
    '"late"'
    """
    return '"' + identifier.replace('"', '""') + '"'


def names(identifiers: Sequence[str]) -> str:
    """Quote names and put commas between them."""
    return ", ".join(map(name, identifiers))


def text(value: str | Path) -> str:
    """Quote a text value.

    >>> text("it's")
    "'it''s'"
    """
    return "'" + str(value).replace("'", "''") + "'"


def parquet(paths: Sequence[Path]) -> str:
    """Return the table function that reads Parquet files as one table, columns by name."""
    files = ", ".join(map(text, paths))
    return f"read_parquet([{files}], union_by_name = true, file_row_number = true)"
