"""The compiled decoder and the rules in words say yes and no to the same rows."""

import contextlib
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bundle
from bundle.request import complaints
from serving.rows import InvalidRows, NotJson, RowDecoder

NAMES = ("class", "a b", "f0", "größe", "flag", "when", "note")
CONTRACT = bundle.Contract(
    problem="p",
    task="regression",
    columns=(
        bundle.Column(name="class", type="number", required=True, nullable=False, low=0, high=10),
        bundle.Column(name="a b", type="number", required=True),
        bundle.Column(name="f0", type="category", nullable=False),
        bundle.Column(name="größe", type="category"),
        bundle.Column(name="flag", type="boolean"),
        bundle.Column(name="when", type="date"),
        bundle.Column(name="note", type="text"),
    ),
    output=bundle.ScoreOutput(name="y"),
    key=("class", "id"),
    event_time="when",
)
ROWS = RowDecoder(CONTRACT)

values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 15),
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.lists(st.integers(), max_size=1),
    st.just({}),
)
good: dict[str, st.SearchStrategy[Any]] = {
    "class": st.floats(0, 10) | st.integers(0, 10),
    "a b": st.none() | st.floats(allow_nan=False, allow_infinity=False),
}
rows = st.fixed_dictionaries(good, optional=dict.fromkeys((*NAMES[2:], "id"), values)) | (
    st.dictionaries(st.sampled_from((*NAMES, "id", "other")), values)
)


@settings(max_examples=300)
@given(rows)
def test_both_say_yes_to_the_same_rows(row: dict[str, object]) -> None:
    body = msgspec.json.encode(row)
    found = complaints(CONTRACT, row)

    if found:
        with pytest.raises(InvalidRows) as refusal:
            ROWS.one(body)
        assert refusal.value.complaints == found
    else:
        decoded = ROWS.one(body)
        assert {name: decoded[name] for name in row} == row


@settings(max_examples=100)
@given(st.lists(rows, max_size=4))
def test_a_batch_is_good_where_each_row_is(batch: list[dict[str, object]]) -> None:
    body = msgspec.json.encode({"rows": batch})
    faults = [place for place, row in enumerate(batch) if complaints(CONTRACT, row)]

    if faults:
        with pytest.raises(InvalidRows) as refusal:
            ROWS.batch(body)
        assert sorted({fault.row for fault in refusal.value.complaints}) == faults
    else:
        assert len(ROWS.batch(body)) == len(batch)


@settings(max_examples=200)
@given(st.binary(max_size=30))
def test_no_bytes_end_in_a_bug(body: bytes) -> None:
    with contextlib.suppress(InvalidRows, NotJson):
        ROWS.one(body)


@pytest.mark.parametrize("body", [b"[]", b'{"rows": 1}', b'{"rows": [], "more": 1}', b"null"])
def test_a_batch_of_another_shape_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRows) as found:
        ROWS.batch(body)

    assert found.value.complaints


def test_a_number_beyond_what_json_can_carry_is_refused() -> None:
    with pytest.raises((InvalidRows, NotJson)):
        ROWS.one(b'{"class": 1, "a b": 1e999}')
