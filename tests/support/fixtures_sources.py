"""Sources to collect from: real files and a real database."""

import json
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from fixtures_postgres import Database
from fixtures_stages import Before

from contract.artifacts import Document
from contract.canonical_json import canonical_json, sha256
from contract.manifest import Manifest
from contract.problem.sources import KINDS
from contract.problem.sources.base import SourceBase
from contract.store.client import Store
from contract.store.documents import read_artifact
from contract.store.source_head import SourceHead, read_head
from methods.tables import sql as duck
from methods.tables.snapshot import Snapshot, SourceSnapshot, View, current_table
from tasks.collection.commit import collect
from tasks.collection.readers import reader_of
from tasks.collection.readers.base import ReadOptions

END = datetime(2026, 6, 1, tzinfo=UTC)


class Collection:
    """One source of one problem, collected as the task does it."""

    def __init__(
        self,
        store: Store,
        problem: str,
        source: SourceBase,
        environment: Mapping[str, str],
        folder: Path,
    ) -> None:
        self.store, self.problem, self.source = store, problem, source
        self.environment, self._folder, self._count = environment, folder, 0

    def run(self, run: str, *, store: Store | None = None, end: datetime = END) -> int:
        """Collect and return how many rows were new."""
        scratch = self.scratch()
        reader = reader_of("events", self.source, ReadOptions(self.environment, scratch))
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
def collection_of(
    store: Store, problem_name: str, tmp_path: Path
) -> Callable[[dict[str, object], Mapping[str, str]], Collection]:
    """Return a collection of one source of any kind: its keys in the problem file, and what is set."""

    def make(source: dict[str, object], environment: Mapping[str, str]) -> Collection:
        model = KINDS[str(source["kind"])].model_validate(source)
        return Collection(store, problem_name, model, environment, tmp_path)

    return make


@pytest.fixture
def table_of(
    collection_of: Callable[..., Collection], database: Database
) -> Callable[..., Collection]:
    """Return a collection of the database's table `events`, with what the test declares."""

    def make(**declared: object) -> Collection:
        source = {
            "kind": "postgres",
            "query": "select * from events",
            "connection": "DSN",
            "key": ["id"],
            "cursor": "updated_at",
            "lag": "1h",
            **declared,
        }
        return collection_of(source, {"DSN": database.dsn})

    return make


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    folder = tmp_path / "landing"
    folder.mkdir()
    return folder


@pytest.fixture
def files_of(collection_of: Callable[..., Collection], landing: Path) -> Callable[..., Collection]:
    """Return a collection of files in `landing`, with what the test declares."""

    def make(pattern: str = "*.csv", **declared: object) -> Collection:
        source = {"kind": "files", "path": f"${{LANDING}}/{pattern}", "key": ["id"], **declared}
        return collection_of(source, {"LANDING": str(landing)})

    return make


def collection_command(stage: Before) -> list[str]:
    """Return the command line of the collection, whose inputs are in the store."""
    documents = stage.documents()
    name = stage.problem.name
    manifest = Manifest.model_validate(
        {
            "task": "problem",
            "problem": name,
            "run": "r1",
            "code": "0" * 64,
            "inputs": {},
            "params": {},
            "outputs": {key: value.model_dump() for key, value in documents.items()},
            "facts": {},
            "outcome": "made",
            "started": "2026-06-01T00:00:00Z",
            "seconds": 0,
            "cpu_seconds": 0,
        }
    )
    body = canonical_json(manifest.model_dump(mode="json"))
    key = f"{name}/runs/r1/problem/manifest.json"
    stage.store.put(key, body)
    digest = sha256(body)
    takes = [
        f"--take={field}={stage.store.uri(key)}#{field}@sha256:{digest}" for field in documents
    ]
    out = stage.store.uri(f"{name}/runs/r1/collection")
    return [sys.executable, "-m", "tasks", "collection", *takes, "--out", out]


def collected(store: Store, problem: str) -> Snapshot:
    """Return what the stage named in its manifest."""
    found = json.loads(store.get(f"{problem}/runs/r1/collection/manifest.json"))
    document = Document.model_validate(found["outputs"]["snapshot"])
    return read_artifact(store, document, Snapshot)


def write_parquet(query: str, path: Path) -> None:
    """Write a query's result as a Parquet file."""
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({query}) TO {duck.text(path)} (FORMAT parquet)").fetchall()
