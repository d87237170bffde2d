"""Every version of a label, and when it was known: from the labels' source, or from feedback.

A label counts from the moment it was known: `known_at` of its row, else its event time and the
problem's horizon. A feedback is known as long after the row's own time as it came after the answer,
so that a simulated year keeps its order.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from contract import prediction_log
from contract.problem import Problem
from contract.store.client import Store
from contract.store.layout import FeedbackKey, parse_keys
from contract.times import microseconds
from methods.columns.targets import label_texts, labelled
from methods.controller.days import Micros
from methods.tables.key_hash import Hashes, hash_keys
from methods.tables.snapshot import LOAD, Snapshot, SourceSnapshot
from tasks.monitoring.evidence.instants import INSTANT, NEVER, instants

ALWAYS = np.iinfo(np.int64).min
MOST_VERSIONS = 2_000_000  # 60 MB; of more, those with the smallest hashes are a random sample
_UUID7 = 7


@dataclass(frozen=True)
class LabelVersions:
    """Versions of labels that a source holds or that came as feedback; all of one length.

    By key, and among the versions of a key in the order in which they were known.
    """

    keys: Hashes
    """Of the columns that labels are joined on."""
    known: Micros
    labels: pa.ChunkedArray
    """As classes are spelt; null where the version has none yet."""
    event: Micros
    """Of the label's own row, `NEVER` where it is not known; of a feedback when it was answered."""
    is_relative: bool = False
    """True where `known` counts from the answer, so that the line's own time shifts it."""
    share: float = 1.0
    """Of all keys, in (0, 1]: below 1 where there were too many, those with the smallest hashes."""

    @property
    def limit(self) -> int:
        """The largest hash of which every version is here."""
        if self.share >= 1 or not len(self.keys):
            return (1 << 64) - 1
        return int(self.keys[-1])


def from_source(  # noqa: PLR0917 - a source, a moment and a number
    store: Store,
    problem: Problem,
    snapshot: Snapshot,
    scratch: Path,
    since: datetime | None = None,
    most: int = MOST_VERSIONS,
) -> LabelVersions | None:
    """Return the versions of labels in the labels' source; None where it has no such column.

    Args:
        store: where the source's parts lie.
        problem: names source, key and target.
        snapshot: of the sources.
        scratch: room for the parts.
        since: rows with an earlier event are left out; None: all are taken.
        most: versions that are held.
    """
    wanted = problem.labels
    source = snapshot.sources.get(wanted.source)
    if source is None or not wanted.on:
        return None
    scratch.mkdir(parents=True, exist_ok=True)
    target = problem.target.column
    times = [name for name in (source.known_at, source.event_time) if name]
    gathered: list[LabelRows] = []
    found, share = False, 1.0
    for part in source.parts:
        file = pq.ParquetFile(store.fetch(part, scratch))
        names = set(file.schema_arrow.names)
        if not {*wanted.on, target} <= names:
            continue
        found = True
        kept = [n for n in dict.fromkeys([*wanted.on, target, *times, LOAD]) if n in names]
        for group in range(file.num_row_groups):
            if _is_before(file, group, source.event_time, since, problem):
                continue
            table = file.read_row_group(group, columns=kept, use_threads=False)
            gathered.append(gather_rows(table, source, problem, since))
        if sum(map(len, gathered)) > 2 * most:
            gathered, share = _smallest(gathered, most)
    if not found:
        return None
    if sum(map(len, gathered)) > most:
        gathered, share = _smallest(gathered, most)
    return _versions(gathered, share=share)


def from_feedback(store: Store, problem: str, since: date | None = None) -> LabelVersions:
    """Return the labels that clients sent from a day of the service's clock on, by row reference."""
    after = "" if since is None else FeedbackKey.prefix(problem, day=since)
    keys = store.keys(FeedbackKey.prefix(problem), start_after=after)
    gathered = []
    for key in map(str, parse_keys(keys, FeedbackKey)):
        table = pq.read_table(pa.BufferReader(store.get(key)), partitioning=None)
        requests = table.column(prediction_log.REQUEST_ID).cast(pa.string())
        gathered.append(
            LabelRows(
                keys=hash_keys([table.column(name) for name in prediction_log.ROW_REFERENCE]),
                known=instants(table.column(prediction_log.RECEIVED_AT)),
                event=np.array([_answered(each) for each in requests.to_pylist()], np.int64),
                labels=label_texts(table.column(prediction_log.LABEL).cast(pa.string())),
                loads=pa.nulls(table.num_rows, pa.string()),
            )
        )
    return _versions(gathered, is_relative=True)


def first_known(versions: LabelVersions) -> Micros | None:
    """Return when each key's label was first known, ascending; None without times."""
    has_label = pc.is_valid(versions.labels).to_numpy()
    known: Micros = versions.known[has_label]
    keys = versions.keys[has_label]
    if known.size and known.max() == ALWAYS:
        return None
    if not known.size:
        return known
    starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    first: Micros = np.sort(np.minimum.reduceat(known, starts))
    return first


