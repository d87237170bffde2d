"""Read and write the tables that stages pass on.

A table is one Parquet file (zstd). The same rows give the same bytes, so that a stage that is run
again finds its outputs already there under the same digest.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from contract.artifacts import Table
from contract.store.client import Store
from contract.store.writer import Out

# 64-128 MB of raw values for usual widths: large enough to compress, small enough to skip by time.
ROW_GROUP = 262_144


def read_table(store: Store, table: Table, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a table into memory; its sha256 is checked on the way.

    Args:
        store: where the table lies.
        table: the artifact.
        columns: the ones to read, in this order; None reads all.
    """
    with tempfile.TemporaryDirectory(prefix="perennial-") as folder:
        path = store.fetch(table, Path(folder))
        names = None if columns is None else list(columns)
        # No memory map: the file is gone when the folder is.
        return pq.read_table(path, columns=names, memory_map=False)


def write_table(out: Out, name: str, table: pa.Table) -> Table:
    """Write a table as the output `name`; equal tables give equal bytes."""
    plain = table.replace_schema_metadata(None)
    return write_batches(out, name, plain.to_batches(), plain.schema)


def write_batches(
    out: Out, name: str, batches: Iterable[pa.RecordBatch], schema: pa.Schema
) -> Table:
    """Write batches as the output `name` in flat memory; how rows were batched leaves no trace.

    Args:
        out: where the task writes.
        name: of the output; it names the file in scratch as well.
        batches: in the order of the rows.
        schema: of every batch; its metadata are not written.
    """
    path = out.scratch / f"{name.replace('/', '-')}.parquet"
    rows = write_file(path, batches, schema)
    return out.table(name, path, rows)


def write_file(path: Path, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> int:
    """Write batches to a Parquet file and return how many rows they had."""
    plain = schema.remove_metadata()
    rows = 0
    with pq.ParquetWriter(path, plain, compression="zstd") as writer:
        for group in _groups(batches, plain):
            writer.write_table(group, row_group_size=ROW_GROUP)
            rows += group.num_rows
    return rows


def _groups(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    """Gather batches into tables of ROW_GROUP rows; the last one may be shorter."""
    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        waiting.append(batch.replace_schema_metadata(None))
        count += batch.num_rows
        while count >= ROW_GROUP:
            whole = pa.Table.from_batches(waiting, schema).combine_chunks()
            yield whole.slice(0, ROW_GROUP)
            rest = whole.slice(ROW_GROUP)
            waiting, count = rest.to_batches(), rest.num_rows
    if count:
        yield pa.Table.from_batches(waiting, schema).combine_chunks()
