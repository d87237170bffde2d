"""The prediction log, by day of the rows' own time: each day is counted once and read back.

What is kept of a day lies in the store beside its decision: the profile (counts), the lines (score,
times and hashed key of each row, 50,000 a file, by hash) and a sample of the features. All carry
the name of their content, the segments that the rows came in: rows that came later give another name,
and the day is counted anew. So no run reads the log again but for its new files, and what a run
costs does not grow with the days before.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from contract.canonical_json import canonical_json
from contract.errors import NotFound
from contract.prediction_log import SCORE, SERVED_AT
from contract.store.documents import DamagedDocument, parse_document
from contract.store.layout import DayLinesKey, DayProfileKey, DaySampleKey
from methods.drift.profile import DayProfile
from tasks.monitoring.evidence.champions import MonitoredModel
from tasks.monitoring.evidence.day_count import CountedDay, LogLines, count_day
from tasks.monitoring.evidence.segments import SegmentLog

LINES = 50_000  # a file; the first one is looked at for labels, the others where labels are rare
_CONTENT = b"perennial_content"


class KeptDay(Protocol):
    """Where the parts of a day are read from, each when it is asked for."""

    def profile(self) -> DayProfile:
        """Return the counts."""

    def sample(self) -> pa.Table:
        """Return features under their own names, of the first lines."""

    def lines(self, number: int) -> LogLines:
        """Return the lines `number` x `LINES` and on, by hash; at most `LINES`."""


@dataclass(frozen=True)
class ServedDay:
    """One day's rows that one model answered."""

    day: date
    digest: str
    rows: int
    kept: KeptDay

    @cached_property
    def profile(self) -> DayProfile:
        """Its counts."""
        return self.kept.profile()

    @cached_property
    def sample(self) -> pa.Table:
        """Features under their own names, of the lines at `sampled`."""
        return self.kept.sample().slice(0, len(self.lines.keys))

    @property
    def sampled(self) -> NDArray[np.int64]:
        """Positions among `lines` of the sample's rows, (n,)."""
        return np.arange(self.sample.num_rows)

    @cached_property
    def lines(self) -> LogLines:
        """The rows that are looked at for labels: a random sample of at most `LINES` of them."""
        return self.kept.lines(0)

    def look_at(self, lines: LogLines) -> None:
        """Take other lines than the first ones; the sample's rows stay in front."""
        self.__dict__["lines"] = lines


