"""PostgreSQL through ADBC: Arrow batches from a binary COPY, five times cheaper than rows.

One REPEATABLE READ, READ ONLY transaction is the load. It reads from the greatest cursor that was
seen, less the lag: a row that a long transaction committed late has an older cursor. What is read
twice so is a newer version of the same key, and validation keeps one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import adbc_driver_manager
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt
from adbc_driver_postgresql import dbapi

from contract.errors import InvalidRequest, PerennialError, TryAgain
from contract.problem.sources.postgres import PostgresSource
from contract.store.source_head import SourceHead
from methods.tables import sql
from tasks.collection.readers.base import (
    Load,
    Reading,
    ReadOptions,
    check_columns,
    check_declared,
    greatest,
    with_load,
)

# Of PostgreSQL's errors at connecting, the ones that trying again does not solve.
_PERMANENT = ("authentication failed", "does not exist", "no pg_hba.conf entry", "invalid")
# And of its errors later, the ones that are not the query's fault.
_BROKEN = ("terminating connection", "server closed", "recovery", "out of memory", "serialize")
_DECIMAL_DIGITS = 38  # Arrow's decimal128 holds so many
_DECIMAL_SCALE = 10  # of a NUMERIC without a declared one


class PostgresReader:
    """Reads the result of a query."""

    def __init__(self, name: str, source: PostgresSource, options: ReadOptions) -> None:
        self.name = name
        self.source = source
        self.timezone = options.timezone
        dsn = options.environment.get(source.connection)
        if not dsn:
            sentence = (
                f"{source.connection} is not set in the environment; the source {name!r} expects "
                "the connection string of its database there."
            )
            raise InvalidRequest(sentence)
        self._dsn = dsn

    @contextmanager
    def open(self, head: SourceHead, window_end: datetime) -> Iterator[Reading | None]:
        """Begin to read the rows behind the watermark."""
        connection = self._connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                cursor.execute("SET LOCAL TIME ZONE 'UTC'")
                yield _PostgresReading(self, cursor, head, window_end)
        except (adbc_driver_manager.Error, pa.ArrowException, OSError) as error:
            # A query that fails while its rows stream arrives as an error of Arrow's own.
            if not isinstance(error, adbc_driver_manager.Error) and "libpq" not in str(error):
                raise
            raise self._failure(error) from error
        finally:
            connection.close()

    def _connect(self) -> Any:  # noqa: ANN401 - ADBC ships no types
        try:
            return dbapi.connect(self._dsn)
        except adbc_driver_manager.Error as error:
            message = self._message(error)
            if any(word in message for word in _PERMANENT):
                sentence = f"The database of {self.source.connection} refuses the connection: {message}; correct the connection string."
                raise InvalidRequest(sentence) from error
            sentence = f"The database of {self.source.connection} does not answer: {message}; it is tried again."
            raise TryAgain(sentence) from error

    def _failure(self, error: Exception) -> PerennialError:
        message = self._message(error)
        if any(word in message for word in _BROKEN) or "ERROR" not in message:
            return TryAgain(f"The database of {self.source.connection} broke off: {message}.")
        return InvalidRequest(
            f"The query of the source {self.name!r} was not accepted: {message}; correct it."
        )

    def _message(self, error: Exception) -> str:
        """Return the database's first line, without the connection string."""
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        errors = [line for line in lines if "ERROR" in line or "FATAL" in line] or lines[:1]
        return errors[0].replace(self._dsn, self.source.connection).rstrip(".")[:300]


