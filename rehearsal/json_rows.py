"""Rows of a table as the JSON values that a caller sends."""

from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc


def json_rows(table: pa.Table) -> list[dict[str, object]]:
    """Return one object for each row; moments in ISO 8601, a missing value or NaN as null."""
    columns = {name: _values(table.column(name)) for name in table.column_names}
    names = list(columns)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _values(column: pa.ChunkedArray) -> list[object]:
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_finite(column), column, pa.scalar(None, column.type))
    values: list[object] = column.to_pylist()
    if pa.types.is_temporal(column.type):
        return [v.isoformat() if isinstance(v, date | datetime) else v for v in values]
    if pa.types.is_decimal(column.type):
        return [None if v is None else float(str(v)) for v in values]
    return values
