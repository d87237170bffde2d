"""Files: CSV, JSON lines and Parquet, plain or compressed, read by DuckDB in flat memory.

A file is known by its name, size, time and sha256. One that has changed is read again; validation
keeps each key's newest version. Types are sniffed once, at the first load, and held from then on:
what is sniffed anew each day depends on the day.
"""

import glob
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from contract.errors import Refused, is_disk_full
from contract.problem.sources.files import FilesSource
from contract.store.source_head import FileVersion, SourceHead
from methods.tables import sql as duck
from methods.tables.files import common_columns, fits, scan, sniff
from methods.tables.snapshot import LOAD
from tasks.collection.readers.base import (
    Load,
    Reading,
    ReadOptions,
    check_columns,
    check_declared,
    expand,
    greatest,
)

_KNOWN = "perennial_known"


class FilesReader:
    """Reads the files that a pattern matches."""

    def __init__(self, name: str, source: FilesSource, options: ReadOptions) -> None:
        self.name = name
        self.source = source
        self.pattern = expand(source.path, options.environment)
        self.scratch = options.scratch
        self.timezone = options.timezone

    @contextmanager
    def open(self, head: SourceHead, window_end: datetime) -> Iterator[Reading | None]:
        """Begin to read the files that are new, changed, or were not known in full."""
        paths = self._matching_files()
        fresh: dict[str, tuple[Path, FileVersion]] = {}
        for name, path in paths.items():
            known = head.files.get(name)
            version = file_version(path, known)
            is_known = known is not None and known.sha256 == version.sha256 and known.complete
            if version.size and not is_known:
                fresh[name] = (path, version)
        if not fresh:
            yield None
            return
        connection = duck.connect(self.scratch)
        try:
            yield _FilesReading(self, connection, head, fresh, window_end)
        except duckdb.Error as error:
            if is_disk_full(error):  # our own, not the source's fault
                raise
            raise Refused(self._unreadable(error)) from error
        finally:
            connection.close()

    def _matching_files(self) -> dict[str, Path]:
        """Return the files by their path below the fixed part of the pattern, sorted."""
        root = fixed_part(self.pattern)
        paths = sorted(Path(path) for path in glob.glob(self.pattern, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
        files = {path.relative_to(root).as_posix(): path for path in paths if path.is_file()}
        if not files:
            sentence = (
                f"No file matches {self.pattern!r} of the source {self.name!r}; at least one is "
                "expected. Check the path, and whether the feed has landed."
            )
            raise Refused(sentence)
        return files

    def _unreadable(self, error: duckdb.Error) -> str:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        message = " ".join(lines[:3])[:400]
        where = next((line for line in lines if line.startswith("file = ")), "")
        return (
            f"A file of the source {self.name!r} cannot be read: {message} {where}".rstrip()
            + "; a readable file with the first load's types is expected. Repair or remove it."
        )


class _FilesReading:
    """One load of files, one file after the other, so that their number costs no memory."""

    def __init__(
        self,
        reader: FilesReader,
        connection: duckdb.DuckDBPyConnection,
        head: SourceHead,
        fresh: dict[str, tuple[Path, FileVersion]],
        window_end: datetime,
    ) -> None:
        self._reader = reader
        self._connection = connection
        self._head = head
        self._fresh = fresh
        self._window_end = window_end
        self._forms = {name: sniff(connection, path) for name, (path, _) in fresh.items()}
        self._columns = self._checked_columns()
        first = next(iter(fresh))
        described = connection.sql(f"SELECT * FROM ({self._select(first)}) LIMIT 0")  # noqa: S608 - quoted
        self.schema: pa.Schema = described.to_arrow_table().schema.remove(0)
        self._watermark = head.watermark
        self._left_out: set[str] = set()

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows that are known, each with the load that it came with."""
        cursor = self._reader.source.cursor
        for name in self._fresh:
            for batch in duck.stream(self._connection, self._select(name)):
                known = batch.column(_KNOWN)
                if pc.any(pc.invert(known), min_count=0).as_py():
                    self._left_out.add(name)
                kept = batch.drop_columns([_KNOWN]).filter(known)
                if cursor and kept.num_rows:
                    self._watermark = greatest(self._watermark, kept.column(cursor))
                yield kept

    def load(self) -> Load:
        """Return what was read; a file with rows of the future is read again next time."""
        files = dict(self._head.files)
        for name, (_, version) in self._fresh.items():
            files[name] = version.model_copy(update={"complete": name not in self._left_out})
        return Load(columns=self._columns, watermark=self._watermark, files=files)

    def _checked_columns(self) -> dict[str, str]:
        """Return the source's columns: the first load's, which every later file must have."""
        reader, before = self._reader, self._head.columns
        for form in self._forms.values() if before else ():
            types = {
                name: before[name]
                if name in before and fits(form.kind, before[name], kind)
                else kind
                for name, kind in form.columns.items()
            }
            check_columns(reader.name, before, types)
        columns = before or common_columns(self._connection, list(self._forms.values()))
        check_columns(reader.name, {}, columns)
        check_declared(reader.name, reader.source, columns)
        return columns

    def _known(self) -> str:
        column = self._reader.source.known_at
        if column is None:
            return "true"
        term = duck.name(column)
        if self._columns[column] != "TIMESTAMP WITH TIME ZONE":
            zone = duck.text(self._reader.timezone)
            term = f"CAST({term} AS TIMESTAMP) AT TIME ZONE {zone}"
        moment = duck.text(self._window_end.isoformat())
        return f"coalesce({term} <= CAST({moment} AS TIMESTAMPTZ), true)"

    def _select(self, name: str) -> str:
        """Return the query of one file's rows: whether known, the columns, the load."""
        form = self._forms[name]
        own = ", ".join(
            f"CAST({duck.name(column) if column in form.columns else 'NULL'} AS {kind}) "
            f"AS {duck.name(column)}"
            for column, kind in self._columns.items()
        )
        load = duck.text(f"{self._head.generation + 1:08d}/{name}")
        rows = f"SELECT {own} FROM {scan(form, self._columns)}"  # noqa: S608 - quoted
        return f"SELECT {self._known()} AS {_KNOWN}, *, {load} AS {LOAD} FROM ({rows})"  # noqa: S608 - quoted


def fixed_part(pattern: str) -> Path:
    """Return the folder above the first wildcard.

    >>> fixed_part("/landing/flights/*/day.csv").as_posix()
    '/landing/flights'
    """
    parts = Path(pattern).parts
    fixed = [part for part in parts[:-1] if not glob.has_magic(part)]
    cut = next((i for i, part in enumerate(parts[:-1]) if glob.has_magic(part)), len(fixed))
    return Path(*parts[:cut])


def file_version(path: Path, known: FileVersion | None) -> FileVersion:
    """Return what tells one version of a file from another; unread where nothing has changed.

    Raises:
        Refused: the file cannot be opened.
    """
    try:
        status = path.stat()
        unchanged = known and (known.size, known.modified) == (status.st_size, status.st_mtime_ns)
        if known and unchanged:
            return known
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
    except OSError as error:
        sentence = f"The file {path} cannot be read ({error.strerror}); make it readable."
        raise Refused(sentence) from error
    return FileVersion(
        size=status.st_size,
        modified=status.st_mtime_ns,
        sha256=digest.hexdigest(),
        complete=False,
    )


reader = FilesReader
