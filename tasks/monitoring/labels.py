"""Late labels: what turned out true of the rows that were served, and when it was known.

From the labels' source by key, or from `/v1/feedback` by request id. A label counts from the moment
it was known: `known_at` of its row, else its event time and the problem's horizon. A feedback is
known as long after the row's own time as it came after the answer, so that a simulated year keeps
its order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bundle import values
from contract import prediction_log
from contract.problem import Problem
from contract.store.client import Store
from contract.store.layout import FeedbackKey, parse_keys
from methods.columns.targets import label_texts, labelled
from methods.drift.histograms import to_texts
from methods.tables.snapshot import LOAD, Snapshot, SourceSnapshot
from tasks.monitoring.days import Micros, micros
from tasks.monitoring.log import ServedDay

ALWAYS = np.iinfo(np.int64).min
_MICROSECONDS = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True)
class Versions:
    """Every version of a label that stands in a source or came as feedback; all of one length."""

    keys: pa.Table
    known: Micros
    labels: pa.ChunkedArray
    """As classes are spelt; null where the version has none yet."""


class Labels:
    """The labels of the served lines, as of any moment."""

    def __init__(
        self, days: Sequence[ServedDay], versions: Versions, joined: Sequence[str]
    ) -> None:
        """Join once; `joined` are the names of the lines' columns that the keys stand for."""
        self._starts = {}
        tables, total = [], 0
        for day in days:
            self._starts[day.day] = (total, total + day.profile.rows)
            total += day.profile.rows
            tables.append(day.lines.words.select(list(joined)))
        self._lines = total
        self._fresh = _first_known(versions)
        if not tables:
            self._place, self._known = np.empty(0, np.int64), np.empty(0, np.int64)
            self._labels = np.empty(0, dtype=object)
            return
        lines = _spelt(pa.concat_tables(tables), versions.keys).append_column(
            "place", pa.array(np.arange(total))
        )
        names = versions.keys.column_names
        right = _texts(versions.keys).append_column(
            "version", pa.array(np.arange(len(versions.known)))
        )
        matched = lines.rename_columns([*names, "place"]).join(right, names, join_type="inner")
        place = matched.column("place").to_numpy()
        version = matched.column("version").to_numpy()
        order = np.lexsort((version, versions.known[version]))
        self._place, version = place[order], version[order]
        self._known = versions.known[version]
        self._labels = np.array(versions.labels.take(pa.array(version)).to_pylist(), dtype=object)

    def of(self, day: ServedDay, at: datetime) -> list[str | None]:
        """Return the label of each line of `day`, as it was known at `at`; None: not yet."""
        first, last = self._starts[day.day]
        known = (self._known <= micros(at)) & (self._place >= first) & (self._place < last)
        # The newest version is the last one of its line; np.unique on the reverse finds it first.
        places, newest = np.unique(self._place[known][::-1], return_index=True)
        found: list[str | None] = [None] * (last - first)
        labels = self._labels[known][::-1][newest]
        for place, label in zip((places - first).tolist(), labels.tolist(), strict=True):
            found[place] = label
        return found

    def fresh(self, since: datetime, at: datetime) -> int | None:
        """Return how many labels became known after `since` and by `at`; None: nobody can tell."""
        if self._fresh is None:
            return None
        low, high = np.searchsorted(self._fresh, [micros(since), micros(at)], side="right")
        return int(high - low)


def from_source(
    store: Store, problem: Problem, snapshot: Snapshot, scratch: Path
) -> Versions | None:
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
    values_of = table.column(target)
    known = _known(table, source, problem)
    order = pc.sort_indices(table, [(LOAD, "ascending")]) if LOAD in table.column_names else None
    labels = label_texts(
        pc.if_else(labelled(values_of), values_of, pa.scalar(None, values_of.type))
    )
    keys = pa.table({name: _instant(table.column(name), problem.timezone) for name in wanted.on})
    if order is None:
        return Versions(keys, known, labels)
    return Versions(keys.take(order), known[order.to_numpy()], labels.take(order))


