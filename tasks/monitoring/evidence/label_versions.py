"""Every version of a label, and when it was known: from the labels' source, or from feedback.

A label counts from the moment it was known: `known_at` of its row, else its event time and the
problem's horizon. A feedback is known as long after the row's own time as it came after the answer,
so that a simulated year keeps its order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from contract import prediction_log
from contract.problem import Problem
from contract.store.client import Store
from contract.store.layout import FeedbackKey, parse_keys
from methods.columns.targets import label_texts, labelled
from methods.controller.days import Micros
from methods.tables.snapshot import LOAD, Snapshot, SourceSnapshot
from tasks.monitoring.evidence.instants import INSTANT, NEVER, instants
from tasks.monitoring.evidence.log import ServedDay

ALWAYS = np.iinfo(np.int64).min


@dataclass(frozen=True)
class LabelVersions:
    """Every version of a label that a source holds or that came as feedback; all of one length."""

    keys: pa.Table
    known: Micros
    labels: pa.ChunkedArray
    """As classes are spelt; null where the version has none yet."""


def from_source(
    store: Store, problem: Problem, snapshot: Snapshot, scratch: Path
) -> LabelVersions | None:
    """Return every version of a label in the labels' source; None where it has no such column."""
    wanted = problem.labels
    source = snapshot.sources.get(wanted.source)
    if source is None or not wanted.on:
        return None
    scratch.mkdir(parents=True, exist_ok=True)
    target = problem.target.column
    times = [name for name in (source.known_at, source.event_time) if name]
    tables = []
    for part in source.parts:
        file = pq.ParquetFile(store.fetch(part, scratch))
        names = set(file.schema_arrow.names)
        if {*wanted.on, target} <= names:
            kept = dict.fromkeys([*wanted.on, target, *times, LOAD])
            tables.append(file.read([name for name in kept if name in names]))
    if not tables:
        return None
    table = pa.concat_tables(tables, promote_options="permissive")
    column = table.column(target)
    known = _known(table, source, problem)
    order = pc.sort_indices(table, [(LOAD, "ascending")]) if LOAD in table.column_names else None
    labels = label_texts(pc.if_else(labelled(column), column, pa.scalar(None, column.type)))
    keys = pa.table({name: _instant(table.column(name), problem.timezone) for name in wanted.on})
    if order is None:
        return LabelVersions(keys, known, labels)
    return LabelVersions(keys.take(order), known[order.to_numpy()], labels.take(order))


def from_feedback(store: Store, problem: str, days: Sequence[ServedDay]) -> LabelVersions:
    """Return the labels that clients sent, by request id and row."""
    keys = store.keys(FeedbackKey.prefix(problem))
    tables = [
        pq.read_table(pa.BufferReader(store.get(key)))
        for key in map(str, parse_keys(keys, FeedbackKey))
    ]
    feedback = pa.concat_tables(tables, promote_options="permissive") if tables else _NO_FEEDBACK
    received = instants(feedback.column(prediction_log.RECEIVED_AT))
    names = list(prediction_log.ROW_REFERENCE)
    keys = pa.table({name: feedback.column(name).cast(pa.string()) for name in names})
    lags = [day.lines.moment - day.lines.served_at for day in days]
    lines = pa.concat_tables([day.lines.keys.select(names) for day in days]) if days else keys
    shift = np.concatenate(lags) if lags else np.zeros(lines.num_rows, np.int64)
    right = lines.append_column("shift", pa.array(shift))
    left = keys.append_column("index", pa.array(np.arange(keys.num_rows)))
    matched = left.join(right, names, join_type="inner").sort_by("index")
    index = matched.column("index").to_numpy()
    labels = label_texts(_column(tables, prediction_log.LABEL))
    return LabelVersions(
        keys.take(pa.array(index)),
        received[index] + matched.column("shift").to_numpy(),
        labels.take(pa.array(index)),
    )


_NO_FEEDBACK = pa.table(
    {
        prediction_log.REQUEST_ID: pa.array([], pa.string()),
        prediction_log.ROW: pa.array([], pa.int32()),
        prediction_log.LABEL: pa.array([], pa.string()),
        prediction_log.RECEIVED_AT: pa.array([], INSTANT),
    }
)


def _column(tables: Sequence[pa.Table], name: str) -> pa.ChunkedArray:
    parts = [table.column(name).cast(pa.string()) for table in tables] or [
        pa.chunked_array([pa.array([], pa.string())])
    ]
    return pa.chunked_array([chunk for part in parts for chunk in part.chunks], pa.string())


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
