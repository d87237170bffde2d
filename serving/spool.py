"""The spool: rows of the logs, kept on local disk until they are in the store.

A request appends to a bounded list and is done. A thread encodes and writes what has gathered
every 100 ms with one `write`, so a killed process loses at most that much: the bytes are in the
page cache. A segment is one file of one header:

    HEADER         JSON: where its rows go and the columns they have, so that a later process can
                   ship what a killed one left
    ROW …          one JSON object a row

`NAME.open` is being written by the process that holds its lock; renamed to `NAME.jsonl` it is
closed and waits to be shipped.
"""

import contextlib
import fcntl
import os
import socket
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from contract.log import log

FLUSH_SECONDS = 0.1
AGE_SECONDS = 5.0  # a segment is closed at this age,
IDLE_SECONDS = 2.0  # or when nothing came for so long,
SEGMENT_BYTES = 8 << 20  # or at this size: 13,000 rows of 20 columns
CAPACITY_ROWS = 100_000  # not yet written; past it rows are dropped and counted
DISK_BYTES = 512 << 20  # not yet shipped; as above

OPEN = ".open"
CLOSED = ".jsonl"

_log = log("serving.spool")


class SpoolEntry(Protocol):
    """What one request leaves: rows of one header, encoded off the request's path."""

    @property
    def header(self) -> bytes:
        """The segment's first line, without its end; entries of equal headers share a segment."""

    @property
    def rows(self) -> int:
        """How many rows it holds."""

    def lines(self) -> Iterable[bytes]:
        """Yield each row as JSON, without a line end."""


@dataclass
class _Segment:
    path: Path
    file: BinaryIO
    header: bytes
    began: float
    touched: float


class Spool:
    """Segments of one kind of rows in one folder; `put` never blocks and never raises."""

    def __init__(
        self,
        folder: Path,
        *,
        age: float = AGE_SECONDS,
        idle: float = IDLE_SECONDS,
        capacity_rows: int = CAPACITY_ROWS,
        disk_bytes: int = DISK_BYTES,
    ) -> None:
        self.folder = folder
        self.written = 0
        self.dropped = 0
        self._age, self._idle = age, idle
        self._capacity_rows, self._disk_bytes = capacity_rows, disk_bytes
        self._waiting: list[SpoolEntry] = []
        self._waiting_rows = 0
        self._segment: _Segment | None = None
        self._list_lock = threading.Lock()
        self._file_lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"spool-{folder.name}", daemon=True)
        folder.mkdir(parents=True, exist_ok=True)

    def start(self) -> None:
        """Close what killed processes left here, then start to write."""
        recover(self.folder)
        self._thread.start()

    def put(self, entry: SpoolEntry) -> None:
        """Take `entry`; where too much waits already, drop and count it."""
        with self._list_lock:
            if self._waiting_rows + entry.rows > self._capacity_rows:
                self.dropped += entry.rows
                return
            self._waiting.append(entry)
            self._waiting_rows += entry.rows

    def flush(self) -> None:
        """Write all that waits."""
        with self._file_lock:
            with self._list_lock:
                entries, self._waiting = self._waiting, []
                self._waiting_rows = 0
            start = 0
            while start < len(entries):
                header, end = entries[start].header, start
                while end < len(entries) and entries[end].header == header:
                    end += 1
                self._write(header, entries[start:end])
                start = end
            self._rotate()

    def close(self) -> None:
        """Write all that waits and close the segment; nothing may be put any more."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self.flush()
        with self._file_lock:
            self._finish()

    def _run(self) -> None:
        while not self._stop.wait(FLUSH_SECONDS):
            try:
                self.flush()
            except OSError as error:  # the folder itself has gone; it may come back
                _log.error("prediction log failed", why=str(error))

    def _write(self, header: bytes, entries: list[SpoolEntry]) -> None:
        lines = [line for entry in entries for line in self._encode(entry)]
        if not lines:
            return
        rows = len(lines)
        try:
            if _bytes_in(self.folder) > self._disk_bytes:
                message = f"{self._disk_bytes >> 20} MB wait to be shipped"
                raise OSError(message)  # noqa: TRY301 - one handler reports what was dropped
            if self._segment is not None and self._segment.header != header:
                self._finish()
            segment = self._segment or self._begin(header)
            body = b"\n".join(lines) + b"\n"
            if segment.file.write(body) != len(body):
                message = "a row was cut, as the disk is full"
                raise OSError(message)  # noqa: TRY301 - as above
        except OSError as error:
            self._finish()  # a row that was cut is the last one, which the shipper checks
            self.dropped += rows
            _log.error("prediction log dropped rows", rows=rows, why=str(error))
            return
        segment.touched = time.monotonic()
        self.written += rows

    def _encode(self, entry: SpoolEntry) -> list[bytes]:
        try:
            return list(entry.lines())
        except Exception:  # noqa: BLE001 - one entry that cannot be written must not take others
            self.dropped += entry.rows
            _log.bug("prediction log dropped rows", rows=entry.rows)
            return []

    def _begin(self, header: bytes) -> _Segment:
        name = f"{socket.gethostname()}-{os.getpid()}-{time.time_ns()}"
        path = self.folder / f"{name}{OPEN}"
        unlocked = self.folder / f".{name}"
        file = unlocked.open("xb", buffering=0)
        fcntl.flock(file, fcntl.LOCK_EX)  # before it has its name: `recover` takes unlocked ones
        unlocked.rename(path)
        file.write(header + b"\n")
        now = time.monotonic()
        self._segment = _Segment(path, file, header, now, now)
        return self._segment

    def _rotate(self) -> None:
        segment, now = self._segment, time.monotonic()
        if segment is None:
            return
        old = now - segment.began > self._age or now - segment.touched > self._idle
        if old or segment.file.tell() > SEGMENT_BYTES:
            self._finish()

    def _finish(self) -> None:
        if self._segment is not None:
            self._segment.path.rename(self._segment.path.with_suffix(CLOSED))
            self._segment.file.close()
            self._segment = None


def recover(folder: Path) -> int:
    """Close the segments whose writer is gone and return how many there were."""
    closed = 0
    for path in sorted(folder.glob(f"*{OPEN}")):
        try:
            with path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.rename(path.with_suffix(CLOSED))
        except (BlockingIOError, FileNotFoundError):
            continue  # its writer lives, or closed it meanwhile
        closed += 1
    return closed


def _bytes_in(folder: Path) -> int:
    total = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):  # shipped since it was listed
                total += entry.stat().st_size
    return total
