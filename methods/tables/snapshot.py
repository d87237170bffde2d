"""The snapshot: the collected parts of each source, and the current rows that follow from them.

Raw parts are never changed, so a row that was updated, came late or was read again is in them
more than once. The current rows are each key's newest version among those known by a moment.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from contract.artifacts import Table
from contract.errors import InvalidRequest
from contract.messages import no_such_column
from contract.store.client import Store
from contract.strict import Strict
from methods.columns.schema import ROW_KEY
from methods.tables import sql

# Columns that collection and this module add; a source may not have them.
LOAD = "perennial_load"
"""In raw parts: which load a row came with, generation first, so that texts sort as loads came."""
ROW = "perennial_row"
"""In current rows: a number from 0 in the order of event time and key."""
REASON = "perennial_reason"
"""In current rows: why a row is set aside; null for a good one."""
ADDED = (LOAD, ROW, REASON, "perennial_file", "perennial_known", "file_row_number")

_TIMES = ("TIMESTAMP", "DATE")


class SourceSnapshot(Strict):
    """The collected parts of one source, and the meaning of its columns."""

    generation: int
    """Of the source's HEAD.json: how many loads were committed."""
    key: tuple[str, ...]
    """Empty: the source declares none, and the rows get `row_key`."""
    cursor: str | None
    event_time: str | None
    known_at: str | None
    parts: tuple[Table, ...]
    """Oldest first."""


class Snapshot(Strict):
    """The collected parts of every source at the run's commit."""

    sources: dict[str, SourceSnapshot]


class View(Strict):
    """Which rows of a snapshot count."""

    known_by: datetime
    """The run's `window_end`."""
    since: datetime | None = None
    """Rows with an earlier event time are left out; None: all."""
    timezone: str = "UTC"
    """Of times without an offset."""


def current_table(
    store: Store, source: SourceSnapshot, view: View, scratch: Path, columns: Sequence[str] = ()
) -> pa.Table:
    """Return the current good rows of a source, sorted by event time and key.

    Args:
        store: where the parts lie.
        source: of the snapshot.
        view: which rows count.
        scratch: an empty folder for the parts and DuckDB's own files.
        columns: the ones to return; none: all of the source's own.
    """
    connection = sql.connect(scratch)
    try:
        materialise(connection, [store.fetch(part, scratch) for part in source.parts], source, view)
        wanted = sql.names(columns) if columns else f"* EXCLUDE ({ROW}, {REASON})"
        query = f"SELECT {wanted} FROM current WHERE {REASON} IS NULL ORDER BY {ROW}"  # noqa: S608 - names are quoted
        return stream_table(connection, query)
    finally:
        connection.close()


def stream_table(connection: duckdb.DuckDBPyConnection, query: str) -> pa.Table:
    """Return a query's whole result."""
    return sql.stream(connection, query).read_all()