class _PostgresReading:
    """One transaction's rows."""

    def __init__(
        self,
        reader: PostgresReader,
        cursor: Any,  # noqa: ANN401 - ADBC ships no types
        head: SourceHead,
        window_end: datetime,
    ) -> None:
        self._cursor = cursor
        self._head = head
        self._source = reader.source
        cursor.execute(f"SELECT * FROM ({reader.source.query.rstrip('; ')}) AS source LIMIT 0")  # noqa: S608 - the owner's own query, read only
        plain = cursor.fetch_arrow_table().schema
        self._own = pa.schema([pa.field(f.name, plain_type(f)) for f in plain])
        self._columns = {field.name: str(field.type) for field in self._own}
        check_columns(reader.name, head.columns, self._columns)
        check_declared(reader.name, reader.source, self._columns)
        self._query = self._select(window_end, reader.timezone)
        self._watermark = head.watermark
        self.schema = with_load(self._own)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows, each with the load that it came with."""
        self._cursor.execute(self._query)
        load = f"{self._head.generation + 1:08d}/query"
        for batch in self._cursor.fetch_record_batch():
            columns = [
                plain_column(column, field)
                for column, field in zip(batch.columns, self._own, strict=True)
            ]
            if self._source.cursor and batch.num_rows:
                seen = columns[self._own.get_field_index(self._source.cursor)]
                self._watermark = greatest(self._watermark, seen)
            loads = pa.repeat(pa.scalar(load), batch.num_rows)
            yield pa.record_batch([*columns, loads], schema=self.schema)

    def load(self) -> Load:
        """Return what was read; without a cursor it is the whole source."""
        return Load(
            columns=self._columns,
            watermark=self._watermark,
            replaces=self._source.cursor is None,
        )

    def _select(self, window_end: datetime, timezone: str) -> str:
        source, conditions = self._source, []
        if source.cursor and self._head.watermark:
            start = self._start(source.cursor, self._head.watermark)
            conditions.append(f"{sql.name(source.cursor)} > {sql.text(start)}")
        # Where rows become known in another order than the cursor's, one that is left out today
        # may lie behind tomorrow's watermark; validation leaves it out instead.
        known_by = source.cursor if source.known_at in {None, source.cursor} else None
        if known_by and pt.is_temporal(self._own.field(known_by).type):
            # A time without an offset ignores the offset of what it is compared with.
            zone = UTC if self._own.field(known_by).type.tz else ZoneInfo(timezone)  # type: ignore[union-attr,unused-ignore] # of a timestamp
            moment = window_end.astimezone(zone).replace(tzinfo=None)
            offset = "+00" if zone is UTC else ""
            conditions.append(
                f"({sql.name(known_by)} <= {sql.text(f'{moment.isoformat()}{offset}')} "
                f"OR {sql.name(known_by)} IS NULL)"
            )
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return f"SELECT * FROM ({source.query.rstrip('; ')}) AS source{where}"  # noqa: S608 - as above

    def _start(self, cursor: str, watermark: str) -> str:
        if not pt.is_temporal(self._own.field(cursor).type):
            return watermark
        return (datetime.fromisoformat(watermark) - self._source.lag).isoformat()


def plain_type(field: pa.Field) -> pa.DataType:
    """Return the type that a column is kept in: NUMERIC arrives as text and is a decimal.

    Its digits stand in the type modifier, ((t - 4) >> 16) & 0xffff before and (t - 4) & 0xffff
    behind the point (PostgreSQL's `numeric.c`); without one, 38 digits with 10 behind the point.
    """
    if isinstance(field.type, pa.BaseExtensionType) and field.type.extension_name == "arrow.opaque":
        if getattr(field.type, "type_name", "") != "numeric":
            return pa.string()
        modifier = int((field.metadata or {}).get(b"POSTGRESQL:typmod", b"-1")) - 4
        if modifier < 0:
            return pa.decimal128(_DECIMAL_DIGITS, _DECIMAL_SCALE)
        return pa.decimal128((modifier >> 16) & 0xFFFF, modifier & 0xFFFF)
    return field.type


def plain_column(column: pa.Array, field: pa.Field) -> pa.Array:
    """Return a column in its plain type; NaN and infinity of a NUMERIC become null."""
    if isinstance(column, pa.ExtensionArray):
        texts = pc.cast(column.storage, pa.string())
        if not pt.is_decimal(field.type):
            return texts
        plain = pc.match_substring_regex(texts, r"^[-+]?[0-9.]+([eE][-+]?[0-9]+)?$")
        numbers = pc.if_else(plain, texts, pa.scalar(None, pa.string()))
        return pc.cast(numbers, field.type, safe=False)
    return column


reader = PostgresReader
