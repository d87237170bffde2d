"""Every kind of value becomes text in one place."""

import math
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.formatting import (
    format_bytes,
    format_digest,
    format_duration,
    format_probability,
    format_score,
    format_share,
    format_time,
    format_unknown,
    format_value,
    plain_text,
)

DASH, MINUS, TIMES, SPACE = (
    "\N{EN DASH}",
    "\N{MINUS SIGN}",
    "\N{MULTIPLICATION SIGN}",
    "\N{NO-BREAK SPACE}",
)


@pytest.mark.parametrize(
    ("value", "text"),
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
def test_a_value_is_written_as_a_person_would(value: object, text: str) -> None:
    assert format_value(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_no_number_shows_an_exponent_in_computer_s_writing(value: float) -> None:
    assert "e" not in format_value(value)


@given(st.floats(min_value=-1e12, max_value=1e12), st.integers(2, 6))
def test_a_number_keeps_its_value_to_the_digits_asked(value: float, digits: int) -> None:
    text = format_value(value, digits).replace(",", "").replace(MINUS, "-")

    if TIMES not in text:
        assert float(text) == pytest.approx(value, rel=0.51 * 10 ** (1 - digits))


def test_numbers_of_numpy_are_numbers() -> None:
    numpy = pytest.importorskip("numpy")

    assert format_value(numpy.int64(1234)) == "1,234"
    assert format_value(numpy.float32(0.5)) == "0.500"
    assert format_value(numpy.float64("nan")) == DASH


@pytest.mark.parametrize(
    ("value", "text"), [(0.0123, "1.23"), (1, "100"), (0.07, "7"), (0.145, "14.5"), (0, "0")]
)
def test_a_share_is_a_percentage(value: float, text: str) -> None:
    assert format_share(value) == f"{text}{SPACE}%"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0_s"),
        (2.5e-5, "25_µs"),
        (0.25, "250_ms"),
        (59.0, "59_s"),
        (3600, "1_h"),
        (-90, f"{MINUS}1_min 30_s"),
    ],
)
def test_a_duration_has_its_unit(value: float, text: str) -> None:
    assert format_duration(value) == text.replace("_", SPACE)


@pytest.mark.parametrize(
    ("value", "text"), [(999, "999_B"), (2_340_000_000, "2.34_GB"), (5e12, "5_TB")]
)
def test_a_size_has_its_unit(value: float, text: str) -> None:
    assert format_bytes(value) == text.replace("_", SPACE)


def test_what_is_missing_is_a_dash() -> None:
    assert [
        format_share(None),
        format_duration(None),
        format_bytes(None),
        format_duration(math.nan),
        format_bytes(math.inf),
    ] == [DASH] * 5


@pytest.mark.parametrize(
    ("value", "text"), [(0.1234, "+12.3_%"), (-0.05, f"{MINUS}5_%"), (0.0, "0_%")]
)
def test_a_difference_of_shares_shows_its_sign(value: float, text: str) -> None:
    assert format_share(value, signed=True) == text.replace("_", SPACE)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("2013-10-01T06:00:00+02:00", "2013-10-01 04:00 UTC"),
        ("2013-10-01T06:00:05Z", "2013-10-01 06:00:05 UTC"),
        (datetime(2013, 10, 1, 6, tzinfo=UTC), "2013-10-01 06:00 UTC"),
        (None, DASH),
    ],
)
def test_a_time_is_written_in_utc(value: datetime | str | None, text: str) -> None:
    assert format_time(value) == text


def test_a_digest_is_twelve_digits() -> None:
    assert format_digest("3fa9c1d2" * 8) == "3fa9c1d23fa9"
    assert [format_digest(None), format_digest("", "no model")] == [DASH, "no model"]


def test_of_an_undeclared_kind_only_a_sha256_is_shortened() -> None:
    values = ["ab" * 32, "xy" * 32, "ab" * 20, 0.81234, None]

    assert list(map(format_unknown, values)) == [
        "abababababab",
        "xy" * 32,
        "ab" * 20,
        "0.8123",
        DASH,
    ]


def test_plain_text_can_be_copied_and_searched() -> None:
    assert plain_text(f"{format_duration(-0.0042)}, {format_value(-3600)}") == "-4.20 ms, -3,600"


@pytest.mark.parametrize(
    ("value", "unit", "signed", "text"),
    [
        (1.2534, "$", False, "$1.25 a decision"),
        (-0.514, "$", True, f"{MINUS}$0.514 a decision"),
        (0.514, "$", True, "+$0.514 a decision"),
        (0.0, "$", True, "$0 a decision"),
        (1.5, "minutes", False, "1.50\xa0minutes a decision"),
        (1.5, "", False, "1.50 a decision"),
        (0.71234, None, False, "0.7123"),
        (None, "$", False, DASH),
        (float("nan"), None, False, DASH),
    ],
)
def test_a_score_stands_in_its_unit(
    value: float | None, unit: str | None, signed: bool, text: str
) -> None:
    assert format_score(value, unit, signed=signed) == text


def test_a_score_has_its_interval_where_it_is_known() -> None:
    assert format_score(0.51, "$", 0.35, 0.67) == "$0.510 a decision [0.350, 0.670]"
    for low, high in ((None, 0.67), (0.35, None), (float("nan"), 0.67), (0.35, float("nan"))):
        assert format_score(0.51, "$", low, high) == "$0.510 a decision"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.9512, "0.951"),
        (0.99996, "> 0.999"),
        (0.00001, "< 0.001"),
        (1.0, "1"),
        (0.0, "0"),
        (None, DASH),
        (float("nan"), DASH),
    ],
)
def test_a_probability_is_never_rounded_to_certainty(value: float | None, text: str) -> None:
    assert format_probability(value) == text
