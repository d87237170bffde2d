"""Data to validate."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from contract.artifacts import Table
from methods.tables import sql as duck
from methods.tables.snapshot import LOAD, SourceSnapshot, View
from tasks.validation.validate import Ranges, ValidatedSource, validate

END = datetime(2026, 6, 1, tzinfo=UTC)


class Validated:
    """What validation made of one source, with its rows read."""

    def __init__(self, judged: ValidatedSource, clean: list[Any], quarantine: list[Any]) -> None:
        self.report, self.reasons = judged.report, judged.reasons
        self.clean, self.quarantine = clean, quarantine


@pytest.fixture
def validated(tmp_path: Path) -> Callable[..., Validated]:
    """Return a function that validates loads, each the query of its rows."""

    def run(
        *loads: str,
        key: tuple[str, ...] = ("id",),
        cursor: str | None = None,
        event_time: str | None = None,
        known_at: str | None = None,
        since: datetime | None = None,
        expectations: tuple[dict[str, Any], ...] = (),
        ranges: dict[str, tuple[float, float]] | None = None,
        budget: float = 0.01,
    ) -> Validated:
        paths = []
        for number, load in enumerate(loads):
            paths.append(tmp_path / f"{number}.parquet")
            query = f"SELECT *, '{number:08d}/query' AS {LOAD} FROM ({load})"
            with duckdb.connect() as connection:
                duck.run(connection, "SET TimeZone = 'UTC'")
                target = duck.text(paths[-1])
                duck.run(connection, f"COPY ({query}) TO {target} (FORMAT parquet)")
        source = SourceSnapshot(
            generation=len(loads),
            key=key,
            cursor=cursor,
            event_time=event_time,
            known_at=known_at,
            parts=(Table(uri="s3://unused/part", sha256="0" * 64, bytes=0, rows=0),),
        )
        with duck.connect(tmp_path) as connection:
            judged = validate(
                connection,
                "events",
                paths,
                source,
                View(known_by=END, since=since),
                ranges=Ranges(ranges or {}),
                expectations=expectations,
                budget=budget,
                scratch=tmp_path,
            )
            clean = duck.stream(connection, judged.clean).read_all().to_pylist()
            bad = duck.stream(connection, judged.quarantine).read_all().to_pylist()
        return Validated(judged, clean, bad)

    return run
