"""Parts of the prediction log that are counted together, in flat memory.

Many small files become one table, since each count has a cost of its own. The service's files and
compacted ones have row groups of at most 65,536 rows; a larger one, which something else wrote, is
read in batches, though the reader then keeps what it decoded of the row group.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.monitoring.evidence.segments import SegmentLog, moments_of

BATCH_ROWS = 65_536  # 20 MB of 40 columns
MOMENT = "moment"


@dataclass(frozen=True)
class LogPart:
    """Rows of one or several files, of one schema."""

    table: pa.Table
    moments: pa.Table
    """`moment`, `served_at`, `digest`: as in `moments_of`."""


def read_parts(log: SegmentLog, keys: Sequence[str]) -> Iterator[LogPart]:
    """Yield the rows of files, by part."""
    waiting: list[pa.Table] = []
    for key in keys:
        for table in _tables(log.open(key)):
            rows = sum(each.num_rows for each in waiting) + table.num_rows
            if waiting and (rows > BATCH_ROWS or waiting[0].schema != table.schema):
                yield _part(waiting)
                waiting = []
            waiting.append(table)
    if waiting:
        yield _part(waiting)


def _tables(file: pq.ParquetFile) -> Iterator[pa.Table]:
    for group in range(file.num_row_groups):
        if file.metadata.row_group(group).num_rows <= BATCH_ROWS:
            table = file.read_row_group(group, use_threads=False)
            yield table.replace_schema_metadata(None)
            continue
        for batch in file.iter_batches(BATCH_ROWS, row_groups=[group], use_threads=False):
            yield pa.Table.from_batches([batch]).replace_schema_metadata(None)


def _part(waiting: Sequence[pa.Table]) -> LogPart:
    table = waiting[0] if len(waiting) == 1 else pa.concat_tables(waiting).combine_chunks()
    return LogPart(table, moments_of(table))


def concat(tables: Sequence[pa.Table]) -> pa.Table:
    """Join tables; a column that has another type in one of them is spelt as text in all."""
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        types: dict[str, set[str]] = {}
        for table in tables:
            for name in table.column_names:
                types.setdefault(name, set()).add(str(table.schema.field(name).type))
        mixed = {name for name, found in types.items() if len(found) > 1}
        spelt = [
            pa.table(
                {
                    name: table.column(name).cast(pa.string()) if name in mixed else table[name]
                    for name in table.column_names
                }
            )
            for table in tables
        ]
        return pa.concat_tables(spelt, promote_options="permissive")