def materialise(
    connection: duckdb.DuckDBPyConnection,
    paths: Sequence[Path],
    source: SourceSnapshot,
    view: View,
) -> None:
    """Make the table `current`: the newest version of each key that was known in time.

    Rows that are set aside have their reason beside them: no key, no time, or a key that occurs
    twice in the load that its newest version came with (a load is one file, or one query).

    Raises:
        InvalidRequest: a declared column is not in the data, or a time column holds no time.
    """
    columns = sql.columns(connection, f"SELECT * FROM {sql.parquet(paths)}")  # noqa: S608 - paths are quoted
    kinds = {name: kind for name, kind in columns.items() if name not in ADDED}
    instants = _instants(kinds, source, view.timezone)
    key = [sql.name(part) for part in source.key] or [ROW_KEY]
    cursor = sql.name(source.cursor) if source.cursor else "NULL"
    replaced = ", ".join(f"{term} AS {sql.name(name)}" for name, term in instants.items())
    own = (
        sql.names(list(kinds))
        if source.key
        else f"{_row_key(list(kinds))}, {sql.names(list(kinds))}"
    )
    condition = " AND ".join(_conditions(source, view)) or "true"
    order = [sql.name(source.event_time)] if source.event_time else []
    statement = f"""
        CREATE OR REPLACE TABLE current AS
        WITH raw AS (
            SELECT * {f"REPLACE ({replaced})" if replaced else ""} FROM {sql.parquet(paths)}
        ), known AS (
            SELECT {own}, {LOAD}, file_row_number, {cursor} AS perennial_cursor
            FROM raw WHERE {condition}
        ), numbered AS (
            SELECT *, row_number() OVER (
                PARTITION BY {", ".join(key)}, {LOAD}
                ORDER BY perennial_cursor DESC NULLS LAST, file_row_number
            ) AS perennial_repeat FROM known
        ), aged AS (
            SELECT *, first_value({LOAD}) OVER (
                PARTITION BY {", ".join(key)}
                ORDER BY perennial_cursor DESC NULLS LAST, {LOAD} DESC, perennial_repeat
            ) AS perennial_winner FROM numbered
        ), checked AS (
            SELECT *, {_reason(source)} AS {REASON} FROM aged
            WHERE perennial_winner = {LOAD} OR {" OR ".join(f"{part} IS NULL" for part in key)}
        )
        SELECT * EXCLUDE ({LOAD}, file_row_number, perennial_cursor, perennial_repeat,
                          perennial_winner),
            row_number() OVER (ORDER BY {", ".join([*order, *key])}, {LOAD}, file_row_number) - 1
            AS {ROW}
        FROM checked ORDER BY {ROW}
    """  # noqa: S608 - every name and value is quoted
    sql.run(connection, statement)


def _instants(kinds: dict[str, str], source: SourceSnapshot, timezone: str) -> dict[str, str]:
    """Return for each declared time column the term that makes it an instant."""
    terms = {}
    for role in ("event_time", "known_at", "cursor"):
        column = getattr(source, role)
        if column is None:
            continue
        kind = kinds.get(column)
        if kind is None:
            raise InvalidRequest(
                no_such_column("The collected table", column, kinds, named_by=role)
            )
        if kind == "TIMESTAMP WITH TIME ZONE" or (role == "cursor" and not kind.startswith(_TIMES)):
            continue
        if not kind.startswith(_TIMES):
            sentence = (
                f"The {role} {column!r} holds {kind}, a time is expected; write it as "
                "2013-01-31T06:00:00Z, or cast it in the query."
            )
            raise InvalidRequest(sentence)
        terms[column] = f"CAST({sql.name(column)} AS TIMESTAMP) AT TIME ZONE {sql.text(timezone)}"
    for column in source.key:
        if column not in kinds:
            raise InvalidRequest(
                no_such_column("The collected table", column, kinds, named_by="key")
            )
    return terms


def _conditions(source: SourceSnapshot, view: View) -> list[str]:
    conditions = []
    if source.known_at:
        column = sql.name(source.known_at)
        moment = sql.text(view.known_by.isoformat())
        conditions.append(f"({column} <= CAST({moment} AS TIMESTAMPTZ) OR {column} IS NULL)")
    if source.event_time and view.since:
        column = sql.name(source.event_time)
        moment = sql.text(view.since.isoformat())
        conditions.append(f"({column} >= CAST({moment} AS TIMESTAMPTZ) OR {column} IS NULL)")
    return conditions


def _reason(source: SourceSnapshot) -> str:
    """Return the CASE that says why a row is set aside."""
    cases = [
        f"WHEN {sql.name(column)} IS NULL THEN {sql.text(f'{role} {column} is missing')}"
        for role, column in [
            *(("key", part) for part in source.key),
            ("event_time", source.event_time),
            ("known_at", source.known_at),
        ]
        if column
    ]
    cases.append("WHEN perennial_repeat > 1 THEN 'the key stands twice in one load'")
    return f"CASE {' '.join(cases)} END"


def _row_key(columns: Sequence[str]) -> str:
    """Return the term for a key from content: equal rows of one load are numbered."""
    fields = ", ".join(f"{sql.name(column)} := {sql.name(column)}" for column in columns)
    content = f"md5(CAST(struct_pack({fields}) AS VARCHAR))"
    ordinal = f"row_number() OVER (PARTITION BY {content}, {LOAD} ORDER BY file_row_number)"
    return f"{content} || '-' || {ordinal} AS {ROW_KEY}"