def from_feedback(store: Store, problem: str, days: Sequence[ServedDay]) -> Versions:
    """Return what clients told by request id and row."""
    keys_of_files = parse_keys(store.keys(FeedbackKey.prefix(problem)), FeedbackKey)
    tables = [pq.read_table(pa.BufferReader(store.get(str(key)))) for key in keys_of_files]
    told = pa.concat_tables(tables, promote_options="permissive") if tables else _NOTHING_TOLD
    received = _micros(told.column(prediction_log.RECEIVED_AT))
    names = list(prediction_log.ROW_REFERENCE)
    keys = pa.table({name: told.column(name).cast(pa.string()) for name in names})
    lags = [day.lines.moment - day.lines.served_at for day in days]
    lines = pa.concat_tables([day.lines.words.select(names) for day in days]) if days else keys
    shift = np.concatenate(lags) if lags else np.zeros(lines.num_rows, np.int64)
    right = lines.append_column("shift", pa.array(shift))
    told = keys.append_column("place", pa.array(np.arange(keys.num_rows)))
    matched = told.join(right, names, join_type="inner").sort_by("place")
    place = matched.column("place").to_numpy()
    labels = label_texts(_column(tables, prediction_log.LABEL))
    return Versions(
        keys.take(pa.array(place)),
        received[place] + matched.column("shift").to_numpy(),
        labels.take(pa.array(place)),
    )


_NOTHING_TOLD = pa.table(
    {
        prediction_log.REQUEST_ID: pa.array([], pa.string()),
        prediction_log.ROW: pa.array([], pa.int32()),
        prediction_log.LABEL: pa.array([], pa.string()),
        prediction_log.RECEIVED_AT: pa.array([], _MICROSECONDS),
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
        return _micros(_instant(table.column(source.known_at), problem.timezone))
    if source.event_time:
        moments = _micros(_instant(table.column(source.event_time), problem.timezone))
        return moments + int(problem.labels.horizon.total_seconds() * 1_000_000)
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
    return column.cast(_MICROSECONDS)


def _micros(column: pa.ChunkedArray) -> Micros:
    """Return instants as microseconds; a missing one was never known."""
    never = np.iinfo(np.int64).max
    found: Micros = pc.fill_null(
        column.cast(_MICROSECONDS).cast(pa.int64()), pa.scalar(never, pa.int64())
    ).to_numpy()
    return found


def _texts(keys: pa.Table) -> pa.Table:
    """Spell key columns so that they join: instants by their microseconds."""
    return pa.table(
        {
            name: to_texts(
                keys.column(name).cast(pa.int64())
                if pa.types.is_timestamp(keys.column(name).type)
                else keys.column(name)
            )
            for name in keys.column_names
        }
    )


def _spelt(lines: pa.Table, keys: pa.Table) -> pa.Table:
    """Spell the lines' texts as the keys are: a time that was sent as ISO 8601 is an instant."""
    columns = {}
    for name, like in zip(lines.column_names, keys.column_names, strict=True):
        column = lines.column(name)
        if pa.types.is_timestamp(keys.column(like).type):
            column = pa.chunked_array([pa.array(map(_moment, column.to_pylist()), pa.string())])
        columns[name] = column
    return pa.table(columns)


def _moment(text: str | None) -> str | None:
    try:
        found = values.instant(text)
    except values.Unusable:
        return None
    return None if found is None else str(micros(found))


def _first_known(versions: Versions) -> Micros | None:
    """Return when each key's label was first known, ascending; None without times."""
    has_label = pc.is_valid(versions.labels)
    known = versions.known[has_label.to_numpy()]
    if known.size and known.max() == ALWAYS:
        return None
    table = _texts(versions.keys).filter(has_label).append_column("known", pa.array(known))
    first = table.group_by(versions.keys.column_names).aggregate([("known", "min")])
    return np.sort(first.column("known_min").to_numpy())
