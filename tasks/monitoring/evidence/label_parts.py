"""The labels of a source, part by part: each landed part is read once, and what counts of it is kept.

A landed part never changes, so what is kept carries its sha256. By the hash of the key, of a day with
more than 65,536 labels those with the smallest hashes: as the lines of a day are in the same
order, the kept labels are those of the lines that are looked at.
"""

import contextlib
import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from contract.artifacts import Table
from contract.canonical_json import canonical_json, sha256
from contract.errors import Conflict, NotFound
from contract.problem import Problem
from contract.store.client import Store
from contract.store.documents import DamagedDocument, read_with_etag
from contract.store.layout import LabelIndexKey, LabelPartKey
from contract.strict import Strict
from methods.tables.sampling import evenly_spaced
from methods.tables.snapshot import LOAD, SourceSnapshot
from tasks.monitoring.evidence.instants import NEVER
from tasks.monitoring.evidence.label_versions import (
    LabelRows,
    LabelVersions,
    gather_rows,
    join_rows,
    sort_versions,
)

DAY_LABELS = 65_536  # of one day in one part: above the lines that are looked at
SOME = 12  # parts that show how late labels come
_MICROS_A_DAY = 86_400_000_000
_WHOLE = (1 << 64) - 1


class LabelPart(Strict):
    """How far one part reaches."""

    rows: int
    """Versions that are kept; 0 where the part has no key or no target."""
    last: int
    """The newest event, microseconds since 1970; `NEVER` where one is not known."""
    limit: int
    """The largest hash up to which every version of the part is kept."""


class LabelIndex(Strict):
    """Every part that was looked into, by its sha256."""

    spec: str
    """Of the key, the target and the times that were read; another one reads all parts anew."""
    parts: dict[str, LabelPart] = Field(default_factory=dict)


class SourceLabels:
    """The labels' source at a run."""

    def __init__(
        self, store: Store, problem: Problem, source: SourceSnapshot, scratch: Path
    ) -> None:
        """Look into the parts that are new."""
        self._store, self._problem, self._source, self._scratch = store, problem, source, scratch
        self._key = str(LabelIndexKey(problem.name))
        self._spec = self._specification()
        self._index, etag = self._read_index()
        found = {
            part.sha256: self._index.parts.get(part.sha256) or self._look_into(part)
            for part in source.parts
        }
        self._parts = {name: part for name, part in found.items() if part.rows}
        index = LabelIndex(spec=self._spec, parts=self._index.parts | found)
        if index != self._index:
            with contextlib.suppress(Conflict):  # another run looked into them; it is a cache
                store.swap(self._key, index.canonical(), etag)

    @property
    def is_empty(self) -> bool:
        """True where no part has the key and the target."""
        return not self._parts

    def versions(self, since: int) -> LabelVersions:
        """Return the versions of events from a moment on, microseconds since 1970."""
        chosen = {name: part for name, part in self._parts.items() if part.last >= since}
        limit = min((part.limit for part in chosen.values()), default=_WHOLE)
        rows = [
            each.take(np.flatnonzero((each.event >= since) & (each.keys <= np.uint64(limit))))
            for each in map(self._read, chosen)
        ]
        share = 1.0 if limit == _WHOLE else (limit + 1) / 2.0**64
        return sort_versions(rows, share=share)

    def some(self) -> LabelVersions:
        """Return the versions of a few parts, which show how late labels come."""
        names = list(self._parts)
        chosen = [names[index] for index in evenly_spaced(len(names), SOME).tolist()]
        return sort_versions(list(map(self._read, chosen)))

    def _look_into(self, part: Table) -> LabelPart:
        file = pq.ParquetFile(self._store.fetch(part, self._scratch))
        names = set(file.schema_arrow.names)
        wanted = [*self._problem.labels.on, self._problem.target.column]
        if not set(wanted) <= names:
            return LabelPart(rows=0, last=0, limit=_WHOLE)
        times = [name for name in (self._source.known_at, self._source.event_time) if name]
        kept = [name for name in dict.fromkeys([*wanted, *times, LOAD]) if name in names]
        gathered: list[LabelRows] = []
        limit = _WHOLE
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, columns=kept, use_threads=False)
            gathered.append(gather_rows(table, self._source, self._problem))
            if sum(map(len, gathered)) > 4 * DAY_LABELS:
                trimmed, limit = _trimmed(join_rows(gathered), limit)
                gathered = [trimmed]
        rows, limit = _trimmed(join_rows(gathered), limit)
        self._write(part.sha256, rows)
        return LabelPart(rows=len(rows), last=int(rows.event.max(initial=0)), limit=limit)

    def _write(self, name: str, rows: LabelRows) -> None:
        table = pa.table(
            {
                "key": rows.keys,
                "known": rows.known,
                "event": rows.event,
                "label": rows.labels,
                "load": rows.loads,
            }
        )
        body = io.BytesIO()
        pq.write_table(table.sort_by("key"), body, compression="zstd")
        self._store.put(str(LabelPartKey(self._problem.name, name)), body.getvalue())

    def _read(self, name: str) -> LabelRows:
        key = str(LabelPartKey(self._problem.name, name))
        try:
            table = pq.read_table(
                pa.BufferReader(self._store.get(key)), use_threads=False, partitioning=None
            )
        except (NotFound, pa.ArrowException, OSError):
            self._look_into(next(part for part in self._source.parts if part.sha256 == name))
            table = pq.read_table(pa.BufferReader(self._store.get(key)), partitioning=None)
        return LabelRows(
            keys=table.column("key").to_numpy(),
            known=table.column("known").to_numpy(),
            event=table.column("event").to_numpy(),
            labels=table.column("label"),
            loads=table.column("load").combine_chunks(),
        )

    def _specification(self) -> str:
        source, labels = self._source, self._problem.labels
        wanted = [list(labels.on), self._problem.target.column, source.known_at, source.event_time]
        horizon = str(labels.horizon)
        return sha256(canonical_json([*wanted, horizon, self._problem.timezone]))

    def _read_index(self) -> tuple[LabelIndex, str | None]:
        empty = LabelIndex(spec=self._spec)
        try:
            stored = read_with_etag(self._store, self._key, LabelIndex)
        except DamagedDocument:  # nothing is lost: it says what the parts say
            self._store.delete(self._key)
            return empty, None
        if stored is None:
            return empty, None
        return (stored[0] if stored[0].spec == self._spec else empty), stored[1]


def _trimmed(rows: LabelRows, limit: int) -> tuple[LabelRows, int]:
    """Leave out what is beyond the labels that a day may keep; return the largest hash that stays."""
    days = rows.event // _MICROS_A_DAY
    for day, count in zip(*np.unique(days[rows.event != NEVER], return_counts=True), strict=True):
        if count > DAY_LABELS:
            keys = rows.keys[days == day]
            limit = min(limit, int(np.partition(keys, DAY_LABELS - 1)[DAY_LABELS - 1]))
    if limit == _WHOLE:
        return rows, limit
    return rows.take(np.flatnonzero(rows.keys <= np.uint64(limit))), limit
