"""Sources to collect from: real files and a real database."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from fixtures_postgres import Database

from contract.problem import FilesSource, PostgresSource
from contract.store.client import Store
from contract.store.source_head import SourceHead, read_head
from methods.tables import sql as duck
from methods.tables.snapshot import SourceSnapshot, View, current_table
from tasks.collection.commit import collect, reader_of

END = datetime(2026, 6, 1, tzinfo=UTC)


class Collection:
    """One source of one problem, collected as the task does it."""

    def __init__(
        self,
        store: Store,
        problem: str,
        source: FilesSource | PostgresSource,
        environment: Mapping[str, str],
        folder: Path,
    ) -> None:
        self.store, self.problem, self.source = store, problem, source
        self.environment, self._folder, self._count = environment, folder, 0

    def run(self, run: str, *, store: Store | None = None, end: datetime = END) -> int:
        """Collect and return how many rows were new."""
        scratch = self.scratch()
        reader = reader_of(
            "events",
            self.source,
            environment=self.environment,
            scratch=scratch,
            timezone="UTC",
        )
        _, new = collect(
            store or self.store,
            self.problem,
            "events",
            reader,
            run=run,
            window_end=end,
            scratch=scratch,
        )
        return new

    def head(self) -> SourceHead:
        return read_head(self.store, self.problem, "events")[0]

    def current(self, end: datetime = END) -> pa.Table:
        """Return the rows that a reader of the committed parts sees."""
        snapshot = SourceSnapshot(
            generation=self.head().generation,
            key=self.source.key,
            cursor=self.source.cursor,
            event_time=self.source.event_time,
            known_at=self.source.known_at,
            parts=tuple(part.table for part in self.head().parts),
        )
        return current_table(self.store, snapshot, View(known_by=end), self.scratch())

    def scratch(self) -> Path:
        self._count += 1
        folder = self._folder / f"scratch-{self._count}"
        folder.mkdir()
        return folder


class Dying(Store):
    """The real store, that dies at a named point, as a process does that is killed."""

    def __init__(self, store: Store, point: str) -> None:
        super().__init__(store.bucket, store._client)
        self._point = point

    def put_file(self, key: str, path: Path, content_type: str = "x/y") -> None:
        if self._point == "mid write":
            self.put(key, path.read_bytes()[:100])
            raise KeyboardInterrupt
        super().put_file(key, path, content_type)
        if self._point == "after write":
            raise KeyboardInterrupt

    def swap(self, key: str, body: bytes, etag: str | None) -> str:
        found = super().swap(key, body, etag)
        if self._point == "after commit":
            raise KeyboardInterrupt
        return found


@pytest.fixture
def table_of(
    store: Store, problem_name: str, database: Database, tmp_path: Path
) -> Callable[..., Collection]:
    """Return a collection of the database's table `events`, with what the test declares."""

    def make(**declared: object) -> Collection:
        given = {
            "kind": "postgres",
            "query": "select * from events",
            "connection": "DSN",
            "key": ["id"],
            "cursor": "updated_at",
            "lag": "1h",
            **declared,
        }
        source = PostgresSource.model_validate(given)
        return Collection(store, problem_name, source, {"DSN": database.dsn}, tmp_path)

    return make


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    folder = tmp_path / "landing"
    folder.mkdir()
    return folder


@pytest.fixture
def files_of(
    store: Store, problem_name: str, landing: Path, tmp_path: Path
) -> Callable[..., Collection]:
    """Return a collection of files in `landing`, with what the test declares."""

    def make(pattern: str = "*.csv", **declared: object) -> Collection:
        given = {"kind": "files", "path": f"${{LANDING}}/{pattern}", "key": ["id"], **declared}
        source = FilesSource.model_validate(given)
        environment = {"LANDING": str(landing)}
        return Collection(store, problem_name, source, environment, tmp_path)

    return make


def write_parquet(query: str, path: Path) -> None:
    """Write a query's result as a Parquet file."""
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({query}) TO {duck.text(path)} (FORMAT parquet)").fetchall()
