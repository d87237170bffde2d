"""Closed segments become zstd Parquet in the store, at a key that follows from the segment's name.

A segment that is shipped twice overwrites itself, so "at least once" is "exactly once" a segment.
The schema is the header's, never inferred: an inferred one turns a column of nulls into another
type, and a day no longer reads as one table. PyArrow is loaded at the first segment: an idle
service does without its 30 MB.
"""

import io
import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from contract.errors import PerennialError
from contract.log import log
from contract.prediction_log import LogColumn, LogColumnType
from contract.store.client import Store
from contract.store.layout import FeedbackKey, PredictionsKey
from serving.spool import CLOSED

if TYPE_CHECKING:
    import pyarrow as pa

POLL_SECONDS = 0.5
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 30.0
LARGE_BYTES = 256 << 10  # some 400 rows of 20 columns
SET_ASIDE = ".unreadable"

_log = log("serving.shipping")


class SegmentHeader(msgspec.Struct, frozen=True):
    """The first line of a segment."""

    columns: tuple[tuple[str, LogColumnType], ...]
    """Name and type of each column; a `moment` is written as microseconds since 1970."""


def encode_header(columns: Iterable[LogColumn]) -> bytes:
    """Return the first line of a segment with these columns."""
    return msgspec.json.encode(SegmentHeader(tuple((c.name, c.type) for c in columns)))


def key(problem: str, kind: str, name: str) -> str:
    """Return where the segment `name`, which ends in the nanosecond it was begun in, is kept.

    >>> key("flights", "predictions", "host-17-1700000000000000000")
    'flights/predictions/dt=2023-11-14/hour=22/host-17-1700000000000000000.parquet'
    >>> key("flights", "feedback", "host-17-1700000000000000000")
    'flights/feedback/dt=2023-11-14/host-17-1700000000000000000.parquet'
    """
    began = datetime.fromtimestamp(int(name.rpartition("-")[2]) / 1e9, UTC)
    if kind == "predictions":
        return str(PredictionsKey(problem, began.date(), f"{began:%H}", name))
    return str(FeedbackKey(problem, began.date(), name))


def table(segment: bytes) -> "pa.Table | None":
    """Return a segment's rows, None where there are none; a line cut by a full disk or a kill is left out.

    Raises:
        msgspec.DecodeError: the header is not one.
    """
    import pyarrow as pa  # noqa: PLC0415 - see the module's docstring
    from pyarrow import json as arrow_json  # noqa: PLC0415 - as above

    head, _, body = segment.partition(b"\n")
    header = msgspec.json.decode(head, type=SegmentHeader)
    body = body[: body.rfind(b"\n") + 1]
    lines = body.splitlines()
    complete = [line for line in lines if _is_row(line)]
    if len(complete) < len(lines):
        body = b"".join(line + b"\n" for line in complete)
    types = {
        "string": pa.string(),
        "integer": pa.int32(),
        "number": pa.float64(),
        "numbers": pa.list_(pa.float64()),
        "moment": pa.timestamp("us", "UTC"),
    }
    if not complete:
        return None
    schema = pa.schema([(name, types[kind]) for name, kind in header.columns])
    written = pa.schema(
        [(name, pa.int64() if kind == "moment" else types[kind]) for name, kind in header.columns]
    )
    rows = arrow_json.read_json(
        pa.BufferReader(body),
        read_options=arrow_json.ReadOptions(use_threads=False, block_size=len(body) + 1),
        parse_options=arrow_json.ParseOptions(
            explicit_schema=written, unexpected_field_behavior="error"
        ),
    )
    return rows.cast(schema)


def parquet(segment: bytes) -> bytes | None:
    """Return a segment as a Parquet file, None where it has no rows."""
    from pyarrow import parquet as arrow_parquet  # noqa: PLC0415 - see the module's docstring

    rows = table(segment)
    if rows is None:
        return None
    file = io.BytesIO()
    arrow_parquet.write_table(rows, file, compression="zstd")
    return file.getvalue()


class Shipper:
    """A thread that ships closed segments of several folders and tries again while the store is away."""

    def __init__(self, store: Store, problem: str, folders: tuple[Path, ...]) -> None:
        self.shipped = 0
        self.failures = 0
        self._store = store
        self._problem = problem
        self._folders = folders
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="shipping", daemon=True)

    def start(self) -> None:
        """Ship from now on."""
        self._thread.start()

    def close(self, seconds: float) -> int:
        """Ship what is closed by now, for at most `seconds`; return how many segments remain."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(seconds)
        deadline = time.monotonic() + seconds
        while self.waiting() and time.monotonic() < deadline:
            try:
                self.ship()
            except PerennialError as error:
                _log.warning("store away while stopping", why=str(error))
                time.sleep(POLL_SECONDS)
        return self.waiting()

    def waiting(self) -> int:
        """Return how many closed segments are not in the store yet."""
        return sum(1 for _ in self._closed())

    def ship(self) -> None:
        """Ship every closed segment, oldest first.

        Raises:
            PerennialError: the store does not take them.
        """
        for path in self._closed():
            try:
                segment = path.read_bytes()
                body = parquet(segment)
            except FileNotFoundError:
                continue  # another process of this problem shipped it
            except (ValueError, msgspec.DecodeError) as error:
                path.rename(path.with_suffix(SET_ASIDE))
                self.failures += 1
                _log.error("segment set aside", segment=path.name, why=type(error).__name__)
                continue
            if body is not None:
                self._store.put(key(self._problem, path.parent.name, path.stem), body)
                self.shipped += 1
            path.unlink(missing_ok=True)
            if len(segment) > LARGE_BYTES:
                _release_memory()

    def _closed(self) -> list[Path]:
        paths = [path for folder in self._folders for path in folder.glob(f"*{CLOSED}")]
        return sorted(paths, key=lambda path: path.stem.rpartition("-")[2])

    def _run(self) -> None:
        wait = POLL_SECONDS
        while not self._stop.wait(wait):
            try:
                self.ship()
                wait = POLL_SECONDS
            except PerennialError as error:
                wait = min(max(FIRST_WAIT_SECONDS, wait * 2), LONGEST_WAIT_SECONDS)
                self.failures += 1
                _log.warning("segments wait", why=str(error), seconds=wait)
            except Exception:  # noqa: BLE001 - a bug in one segment must not end the log
                wait = LONGEST_WAIT_SECONDS
                self.failures += 1
                _log.bug("shipping failed")


def _release_memory() -> None:
    """Return freed memory to the system: 25 MiB and more after a day's rows, in some 5 ms."""
    import pyarrow as pa  # noqa: PLC0415 - see the module's docstring

    # It is the system's allocator (`prepare_environment`), so the answers' freed memory goes too.
    pa.default_memory_pool().release_unused()


def _is_row(line: bytes) -> bool:
    try:
        msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    except msgspec.DecodeError:
        return False
    return True
