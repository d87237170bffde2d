"""The files of the prediction log: which there are, and which days each holds rows of.

Each file is opened once, and what it holds is kept in `monitoring/log-index.json`, by its key and
ETag: a later run opens the new ones only. Files lie under the hour in which they were served; a
row's day is that of its event where the problem declares an event time, so any file may hold rows of
any day. The index is a cache: a lost one is made again from the files.
A file that cannot be read names itself in `faults` and ends nothing.
"""

import hashlib
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import Field

from contract import prediction_log
from contract.errors import Conflict
from contract.store.client import Store
from contract.store.documents import DamagedDocument, read_with_etag
from contract.store.layout import LogIndexKey, PredictionsKey
from contract.store.stored_object import StoredObject
from contract.strict import Strict
from methods.controller.days import Calendar, Micros
from tasks.monitoring.evidence.instants import NEVER, instants, times_of

# A request may be about an event that is still to come; no client asks further ahead.
AHEAD = timedelta(days=60)
ATTEMPTS = 5  # at the index, of which another run may have written
LOCAL_BYTES = 1 << 30  # of files that are kept on disk until they are counted
ENTRY = b"perennial_entry"
"""In the metadata of a compacted file: its `LogIndex`, of which its own entry is the only one."""
_LOOKED_INTO = (prediction_log.EVENT_TIME, prediction_log.SERVED_AT, prediction_log.DIGEST)
_WORD = 16  # hexadecimal digits
_MODULUS = 1 << 64


class SegmentDay(Strict):
    """The rows of one day and one model in a file."""

    rows: int
    content: str
    """Names the segments that the rows came in; a sum, so that compaction leaves it as it is."""


class SegmentEntry(Strict):
    """What one file holds."""

    etag: str
    days: dict[date, dict[str, SegmentDay]] = Field(default_factory=dict)
    """By the first 16 digits of the model's digest."""
    keys: tuple[str, ...] = ()
    """Its columns of the row's key."""
    members: tuple[str, ...] = ()
    """Of a compacted file: keys of the segments that it replaces."""
    fault: str | None = None
    """Why it cannot be read."""


class LogIndex(Strict):
    """What was found in the files of the log, by their key."""

    timezone: str
    files: dict[str, SegmentEntry] = Field(default_factory=dict)


