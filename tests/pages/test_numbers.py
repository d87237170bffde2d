"""One hand writes all numbers."""

import math
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages import number, seconds, share, size

DASH, MINUS, TIMES, SPACE = (
    "\N{EN DASH}",
    "\N{MINUS SIGN}",
    "\N{MULTIPLICATION SIGN}",
    "\N{NO-BREAK SPACE}",
)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, DASH),
        (math.nan, DASH),
        (math.inf, "\N{INFINITY}"),
        (-math.inf, f"{MINUS}\N{INFINITY}"),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        (-0.0, "0"),
        (1234567, "1,234,567"),
        (-1234567, f"{MINUS}1,234,567"),
        (5.0, "5"),
        (0.5, "0.500"),
        (0.71234, "0.712"),
        (12.3456, "12.3"),
        (123456.789, "123,457"),
        (0.9999, "1.00"),
        (0.00001234, "0.0000123"),
        (1.2e-9, f"1.20 {TIMES} 10\N{SUPERSCRIPT MINUS}\N{SUPERSCRIPT NINE}"),
        ("text", "text"),
        (date(2013, 6, 1), "2013-06-01"),
        (datetime(2013, 6, 1, 2, 30, tzinfo=UTC), "2013-06-01 02:30 UTC"),
        (
            datetime(2013, 6, 1, 2, 30, 5, tzinfo=timezone(timedelta(hours=2))),
            "2013-06-01 00:30:05 UTC",
        ),
        (datetime(2013, 6, 1, 2, 30), "2013-06-01 02:30"),  # noqa: DTZ001 (a naive time is the case)
        (timedelta(days=2, hours=3), f"2{SPACE}d 3{SPACE}h"),
    ],
)
def test_a_value_is_written_as_a_person_would(value: object, told: str) -> None:
    assert number(value) == told


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_no_number_shows_an_exponent_in_computer_s_writing(value: float) -> None:
    assert "e" not in number(value)


@given(st.floats(min_value=-1e12, max_value=1e12), st.integers(2, 6))
def test_a_number_keeps_its_value_to_the_digits_asked(value: float, digits: int) -> None:
    told = number(value, digits).replace(",", "").replace(MINUS, "-")

    if TIMES not in told:
        assert float(told) == pytest.approx(value, rel=0.51 * 10 ** (1 - digits))


def test_numbers_of_numpy_are_numbers() -> None:
    numpy = pytest.importorskip("numpy")

    assert number(numpy.int64(1234)) == "1,234"
    assert number(numpy.float32(0.5)) == "0.500"
    assert number(numpy.float64("nan")) == DASH


@pytest.mark.parametrize(
    ("value", "told"), [(0.0123, "1.23"), (1, "100"), (0.07, "7"), (0.145, "14.5"), (0, "0")]
)
def test_a_share_is_a_percentage(value: float, told: str) -> None:
    assert share(value) == f"{told}{SPACE}%"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0, "0_s"),
        (2.5e-5, "25_µs"),
        (0.25, "250_ms"),
        (59.0, "59_s"),
        (3600, "1_h"),
        (-90, f"{MINUS}1_min 30_s"),
    ],
)
def test_a_duration_has_its_unit(value: float, told: str) -> None:
    assert seconds(value) == told.replace("_", SPACE)


@pytest.mark.parametrize(
    ("value", "told"), [(999, "999_B"), (2_340_000_000, "2.34_GB"), (5e12, "5_TB")]
)
def test_a_size_has_its_unit(value: float, told: str) -> None:
    assert size(value) == told.replace("_", SPACE)


def test_what_is_missing_is_a_dash() -> None:
    assert [share(None), seconds(None), size(None), seconds(math.nan), size(math.inf)] == [DASH] * 5
