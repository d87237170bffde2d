from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.problem.units import duration, share, size, write_duration, write_size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("20ms", 0.02), ("90s", 90), ("5m", 300), ("2h", 7200), ("7d", 604800), ("1w", 604800)],
)
def test_a_duration_is_read_as_people_write_it(text: str, seconds: float) -> None:
    assert duration(text) == timedelta(seconds=seconds)


@given(st.integers(min_value=0, max_value=10**9).map(lambda n: timedelta(milliseconds=n)))
def test_a_written_duration_reads_as_itself(value: timedelta) -> None:
    assert duration(write_duration(value)) == value


@given(st.integers(min_value=0, max_value=10**15))
def test_a_written_size_reads_as_itself(value: int) -> None:
    assert size(write_size(value)) == value


def test_typed_values_pass_unchanged() -> None:
    assert duration(timedelta(days=1)) == timedelta(days=1)
    assert share(0.15) == 0.15
    assert size(10) == 10


@pytest.mark.parametrize("value", ["7 days", 7, None, "-1d", ""])
def test_what_is_no_duration_is_shown_with_an_example(value: object) -> None:
    with pytest.raises(ValueError, match=r"a duration is expected, such as 90s, 5m, 2h, 7d"):
        duration(value)


@pytest.mark.parametrize("value", ["101%", 1.5, -0.1, True, "a lot", None])
def test_what_is_no_share_is_shown_with_an_example(value: object) -> None:
    with pytest.raises(ValueError, match=r"a share is expected, such as 15% or 0\.15"):
        share(value)


@pytest.mark.parametrize("value", ["200 megabytes", -1, True, None])
def test_what_is_no_size_is_shown_with_an_example(value: object) -> None:
    with pytest.raises(ValueError, match="a size is expected, such as 200MB or 1GiB"):
        size(value)
