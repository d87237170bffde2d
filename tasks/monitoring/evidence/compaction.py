"""A day's many small files of the log become one: a busy service ships 17,280 a day.

Only days of the service's clock after which another one was begun, and only files that were looked
into. The compacted file names in its own metadata the segments that it replaces, and whoever lists the
log leaves those out. So there is one moment, the appearance of the file, at which its rows change
their place: killed before it, nothing has happened; after it, the segments that remain are not counted,
and the next run deletes them. A segment that is shipped again later has a name that is replaced, and
counts for nothing; one that is shipped late is another file beside it.
Two runs at once make the same file: its name and rows follow from its segments.
"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from contract.errors import NotFound
from contract.store.layout import PredictionsKey
from tasks.monitoring.evidence.log_parts import BATCH_ROWS
from tasks.monitoring.evidence.segments import SegmentDay, SegmentEntry, SegmentLog, add_contents

FEWEST = 16  # small files of a day that are worth one
SMALL_BYTES = 512 << 10  # larger ones are read as fast as they are, some 5,000 rows each
MOST_BYTES = 64 << 20  # of the segments of one compacted file
PREFIX = "compacted-"


def compact(log: SegmentLog, scratch: Path) -> int:
    """Compact the days that have ended; return how many segments were replaced."""
    for key in log.replaced:
        log.store.delete(key)
    by_day: dict[str, list[str]] = {}
    for key in sorted(log.files):
        parsed = PredictionsKey.parse(key)
        if parsed is not None and log.files[key].fault is None:
            by_day.setdefault(str(parsed.day), []).append(key)
    replaced = 0
    for day in sorted(by_day)[:-1]:
        for group in _groups(log, by_day[day]):
            replaced += _compact_group(log, group, scratch)
    return replaced


def _groups(log: SegmentLog, keys: Sequence[str]) -> list[list[str]]:
    """Return files that become one: of the same columns, small, and not compacted yet."""
    groups: dict[str, list[list[str]]] = {}
    sizes: dict[str, int] = {}
    loose = [key for key in keys if not log.files[key].members and log.bytes[key] < SMALL_BYTES]
    if len(loose) < FEWEST:
        return []
    for key in loose:
        schema = str(log.open(key).schema_arrow.remove_metadata())
        size = log.bytes[key]
        if schema not in groups or sizes[schema] + size > MOST_BYTES:
            groups.setdefault(schema, []).append([])
            sizes[schema] = 0
        groups[schema][-1].append(key)
        sizes[schema] += size
    return [group for made in groups.values() for group in made if len(group) > 1]


def _compact_group(log: SegmentLog, keys: Sequence[str], scratch: Path) -> int:
    parsed = PredictionsKey.parse(keys[0])
    if parsed is None:
        return 0
    named = "\n".join(f"{key}\n{log.files[key].etag}" for key in keys)
    name = PREFIX + hashlib.sha256(named.encode()).hexdigest()[:32]
    key = str(PredictionsKey(log.problem, parsed.day, parsed.hour, name))
    path = scratch / f"{name}.parquet"
    entry = _merged([log.files[each] for each in keys], keys)
    schema = log.open(keys[0]).schema_arrow.with_metadata(log.metadata_of(entry))
    try:
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            for table in _batches(log, keys):
                writer.write_table(table.replace_schema_metadata(schema.metadata))
    except NotFound:  # another run has replaced them in the meantime
        path.unlink(missing_ok=True)
        return 0
    log.store.put_file(key, path)
    path.unlink()
    log.add(key, entry)
    for each in keys:
        log.store.delete(each)
    return len(keys)


def _batches(log: SegmentLog, keys: Sequence[str]) -> Iterator[pa.Table]:
    """Yield the rows of files, many files a table, so that a row group is no single file."""
    waiting: list[pa.Table] = []
    for key in keys:
        table = log.open(key).read(use_threads=False).replace_schema_metadata(None)
        if waiting and sum(each.num_rows for each in waiting) + table.num_rows > BATCH_ROWS:
            yield pa.concat_tables(waiting)
            waiting = []
        waiting.append(table)
    if waiting:
        yield pa.concat_tables(waiting)


def _merged(entries: Sequence[SegmentEntry], members: Sequence[str]) -> SegmentEntry:
    """Return what the files hold together; its content has the same name as theirs."""
    found: dict[date, dict[str, list[SegmentDay]]] = {}
    for entry in entries:
        for day, by_model in entry.days.items():
            for prefix, part in by_model.items():
                found.setdefault(day, {}).setdefault(prefix, []).append(part)
    days = {
        day: {
            prefix: SegmentDay(
                rows=sum(part.rows for part in parts),
                content=add_contents(part.content for part in parts),
            )
            for prefix, parts in by_model.items()
        }
        for day, by_model in found.items()
    }
    return SegmentEntry(etag="", days=days, keys=entries[0].keys, members=tuple(members))
