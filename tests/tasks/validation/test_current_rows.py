"""Of everything that was loaded, one row a key counts: the newest that was known in time."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from contract.errors import InvalidRequest, Refused

ROWS = "SELECT i AS id, i * 10 AS value FROM range(1, 301) t(i)"


def test_a_later_load_updates_a_key(validated: Callable[..., Any]) -> None:
    found = validated(ROWS, "SELECT 2::BIGINT AS id, 21::BIGINT AS value")

    assert [row["value"] for row in found.clean[:3]] == [10, 21, 30]
    assert found.report.quarantined == 0


def test_the_newest_cursor_wins_whatever_the_order_of_loads(
    validated: Callable[..., Any],
) -> None:
    newer = "SELECT 1 AS id, 'new' AS value, TIMESTAMPTZ '2026-02-01 00:00:00+00' AS at"
    older = "SELECT 1 AS id, 'old' AS value, TIMESTAMPTZ '2026-01-01 00:00:00+00' AS at"

    found = validated(newer, older, cursor="at")

    assert [row["value"] for row in found.clean] == ["new"]


def test_a_key_that_stands_twice_in_one_load_is_set_aside(
    validated: Callable[..., Any],
) -> None:
    found = validated(f"{ROWS} UNION ALL SELECT 5, -1", budget=0.01)

    assert len(found.clean) == 300
    assert [row["perennial_reason"] for row in found.quarantine] == [
        "the key stands twice in one load"
    ]


def test_rows_that_were_not_known_yet_do_not_count(validated: Callable[..., Any]) -> None:
    load = (
        "SELECT i AS id, TIMESTAMPTZ '2026-05-30 00:00:00+00' + to_days(i::INT) AS at "
        "FROM range(5) t(i)"
    )

    found = validated(load, known_at="at")

    assert [row["id"] for row in found.clean] == [0, 1, 2]


def test_rows_before_the_window_do_not_count(validated: Callable[..., Any]) -> None:
    load = (
        "SELECT i AS id, TIMESTAMPTZ '2026-01-01 00:00:00+00' + to_days(i::INT) AS at "
        "FROM range(5) t(i)"
    )

    found = validated(load, event_time="at", since=datetime(2026, 1, 4, tzinfo=UTC))

    assert [row["id"] for row in found.clean] == [3, 4]


def test_rows_are_sorted_by_event_time_then_key(validated: Callable[..., Any]) -> None:
    load = (
        "SELECT 3 AS id, DATE '2026-01-02' AS at UNION ALL "
        "SELECT 2, DATE '2026-01-01' UNION ALL SELECT 1, DATE '2026-01-02'"
    )

    found = validated(load, event_time="at")

    assert [row["id"] for row in found.clean] == [2, 1, 3]
    assert datetime(2026, 1, 1, tzinfo=UTC) == found.clean[0]["at"]


def test_equal_rows_without_a_key_stay_apart_and_are_not_doubled_by_a_second_load(
    validated: Callable[..., Any],
) -> None:
    load = "SELECT 1 AS value UNION ALL SELECT 1 UNION ALL SELECT 2"

    found = validated(load, load, key=())

    assert sorted(row["value"] for row in found.clean) == [1, 1, 2]
    assert len({row["row_key"] for row in found.clean}) == 3


def test_no_row_in_the_window_is_refused(validated: Callable[..., Any]) -> None:
    load = "SELECT 1 AS id, TIMESTAMPTZ '2027-01-01 00:00:00+00' AS at"

    with pytest.raises(Refused, match="No row of the source 'events' was known by 2026-06-01"):
        validated(load, known_at="at")


def test_a_time_that_is_text_is_an_invalid_request(validated: Callable[..., Any]) -> None:
    with pytest.raises(InvalidRequest, match="event_time 'at' holds VARCHAR, a time is expected"):
        validated("SELECT 1 AS id, 'soon' AS at", event_time="at")
