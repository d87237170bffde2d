"""What a database may do to a reader: types, absence, wrong questions."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from fixtures_postgres import Database
from fixtures_sources import Collection

from contract.errors import InvalidRequest, TryAgain


def test_numeric_keeps_its_digits(table_of: Callable[..., Collection], database: Database) -> None:
    events = table_of(cursor=None)
    database.execute(
        "create table events (id int, price numeric(12,2), free numeric, at timestamptz, day date)",
        "insert into events values (1, 12345.67, 1.5, '2026-01-01 00:00+01', '2026-01-01')",
        "insert into events values (2, 'NaN', null, null, null)",
    )

    events.run("first")

    rows = events.current()
    assert [str(rows.schema.field(name).type) for name in ("price", "free")] == [
        "decimal128(12, 2)",
        "decimal128(38, 10)",
    ]
    assert [Decimal("12345.67"), None] == rows["price"].to_pylist()
    assert [Decimal("1.5"), None] == rows["free"].to_pylist()


def test_an_unreachable_database_is_tried_again(table_of: Callable[..., Collection]) -> None:
    events = table_of()
    events.environment = {"DSN": "postgresql://me:secret@127.0.0.1:1/none"}

    with pytest.raises(TryAgain) as raised:
        events.run("first")

    assert "secret" not in str(raised.value)


def test_a_database_that_is_not_there_is_an_invalid_request(
    table_of: Callable[..., Collection], postgres: str
) -> None:
    events = table_of()
    events.environment = {"DSN": f"{postgres}/nowhere"}

    with pytest.raises(InvalidRequest, match="does not exist"):
        events.run("first")


def test_a_bad_query_is_an_invalid_request(table_of: Callable[..., Collection]) -> None:
    with pytest.raises(InvalidRequest, match=r"query of the source 'events' was not accepted"):
        table_of(query="select * from nothing").run("first")


def test_a_query_that_writes_is_an_invalid_request(
    table_of: Callable[..., Collection], database: Database
) -> None:
    database.execute("create table events (id int, updated_at timestamptz)")
    events = table_of(query="select nextval('s') as id, updated_at from events")
    database.execute("create sequence s", "insert into events values (1, '2026-01-01')")

    with pytest.raises(InvalidRequest, match="read-only transaction"):
        events.run("first")


def test_an_absent_column_is_named(table_of: Callable[..., Collection], database: Database) -> None:
    database.execute("create table events (id int)")

    with pytest.raises(InvalidRequest, match=r"'updated_at', which the problem file names.*'id'"):
        table_of().run("first")


def test_a_missing_connection_names_the_variable(table_of: Callable[..., Collection]) -> None:
    events = table_of()
    events.environment = {}

    with pytest.raises(InvalidRequest, match="DSN is not set"):
        events.run("first")


def test_times_without_an_offset_are_compared_in_the_problems_zone(
    table_of: Callable[..., Collection], database: Database
) -> None:
    database.execute(
        "create table events (id int, updated_at timestamp)",
        "insert into events values (1, '2026-05-31 23:59'), (2, '2026-06-01 00:01')",
    )
    events = table_of()

    assert events.run("first") == 1