class StoredDay:
    """A day in the store; it is counted where it is not there yet, or not of these segments."""

    def __init__(
        self, log: SegmentLog, day: date, model: MonitoredModel, joined: Sequence[str]
    ) -> None:
        self._log, self._day, self._model, self._joined = log, day, model, tuple(joined)
        self._content = f"{day}#{log.of_day(day, model.digest[:16])[1]}"
        self._name = f"{self._content}#{','.join(joined)}#{model.reference.name}".encode()

    def profile(self) -> DayProfile:
        """Return the counts."""
        key = str(self._profile_key)
        try:
            stored = parse_document(self._log.store.get(key), DayProfile, key)
        except (NotFound, DamagedDocument):
            return self._count().profile
        is_this = stored.parts == (self._content,)
        if is_this and stored.reference == self._model.reference.name:
            return stored
        return self._count().profile

    def sample(self) -> pa.Table:
        """Return the features of the first lines."""
        table = self._read(str(self._sample_key))
        return self._count().sample if table is None else table

    def lines(self, number: int) -> LogLines:
        """Return the lines of one file."""
        table = self._read(str(self._lines_key(number)))
        if table is None:
            self._count()
            table = self._read(str(self._lines_key(number)))
        if table is None:  # behind the day's last line
            return _slice(_EMPTY, 0, 0)
        return _lines(table)

    @property
    def _profile_key(self) -> DayProfileKey:
        return DayProfileKey(self._log.problem, self._day, self._model.digest[:16])

    @property
    def _sample_key(self) -> DaySampleKey:
        return DaySampleKey(self._log.problem, self._day, self._model.digest[:16])

    def _lines_key(self, number: int) -> DayLinesKey:
        return DayLinesKey(self._log.problem, self._day, self._model.digest[:16], number)

    def _count(self) -> CountedDay:
        """Count the day and keep it; the profile last, since it says that the others are there."""
        counted = count_day(self._log, self._day, self._model, self._joined)
        for number in range(-(-len(counted.lines.keys) // LINES)):
            lines = _slice(counted.lines, number * LINES, (number + 1) * LINES)
            self._write(str(self._lines_key(number)), _table(lines))
        self._write(str(self._sample_key), counted.sample)
        profile = canonical_json(counted.profile.model_dump(mode="json"))
        self._log.store.put(str(self._profile_key), profile, "application/json")
        return counted

    def _write(self, key: str, table: pa.Table) -> None:
        body = io.BytesIO()
        named = table.replace_schema_metadata({_CONTENT: self._name})
        # Hashes and scores have no two values alike: a dictionary of them is work for nothing.
        texts = [field.name for field in named.schema if pa.types.is_string(field.type)]
        pq.write_table(named, body, compression="zstd", use_dictionary=texts or False)
        self._log.store.put(key, body.getvalue())

    def _read(self, key: str) -> pa.Table | None:
        """Return a kept table; None where it is not there, damaged, or of other segments."""
        try:
            table = pq.read_table(
                pa.BufferReader(self._log.store.get(key)), use_threads=False, partitioning=None
            )
        except (NotFound, pa.ArrowException, OSError):
            return None
        return table if (table.schema.metadata or {}).get(_CONTENT) == self._name else None


def read_log(
    log: SegmentLog, models: Mapping[date, MonitoredModel], joined: Sequence[str]
) -> dict[date, ServedDay]:
    """Return the days that have rows; what they hold is read when it is asked for.

    Args:
        log: the files.
        models: the champion of each day; only rows that its own champion answered count for a day.
        joined: the log's columns that labels are joined on.
    """
    rows = {model.digest: log.days(model.digest[:16]) for model in models.values()}
    return {
        day: ServedDay(
            day=day,
            digest=model.digest,
            rows=rows[model.digest][day],
            kept=StoredDay(log, day, model, joined),
        )
        for day, model in sorted(models.items())
        if rows[model.digest].get(day)
    }


_EMPTY = LogLines(
    moment=np.empty(0, np.int64),
    served_at=np.empty(0, np.int64),
    scores=np.empty(0),
    keys=np.empty(0, np.uint64),
)


def _slice(lines: LogLines, first: int, last: int) -> LogLines:
    return LogLines(
        moment=lines.moment[first:last],
        served_at=lines.served_at[first:last],
        scores=lines.scores[first:last],
        keys=lines.keys[first:last],
        looked_at=len(lines.keys[first:last]),
    )


def _table(lines: LogLines) -> pa.Table:
    scores = lines.scores if lines.scores.ndim > 1 else lines.scores[:, None]
    columns: dict[str, object] = {
        "moment": lines.moment,
        SERVED_AT: lines.served_at,
        "key": lines.keys,
    }
    columns |= {f"{SCORE}.{index}": scores[:, index] for index in range(scores.shape[1])}
    if lines.scores.ndim == 1:
        columns[SCORE] = columns.pop(f"{SCORE}.0")
    return pa.table(columns)


def _lines(table: pa.Table) -> LogLines:
    names = [name for name in table.column_names if name.startswith(SCORE)]
    scores = [table.column(name).to_numpy() for name in names]
    return LogLines(
        moment=table.column("moment").to_numpy(),
        served_at=table.column(SERVED_AT).to_numpy(),
        scores=scores[0] if names == [SCORE] else np.column_stack(scores),
        keys=table.column("key").to_numpy(),
        looked_at=table.num_rows,
    )
