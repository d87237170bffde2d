"""The weather in a table is the weather of the files."""

import json
import os
import subprocess
import sys
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from fixtures_postgres import Database

from contract.problem.sources.files import FilesSource
from contract.problem.sources.postgres import PostgresSource
from contract.store.source_head import SourceHead
from demo.flights import Airport
from demo.weather import WeatherTable
from tasks.collection.readers import reader_of
from tasks.collection.readers.base import ReadOptions

NINE = datetime(2013, 1, 4, 9, tzinfo=UTC)
FIRST = date(2013, 1, 1)
TIMES = {"event_time": "observed_at", "known_at": "landed_at", "cursor": "landed_at"}

pytestmark = pytest.mark.slow  # the package is parsed once a worker


@pytest.fixture(scope="module")
def airport(tmp_path_factory: pytest.TempPathFactory) -> Airport:
    return Airport(tmp_path_factory.mktemp("cache"))


def read(source: FilesSource | PostgresSource, name: str, value: str, scratch: Path) -> pa.Table:
    """Return all that collection reads of a source, without the load's name."""
    scratch.mkdir()
    reader = reader_of("weather", source, ReadOptions({name: value}, scratch))
    with reader.open(SourceHead(), NINE) as reading:
        assert reading is not None
        rows = pa.Table.from_batches(list(reading.batches()), reading.schema)
    return rows.sort_by([("observed_at", "ascending"), ("origin", "ascending")]).drop_columns(
        ["perennial_load"]
    )


def test_collection_reads_the_same_from_the_table_as_from_the_files(
    airport: Airport, database: Database, tmp_path: Path
) -> None:
    airport.land(tmp_path, NINE)
    with closing(WeatherTable(database.dsn)) as table:
        count = airport.land_weather(table, NINE)
    files = FilesSource.model_validate(
        {"kind": "files", "path": "${LANDING}/flights/weather/*.csv.gz", **TIMES}
    )
    rows = PostgresSource.model_validate(
        {"kind": "postgres", "query": "select * from weather", "connection": "DSN", **TIMES}
    )

    expected = read(files, "LANDING", str(tmp_path), tmp_path / "a")
    found = read(rows, "DSN", database.dsn, tmp_path / "b")

    assert found.schema.remove_metadata() == expected.schema.remove_metadata()
    assert found.equals(expected)
    assert found.num_rows == count
    assert count


def test_nothing_from_after_the_end_is_visible(airport: Airport, database: Database) -> None:
    with closing(WeatherTable(database.dsn)) as table:
        airport.land_weather(table, NINE)

    newest = database.rows("select max(observed_at), max(landed_at) from weather")
    assert newest == [
        (datetime(2013, 1, 3, 23, tzinfo=UTC), datetime(2013, 1, 4, 8, tzinfo=UTC)),
    ]


def test_landing_again_brings_only_what_is_new(airport: Airport, database: Database) -> None:
    with closing(WeatherTable(database.dsn)) as table:
        first = airport.land_weather(table, NINE)
        again = airport.land_weather(table, NINE)
        later = airport.land_weather(table, NINE + timedelta(days=1))

    assert again == 0
    assert database.rows("select count(*) from weather") == [(first + later,)]
    assert database.rows("select count(*) from landed_days") == [(4,)]


def test_a_repaired_day_is_delivered_again_with_a_later_time(
    airport: Airport, database: Database
) -> None:
    with closing(WeatherTable(database.dsn)) as table:
        airport.land_weather(table, NINE, "gone", (FIRST, FIRST))
        of_first = "from weather where observed_at < '2013-01-02T00:00Z'"
        assert database.rows(f"select count(temp) {of_first}") == [(0,)]

        airport.land_weather(table, NINE + timedelta(days=1))

    assert database.rows(f"select count(*) = count(temp), min(landed_at) {of_first}") == [
        (True, NINE + timedelta(days=1))
    ]


def test_by_hand_the_departures_land_as_files_and_the_weather_in_the_table(
    database: Database, tmp_path: Path
) -> None:
    words = ["flights", "--until", "2013-01-02T09:00:00Z", "--to", str(tmp_path / "landing")]
    words += ["--cache", str(tmp_path / "cache"), "--weather-in", "DSN"]

    done = subprocess.run(
        [sys.executable, "-m", "demo", *words],
        env=os.environ | {"DSN": database.dsn},
        capture_output=True,
        check=True,
    )

    rows = database.rows("select count(*) from weather")[0][0]
    assert json.loads(done.stdout) == {"files": 1, "rows": rows}
    assert rows
    landed = [path.name for path in (tmp_path / "landing" / "flights").iterdir()]
    assert landed == ["departures"]


def test_a_variable_that_is_not_set_is_named(tmp_path: Path) -> None:
    words = ["flights", "--until", "2013-01-02T09:00:00Z", "--to", str(tmp_path)]

    done = subprocess.run(
        [sys.executable, "-m", "demo", *words, "--cache", str(tmp_path), "--weather-in", "NO_DSN"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert "NO_DSN is not set in the environment" in done.stderr
