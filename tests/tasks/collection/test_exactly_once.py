"""Whatever dies and whenever: the snapshot is the source, no row lost, none doubled."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from fixtures_postgres import Database
from fixtures_sources import Collection, Dying

from contract.errors import Refused

CREATE = """
    create table events as select g as id, g as value,
        timestamptz '2026-01-01' + g * interval '1 second' as updated_at
    from generate_series(1, 1000) g
"""
GROW = """
    insert into events select g, g, timestamptz '2026-01-01 01:00' + g * interval '1 second'
    from generate_series((select max(id) + 1 from events), (select max(id) + 50 from events)) g
"""


def both(collection: Collection, database: Database) -> tuple[tuple[int, int], tuple[int, int]]:
    rows = collection.current()
    count, total = database.rows("select count(*), sum(value)::bigint from events")[0]
    return (rows.num_rows, sum(rows["value"].to_pylist())), (int(str(count)), int(str(total)))


@pytest.mark.parametrize("point", ["mid write", "after write", "after commit"])
def test_a_run_that_died_and_is_run_again_leaves_the_source(
    table_of: Callable[..., Collection], database: Database, point: str
) -> None:
    events = table_of()
    database.execute(CREATE)
    events.run("first")
    database.execute(GROW)

    with pytest.raises(KeyboardInterrupt):
        events.run("second", store=Dying(events.store, point))
    events.run("second")

    found, expected = both(events, database)
    assert expected == found
    assert [part.generation for part in events.head().parts] == [1, 2]


def test_a_committed_run_is_done(table_of: Callable[..., Collection], database: Database) -> None:
    events = table_of()
    database.execute(CREATE)
    events.run("first")
    before = events.head()
    database.execute(GROW)

    assert events.run("first") == 0
    assert before == events.head()


def test_updates_and_late_rows_inside_the_lag_are_picked_up_once(
    table_of: Callable[..., Collection], database: Database
) -> None:
    events = table_of()
    database.execute(CREATE)
    events.run("first")
    database.execute(
        "update events set value = -7, updated_at = '2026-01-01 02:00' where id = 5",
        "insert into events values (90001, 1, '2026-01-01 00:10')",
    )

    events.run("second")

    found, expected = both(events, database)
    assert expected == found


def test_four_runs_at_once_lose_and_double_nothing(
    table_of: Callable[..., Collection], database: Database
) -> None:
    events = table_of()
    database.execute(CREATE)
    events.run("first")
    database.execute(GROW)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(events.run, ["a", "b", "c", "d"]))

    found, expected = both(events, database)
    assert expected == found
    generations = [part.generation for part in events.head().parts]
    assert list(range(1, len(generations) + 1)) == generations


def test_rows_behind_the_windows_end_wait(
    table_of: Callable[..., Collection], database: Database
) -> None:
    events = table_of()
    database.execute(CREATE)
    end = datetime(2026, 1, 1, 0, 8, 20, tzinfo=UTC)

    assert events.run("first", end=end) == 500
    events.run("second")

    found, expected = both(events, database)
    assert expected == found


def test_a_changed_schema_is_refused_with_the_difference(
    table_of: Callable[..., Collection], database: Database
) -> None:
    events = table_of()
    database.execute(CREATE)
    events.run("first")
    database.execute(
        "alter table events add column extra text", "alter table events drop column value"
    )

    with pytest.raises(Refused, match=r"\+ extra string; - value int32"):
        events.run("second")


def test_a_source_without_a_cursor_is_read_whole(
    table_of: Callable[..., Collection], database: Database
) -> None:
    events = table_of(cursor=None)
    database.execute(CREATE)
    events.run("first")
    database.execute("delete from events where id <= 10")

    events.run("second")

    found, expected = both(events, database)
    assert expected == found


def test_a_source_without_a_key_keeps_equal_rows_apart_and_does_not_double_them(
    table_of: Callable[..., Collection], database: Database
) -> None:
    events = table_of(key=[])
    database.execute(CREATE, "insert into events select * from events where id > 998")
    events.run("first")
    database.execute(GROW)

    events.run("second")

    found, expected = both(events, database)
    assert expected == found
