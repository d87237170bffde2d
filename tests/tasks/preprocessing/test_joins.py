"""A join finds the newest row of the past, at most one, and never one of the future."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract.errors import InvalidRequest
from contract.problem import Join
from contract.problem.sources.files import FilesSource
from methods.tables import sql
from tasks.preprocessing.joins import joined

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(hours: float) -> str:
    return f"TIMESTAMPTZ '{(START + timedelta(hours=hours)).isoformat()}'"


def source(**declared: Any) -> FilesSource:
    return FilesSource.model_validate({"kind": "files", "path": "x", **declared})


SOURCES = {
    "main": source(key=["id"], event_time="at"),
    "weather": source(key=["origin", "seen"], event_time="seen"),
    "planes": source(key=["tail"]),
}


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as found:
        sql.run(found, "SET TimeZone = 'UTC'")
        yield found


def join(
    connection: duckdb.DuckDBPyConnection, joins: dict[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    made = {name: Join.model_validate(given) for name, given in joins.items()}
    query = joined(connection, "main", SOURCES, made)
    rows: list[dict[str, Any]] = connection.sql(f"{query} ORDER BY id").to_arrow_table().to_pylist()
    return rows


def views(connection: duckdb.DuckDBPyConnection, main: str, weather: str) -> None:
    sql.run(connection, f"CREATE OR REPLACE VIEW main AS {main}")
    sql.run(connection, f"CREATE OR REPLACE VIEW weather AS {weather}")


WEATHER = {"weather": {"on": ["origin"], "as_of": "at", "tolerance": "2h"}}


def test_the_newest_row_of_the_past_is_found(connection: duckdb.DuckDBPyConnection) -> None:
    views(
        connection,
        f"SELECT 1 AS id, 'JFK' AS origin, {at(10)} AS at",
        f"SELECT 'JFK' AS origin, {at(9)} AS seen, 9 AS temp UNION ALL "
        f"SELECT 'JFK', {at(8)}, 8 UNION ALL SELECT 'JFK', {at(10.01)}, 11 UNION ALL "
        f"SELECT 'LGA', {at(10)}, 10",
    )

    assert [9] == [row["temp"] for row in join(connection, WEATHER)]


def test_a_row_of_the_same_moment_counts(connection: duckdb.DuckDBPyConnection) -> None:
    views(
        connection,
        f"SELECT 1 AS id, 'JFK' AS origin, {at(10)} AS at",
        f"SELECT 'JFK' AS origin, {at(10)} AS seen, 10 AS temp",
    )

    assert [10] == [row["temp"] for row in join(connection, WEATHER)]


def test_a_row_older_than_the_tolerance_does_not_count(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    views(
        connection,
        f"SELECT 1 AS id, 'JFK' AS origin, {at(10)} AS at",
        f"SELECT 'JFK' AS origin, {at(7.9)} AS seen, 8 AS temp",
    )

    assert [None] == [row["temp"] for row in join(connection, WEATHER)]


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=25,
)
@given(
    st.lists(st.integers(0, 50), min_size=1, max_size=10),
    st.lists(st.integers(0, 50), min_size=1, max_size=10),
)
def test_rows_are_as_many_as_before_and_none_is_from_the_future(
    connection: duckdb.DuckDBPyConnection, mains: list[int], seen: list[int]
) -> None:
    views(
        connection,
        " UNION ALL ".join(
            f"SELECT {i} AS id, 'A' AS origin, {at(hour)} AS at" for i, hour in enumerate(mains)
        ),
        " UNION ALL ".join(
            f"SELECT 'A' AS origin, {at(hour)} AS seen, {hour} AS hour" for hour in seen
        ),
    )

    rows = join(connection, {"weather": {"on": ["origin"], "as_of": "at"}})

    expected = [max((s for s in seen if s <= hour), default=None) for hour in mains]
    assert expected == [row["hour"] for row in rows]


def test_a_name_that_is_taken_gets_the_sources_in_front(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    views(
        connection,
        f"SELECT 1 AS id, 'JFK' AS origin, {at(10)} AS at, 5 AS temp",
        f"SELECT 'JFK' AS origin, {at(10)} AS seen, 10 AS temp",
    )

    assert {"id", "origin", "at", "temp", "weather_temp"} == set(join(connection, WEATHER)[0])


def test_a_source_without_a_time_is_joined_by_its_key(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    sql.run(connection, "CREATE VIEW main AS SELECT 1 AS id, 'N1' AS tail UNION ALL SELECT 2, 'N2'")
    sql.run(connection, "CREATE VIEW planes AS SELECT 'N1' AS tail, 150 AS seats")

    rows = join(connection, {"planes": {"on": ["tail"]}})

    assert [150, None] == [row["seats"] for row in rows]


@pytest.mark.parametrize(
    ("joins", "said"),
    [
        ({"weather": {"on": ["origin"]}}, "finds up to 2 rows for one origin"),
        ({"weather": {"on": ["airport"], "as_of": "at"}}, "main source has no column 'airport'"),
        ({"weather": {"on": ["origin"], "as_of": "id"}}, "'id', which is no time"),
        ({"planes": {"on": ["origin"], "as_of": "at"}}, "needs source.planes.event_time"),
        ({"weather": {"on": ["seen"], "as_of": "at"}}, "'seen' is VARCHAR in the main source"),
    ],
)
def test_a_join_that_cannot_be_is_an_invalid_request(
    connection: duckdb.DuckDBPyConnection, joins: dict[str, dict[str, Any]], said: str
) -> None:
    views(
        connection,
        f"SELECT 1 AS id, 'JFK' AS origin, 'x' AS seen, {at(10)} AS at",
        f"SELECT 'JFK' AS origin, {at(10)} AS seen UNION ALL SELECT 'JFK', {at(9)}",
    )
    sql.run(connection, "CREATE VIEW planes AS SELECT 'JFK' AS origin")

    with pytest.raises(InvalidRequest, match=said):
        join(connection, joins)
