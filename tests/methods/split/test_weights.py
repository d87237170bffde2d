from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from methods.split.weights import TrainingWindow, row_weights

NOW = datetime(2024, 6, 1, tzinfo=UTC)
HALVED = TrainingWindow(half_life_days=10.0)


def times(*days: int | None) -> pa.ChunkedArray:
    return pa.chunked_array([[None if day is None else NOW - timedelta(days=day) for day in days]])


def test_all_rows_count_alike_without_a_half_life() -> None:
    assert row_weights(times(0, 10), NOW, TrainingWindow()) is None


def test_a_row_counts_half_after_its_half_life() -> None:
    weights = row_weights(times(0, 10), NOW, HALVED)

    assert weights is not None
    assert weights[1] / weights[0] == pytest.approx(0.5)
    assert weights.mean() == pytest.approx(1.0)


def test_a_row_without_a_time_counts_as_the_oldest() -> None:
    weights = row_weights(times(0, 30, None), NOW, HALVED)

    assert weights is not None
    assert weights[2] == weights[1]


def test_no_row_counts_more_for_lying_in_the_future() -> None:
    weights = row_weights(times(0, -5), NOW, HALVED)

    assert weights is not None
    assert weights[0] == weights[1]


@pytest.mark.parametrize("column", [None, times(), times(None, None)])
def test_rows_without_any_time_count_alike(column: pa.ChunkedArray | None) -> None:
    given = None if column is None else column.cast(pa.timestamp("us", tz="UTC"))

    assert row_weights(given, NOW, HALVED) is None
