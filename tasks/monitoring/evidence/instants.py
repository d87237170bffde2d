"""Columns of times as microseconds, where a time may be missing."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from methods.controller.days import Micros
from methods.split.event_times import microseconds

INSTANT = pa.timestamp("us", tz="UTC")
NEVER = int(np.iinfo(np.int64).max)


def instants(column: pa.ChunkedArray) -> Micros:
    """Return instants as microseconds since 1970 UTC, shape (n,); `NEVER` for a missing one."""
    present = pc.fill_null(column.cast(INSTANT), pa.scalar(NEVER, pa.int64()).cast(INSTANT))
    found: Micros = microseconds(present)
    return found


def times_of(table: pa.Table, name: str) -> pa.ChunkedArray:
    """Return a column of instants, null where it is missing; a time without an offset is UTC."""
    if name not in table.column_names:
        return pa.chunked_array([pa.nulls(table.num_rows, INSTANT)])
    column = table.column(name)
    if pa.types.is_null(column.type):
        return column.cast(INSTANT)
    if getattr(column.type, "tz", None) is None:
        column = pc.assume_timezone(column.cast(pa.timestamp("us")), "UTC")
    return column.cast(INSTANT)
