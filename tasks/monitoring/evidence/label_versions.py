"""Every version of a label, and when it was known: from the labels' source, or from feedback.

A label counts from the moment it was known: `known_at` of its row, else its event time and the
problem's horizon. A feedback is known as long after the row's own time as it came after the answer,
so that a simulated year keeps its order.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from contract import prediction_log
from contract.problem import Problem
from contract.store.client import Store
from contract.store.layout import FeedbackKey, parse_keys
from methods.columns.targets import label_texts, labelled
from methods.controller.days import Micros
from methods.tables.key_hash import Hashes, hash_keys
from methods.tables.snapshot import LOAD, SourceSnapshot
from tasks.monitoring.evidence.instants import INSTANT, NEVER, instants

ALWAYS = np.iinfo(np.int64).min
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
        return min((1 << 64) - 1, int(self.share * 2.0**64))


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
    return sort_versions(gathered, is_relative=True)


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


def gather_rows(table: pa.Table, source: SourceSnapshot, problem: Problem) -> LabelRows:
    """Return the versions in rows of the labels' source."""
    column = table.column(problem.target.column)
    event = np.full(table.num_rows, NEVER)
    if source.event_time in table.column_names:
        event = instants(_instant(table.column(source.event_time), problem.timezone))
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


def join_rows(gathered: Sequence[LabelRows]) -> LabelRows:
    """Return all rows, in their order."""
    labels = [chunk for each in gathered for chunk in each.labels.chunks]
    return LabelRows(
        keys=np.concatenate([np.empty(0, np.uint64), *(each.keys for each in gathered)]),
        known=np.concatenate([np.empty(0, np.int64), *(each.known for each in gathered)]),
        event=np.concatenate([np.empty(0, np.int64), *(each.event for each in gathered)]),
        labels=pa.chunked_array(labels, pa.string()),
        loads=pa.concat_arrays([pa.array([], pa.string()), *(each.loads for each in gathered)]),
    )


def sort_versions(
    gathered: Sequence[LabelRows], *, is_relative: bool = False, share: float = 1.0
) -> LabelVersions:
    """Return rows by key, and those of a key in the order in which they were known and loaded."""
    whole = join_rows(gathered)
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
