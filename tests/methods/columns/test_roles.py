"""The role of a column, from its values alone."""

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest

from methods.columns.roles import column_of

N = 200
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("role", "name", "values"),
    [
        ("number", "price", [i * 0.37 for i in range(N)]),
        ("number", "count", [i % 7 for i in range(N)]),
        ("number", "spread", [i * 1_000 + i % 13 for i in range(N)]),
        ("number", "zip", pa.array([None] * 5 + [1, 2, 3], pa.int64()).to_pylist()),
        ("id", "number", list(range(N))),
        ("id", "order_id", [i * 1_000 for i in range(N)]),
        ("id", "code", [f"x{i}" for i in range(N)]),
        ("category", "customer_id", [i % 50 for i in range(N)]),
        ("category", "carrier", ["UA", "AA", "DL"] * 66),
        (
            "category",
            "long names",
            ["the first of three", "the second", "the third one of all"] * 66,
        ),
        ("binary", "flag", [True, False] * 100),
        ("binary", "flag", [True, None] * 100),
        ("binary", "answer", ["yes", "no", None, "no"] * 50),
        ("binary", "coded", [1.0, 2.0] * 100),
        ("text", "review", [f"word{i} is a very good dress number {i}" for i in range(N)]),
        ("text", "person", [f"first{i} last{i}" for i in range(N)]),
        ("date", "at", [START + timedelta(hours=i) for i in range(N)]),
        ("date", "day", [date(2026, 1, 1) + timedelta(days=i) for i in range(N)]),
        ("constant", "same", [1] * N),
        ("constant", "nothing", pa.nulls(N, pa.string()).to_pylist()),
        ("category", "one or none", ["a", None] * 100),
    ],
)
def test_a_column_has_the_role_its_values_speak_for(
    role: str, name: str, values: list[object]
) -> None:
    kind = pa.string() if name == "nothing" else None

    assert role == column_of(name, pa.chunked_array([pa.array(values, kind)])).role


def test_a_nested_column_teaches_nothing() -> None:
    assert "id" == column_of("tags", pa.chunked_array([[[1, 2], [3]]])).role


def test_missing_values_are_counted_with_nan() -> None:
    column = column_of("x", pa.chunked_array([[1.5, float("nan"), 3.5, 0.5]]))

    assert (column.required, column.range) == (False, (0.5, 3.5))


def test_the_two_values_are_sorted() -> None:
    assert ("no", "yes") == column_of("x", pa.chunked_array([["yes", "no", "yes"]])).values