@dataclass(frozen=True)
class LabelRows:
    """Versions of one row group, in its order."""

    keys: Hashes
    known: Micros
    event: Micros
    labels: pa.ChunkedArray
    loads: pa.Array
    """Which load each came with; null where the source does not tell."""

    def __len__(self) -> int:
        return len(self.keys)

    def take(self, rows: NDArray[np.integer]) -> "LabelRows":
        """Return the versions at some positions, in their order."""
        chosen = pa.array(rows)
        return LabelRows(
            self.keys[rows],
            self.known[rows],
            self.event[rows],
            self.labels.take(chosen),
            self.loads.take(chosen),
        )


def gather_rows(
    table: pa.Table, source: SourceSnapshot, problem: Problem, since: datetime | None
) -> LabelRows:
    """Return the versions in rows of the labels' source; those of events before `since` are left out."""
    column = table.column(problem.target.column)
    event = np.full(table.num_rows, NEVER)
    if source.event_time in table.column_names:
        event = instants(_instant(table.column(source.event_time), problem.timezone))
    if since is not None:
        rows = np.flatnonzero(event >= microseconds(since))
        if len(rows) < table.num_rows:
            table, event = table.take(pa.array(rows)), event[rows]
            column = table.column(problem.target.column)
    loads = pa.nulls(table.num_rows, pa.string())
    if LOAD in table.column_names:
        loads = table.column(LOAD).cast(pa.string()).combine_chunks()
    on = [_instant(table.column(name), problem.timezone) for name in problem.labels.on]
    return LabelRows(
        keys=hash_keys(on),
        known=_known(table, source, problem),
        event=event,
        labels=label_texts(pc.if_else(labelled(column), column, pa.scalar(None, column.type))),
        loads=loads,
    )


def _is_before(
    file: pq.ParquetFile,
    group: int,
    event_time: str | None,
    since: datetime | None,
    problem: Problem,
) -> bool:
    """Tell from the file's own statistics that all rows of a group are too old."""
    names = file.schema_arrow.names
    if since is None or event_time not in names:
        return False
    statistics = file.metadata.row_group(group).column(names.index(event_time)).statistics
    if statistics is None or not statistics.has_min_max or statistics.null_count:
        return False
    newest = pa.chunked_array(
        [pa.array([statistics.max], file.schema_arrow.field(event_time).type)]
    )
    return bool(instants(_instant(newest, problem.timezone))[0] < microseconds(since))


def _smallest(gathered: Sequence[LabelRows], most: int) -> tuple[list[LabelRows], float]:
    """Return the `most` versions with the smallest hashes, and which share of all keys these are."""
    whole = _joined(gathered)
    limit = np.partition(whole.keys, most - 1)[most - 1]
    return [whole.take(np.flatnonzero(whole.keys <= limit))], float(limit) / 2.0**64


def _joined(gathered: Sequence[LabelRows]) -> LabelRows:
    labels = [chunk for each in gathered for chunk in each.labels.chunks]
    return LabelRows(
        keys=np.concatenate([np.empty(0, np.uint64), *(each.keys for each in gathered)]),
        known=np.concatenate([np.empty(0, np.int64), *(each.known for each in gathered)]),
        event=np.concatenate([np.empty(0, np.int64), *(each.event for each in gathered)]),
        labels=pa.chunked_array(labels, pa.string()),
        loads=pa.concat_arrays([pa.array([], pa.string()), *(each.loads for each in gathered)]),
    )


def _versions(
    gathered: Sequence[LabelRows], *, is_relative: bool = False, share: float = 1.0
) -> LabelVersions:
    whole = _joined(gathered)
    order = np.lexsort((_ranks(whole.loads), whole.known, whole.keys))
    kept = whole.take(order)
    return LabelVersions(kept.keys, kept.known, kept.labels, kept.event, is_relative, share)


def _ranks(loads: pa.Array) -> Micros:
    """Return in which order rows were loaded, (n,); 0 where their source does not tell."""
    encoded = loads.dictionary_encode()
    ranks = np.r_[0, 1 + np.argsort(np.argsort(encoded.dictionary.to_pylist()))].astype(np.int64)
    found: Micros = ranks[pc.fill_null(pc.add(encoded.indices, 1), 0).to_numpy()]
    return found


def _answered(request: str | None) -> int:
    """Return when a request was answered, as its UUIDv7 says to the millisecond; else `NEVER`."""
    try:
        identity = uuid.UUID(request)
    except (ValueError, TypeError, AttributeError):
        return NEVER
    return (identity.int >> 80) * 1_000 if identity.version == _UUID7 else NEVER


def _known(table: pa.Table, source: SourceSnapshot, problem: Problem) -> Micros:
    """Return when each version was known; always, where the source has no time."""
    if source.known_at:
        return instants(_instant(table.column(source.known_at), problem.timezone))
    if source.event_time:
        moments = instants(_instant(table.column(source.event_time), problem.timezone))
        horizon = int(problem.labels.horizon.total_seconds() * 1_000_000)
        return np.where(moments == NEVER, NEVER, moments + horizon)
    return np.full(table.num_rows, ALWAYS)


def _instant(column: pa.ChunkedArray, timezone: str) -> pa.ChunkedArray:
    """Return times as instants, a time without an offset in the problem's zone; else as it is."""
    if pa.types.is_date(column.type):
        column = column.cast(pa.timestamp("us"))
    if not pa.types.is_timestamp(column.type):
        return column
    if column.type.tz is None:
        column = pc.assume_timezone(
            column.cast(pa.timestamp("us")), timezone, ambiguous="earliest", nonexistent="earliest"
        )
    return column.cast(INSTANT)