class SegmentLog:
    """The log's files, as far as any day from `first` on may have rows in them."""

    def __init__(
        self, store: Store, problem: str, calendar: Calendar, first: date, scratch: Path
    ) -> None:
        """List the files, and look into those that are new."""
        self.store, self.problem, self.calendar = store, problem, calendar
        self._scratch = scratch / "log"
        self._kept_bytes = 0
        self.index, self._etag = self._read_index()
        after = PredictionsKey.prefix(problem, day=first - AHEAD)
        listed = {
            found.key: found
            for found in store.objects(PredictionsKey.prefix(problem), start_after=after)
            if PredictionsKey.parse(found.key) is not None
        }
        entries = {key: self._entry(found) for key, found in listed.items()}
        replaced = {name for entry in entries.values() for name in entry.members}
        self.replaced = sorted(replaced & set(entries))
        """Listed segments whose rows are in a compacted file as well."""
        self.files = {key: entry for key, entry in entries.items() if key not in replaced}
        self.bytes = {key: listed[key].bytes for key in self.files}
        self.save(self.files)

    @property
    def faults(self) -> tuple[str, ...]:
        """A sentence for each file that cannot be read."""
        return tuple(entry.fault for entry in self.files.values() if entry.fault)

    def days(self, prefix: str) -> dict[date, int]:
        """Return how many rows each day has of the model whose digest begins with `prefix`."""
        rows: dict[date, int] = {}
        for entry in self.files.values():
            for day, by_model in entry.days.items():
                if prefix in by_model:
                    rows[day] = rows.get(day, 0) + by_model[prefix].rows
        return rows

    def of_day(self, day: date, prefix: str) -> tuple[list[str], str]:
        """Return the files with rows of a day and a model, and the name of their content."""
        found = {
            key: entry.days[day][prefix]
            for key, entry in self.files.items()
            if prefix in entry.days.get(day, {})
        }
        return sorted(found), add_contents(part.content for part in found.values())

    def open(self, key: str) -> pq.ParquetFile:
        """Return a file, which stays on disk until the run ends where there is room."""
        path = self._scratch / hashlib.sha256(key.encode()).hexdigest()
        if path.exists():
            return pq.ParquetFile(path)
        self._scratch.mkdir(parents=True, exist_ok=True)
        self.store.download(key, path)
        file = pq.ParquetFile(path)
        self._kept_bytes += path.stat().st_size
        if self._kept_bytes > LOCAL_BYTES:
            self._kept_bytes -= path.stat().st_size
            path.unlink()  # the open file can be read to its end
        return file

    def metadata_of(self, entry: SegmentEntry) -> dict[bytes, bytes]:
        """Return the metadata of a compacted file, which say what is in it and in whose place."""
        index = LogIndex(timezone=self.calendar.name, files={"": entry})
        return {ENTRY: index.canonical()}

    def add(self, key: str, entry: SegmentEntry) -> None:
        """Take a compacted file in the place of its members."""
        found = next(iter(self.store.objects(key)))
        self.files[key] = entry.model_copy(update={"etag": found.etag})
        self.bytes[key] = found.bytes
        for member in entry.members:
            self.files.pop(member, None)
        self.save(self.files)

    def save(self, entries: dict[str, SegmentEntry]) -> bool:
        """Write the index anew with `entries`; False where another run wrote it all the time."""
        for _ in range(ATTEMPTS):
            files = dict(sorted((self.index.files | entries).items()))
            gone = {name for entry in files.values() for name in entry.members}
            index = LogIndex(
                timezone=self.calendar.name,
                files={key: entry for key, entry in files.items() if key not in gone},
            )
            if index == self.index:
                return True
            try:
                self._etag = self.store.swap(
                    str(LogIndexKey(self.problem)), index.canonical(), self._etag
                )
            except Conflict:
                self.index, self._etag = self._read_index()
                continue
            self.index = index
            return True
        return False

    def _read_index(self) -> tuple[LogIndex, str | None]:
        empty = LogIndex(timezone=self.calendar.name)
        key = str(LogIndexKey(self.problem))
        try:
            stored = read_with_etag(self.store, key, LogIndex)
        except DamagedDocument:  # nothing is lost: it says what the files say
            self.store.delete(key)
            return empty, None
        if stored is None:
            return empty, None
        index, etag = stored
        return (index if index.timezone == self.calendar.name else empty), etag

    def _entry(self, found: StoredObject) -> SegmentEntry:
        known = self.index.files.get(found.key)
        if known is not None and known.etag == found.etag:
            return known
        try:
            file = self.open(found.key)
            own = _own_entry(file)
            if own is not None and own.timezone == self.calendar.name:
                return own.files[""].model_copy(update={"etag": found.etag})
            return SegmentEntry(
                etag=found.etag,
                days=self._days(file, found),
                keys=tuple(prediction_log.key_columns(file.schema_arrow.names)),
                members=() if own is None else own.files[""].members,
            )
        except (pa.ArrowException, OSError, ValueError) as error:
            why = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
            sentence = (
                f"The log file {found.key} cannot be read ({why}); its rows are left out: restore "
                "it, or delete it."
            )
            return SegmentEntry(etag=found.etag, fault=sentence)

    def _days(self, file: pq.ParquetFile, found: StoredObject) -> dict[date, dict[str, SegmentDay]]:
        names = set(file.schema_arrow.names)
        missing = [
            name
            for name in (*prediction_log.ROW_REFERENCE, prediction_log.DIGEST)
            if name not in names
        ]
        if not {prediction_log.SCORE, prediction_log.SCORES} & names:
            missing.append(prediction_log.SCORE)
        if missing:
            message = f"it has no column {' and no '.join(missing)}"
            raise ValueError(message)
        present = [name for name in _LOOKED_INTO if name in names]
        counts: dict[date, dict[str, int]] = {}
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, columns=present, use_threads=False)
            for day, digest, rows in count_days(moments_of(table), self.calendar):
                by_model = counts.setdefault(day, {})
                prefix = digest[:_WORD]
                by_model[prefix] = by_model.get(prefix, 0) + rows
        content = hashlib.sha256(f"{found.key}\n{found.etag}".encode()).hexdigest()[:_WORD]
        return {
            day: {name: SegmentDay(rows=rows, content=content) for name, rows in models.items()}
            for day, models in counts.items()
        }


def add_contents(contents: Iterator[str]) -> str:
    """Return the name of several contents together, in any order and grouping the same."""
    return f"{sum(int(content, 16) for content in contents) % _MODULUS:0{_WORD}x}"


def _own_entry(file: pq.ParquetFile) -> LogIndex | None:
    """Return what a compacted file says of itself; None for a segment as the service ships it."""
    stored = (file.schema_arrow.metadata or {}).get(ENTRY)
    return None if stored is None else LogIndex.model_validate_json(stored)


def moments_of(table: pa.Table) -> pa.Table:
    """Return the times and the model of the log's rows: `moment`, `served_at`, `digest`."""
    served_at = times_of(table, prediction_log.SERVED_AT)
    moment = pc.coalesce(times_of(table, prediction_log.EVENT_TIME), served_at)
    digest = table.column(prediction_log.DIGEST).cast(pa.string())
    return pa.table(
        {
            "moment": instants(moment),
            prediction_log.SERVED_AT: instants(served_at),
            prediction_log.DIGEST: digest,
        }
    )


def count_days(rows: pa.Table, calendar: Calendar) -> Iterator[tuple[date, str, int]]:
    """Yield how many rows each day and model has; rows without a time have none."""
    moments: Micros = rows.column("moment").to_numpy()
    known = moments != NEVER
    for day in calendar.days_of(moments[known]):
        chosen = calendar.positions(moments, [day]) == 0
        digests = rows.column(prediction_log.DIGEST).filter(pa.array(chosen & known))
        for entry in pc.value_counts(digests.drop_null()).to_pylist():
            yield day, entry["values"], entry["counts"]
