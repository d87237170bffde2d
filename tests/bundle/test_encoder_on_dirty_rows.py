"""The encoder on what callers really send; one row and a table of rows give the same bits."""

import math
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundle import (
    CategoryPlan,
    DatePlan,
    Encoder,
    EncoderDocument,
    EqualsPlan,
    LookupPlan,
    NumberPlan,
    Plan,
    TextPlan,
)

NAN = math.nan


def encoder(*plans: Plan) -> Encoder:
    return Encoder(EncoderDocument(columns=plans))


def encode(plan: Plan, value: object) -> tuple[list[float], int]:
    """Return the numbers and how many values had to be replaced."""
    found = encoder(plan)
    return found.one({"x": value}), found.coerced["x"]


def same(left: list[float], right: list[float]) -> bool:
    return np.array_equal(np.array(left), np.array(right), equal_nan=True)


@pytest.mark.parametrize(
    ("value", "number", "replaced"),
    [
        (7, 7.0, 0),
        (" 2.5 ", 2.5, 0),
        ("1e3", 1000.0, 0),
        (True, 1.0, 0),
        (Decimal("1.25"), 1.25, 0),
        (np.int64(3), 3.0, 0),
        (np.float32(0.5), 0.5, 0),
        (None, NAN, 0),
        ("", NAN, 0),
        (NAN, NAN, 0),
        ("abc", NAN, 1),
        ("1_0", NAN, 1),
        ("nan", NAN, 1),
        ("inf", NAN, 1),
        (math.inf, NAN, 1),
        (-math.inf, NAN, 1),
        ("1e999", NAN, 1),
        (10**400, NAN, 1),
        ([1], NAN, 1),
        (Decimal("NaN"), NAN, 0),
        (Decimal("sNaN"), NAN, 0),
    ],
)
def test_a_number_is_read_or_counted(value: object, number: float, replaced: int) -> None:
    found, counted = encode(NumberPlan(column="x"), value)

    assert same(found, [number])
    assert counted == replaced


def test_an_absent_column_is_missing_and_not_counted() -> None:
    found = encoder(NumberPlan(column="x"), CategoryPlan(column="y", values={"a": 0}, missing=5))

    assert same(found.one({}), [NAN, 5.0])
    assert same(found.batch(pa.table({"z": [1]}))[0].tolist(), [NAN, 5.0])
    assert found.coerced == {"x": 0, "y": 0}


def test_numbers_are_cut_at_the_limits() -> None:
    plan = NumberPlan(column="x", low=-1.0, high=1.0)
    column = pa.table({"x": [-5.0, -1.0, 0.25, 9.0, None]})

    assert same(encoder(plan).batch(column)[:, 0].tolist(), [-1.0, -1.0, 0.25, 1.0, NAN])
    assert encode(plan, "7")[0] == [1.0]


@pytest.mark.parametrize(("value", "code"), [(2, 1.0), (2.0, 1.0), ("2", 1.0), (1, 0.0)])
def test_a_column_of_two_values_is_zero_or_one(value: object, code: float) -> None:
    assert encode(EqualsPlan(column="x", one=2.0), value) == ([code], 0)


CATEGORY = CategoryPlan(column="x", values={"7": 0, "true": 1, "7.5": 2, "é": 3}, other=9)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (7, 0.0),
        (7.0, 0.0),
        ("7", 0.0),
        (Decimal(7), 0.0),
        (np.int32(7), 0.0),
        (True, 1.0),
        ("true", 1.0),
        (7.5, 2.0),
        (Decimal("7.50"), 2.0),
        ("é", 3.0),
        ("7.0", 9.0),
        ("unseen", 9.0),
        (None, NAN),
        ("", NAN),
        (NAN, NAN),
    ],
)
def test_a_category_has_one_spelling(value: object, code: float) -> None:
    found, counted = encode(CATEGORY, value)

    assert same(found, [code])
    assert counted == 0


@pytest.mark.parametrize("value", [math.inf, 10**400, ["7"], Decimal("Infinity")])
def test_what_is_no_category_is_missing_and_counted(value: object) -> None:
    found, counted = encode(CATEGORY, value)

    assert same(found, [NAN])
    assert counted == 1


def test_an_unseen_value_never_takes_a_known_code() -> None:
    with pytest.raises(ValueError, match="the code of unseen values, 0, is a value's own"):
        CategoryPlan(column="x", values={"a": 0}, other=0)


def test_sizes_count_the_codes_of_missing_and_unseen() -> None:
    found = encoder(
        DatePlan(column="d", parts=("year", "month")),
        CategoryPlan(column="a", values={"u": 0, "v": 1}, missing=2, other=3),
        CategoryPlan(column="b", values={"u": 0}),
    )

    assert found.sizes == {2: 4, 3: 1}
    assert found.names == ("d.year", "d.month", "a", "b")


def test_a_lookup_gives_the_learned_numbers() -> None:
    plan = LookupPlan(column="x", values={"a": (0.25, None)}, missing=(0.5, 0.5), other=(0.4, 0.4))

    assert same(encode(plan, "a")[0], [0.25, NAN])
    assert encode(plan, None)[0] == [0.5, 0.5]
    assert encode(plan, "b")[0] == [0.4, 0.4]


def test_rows_of_a_lookup_have_one_width() -> None:
    with pytest.raises(ValueError, match=r"rows of \[1, 2\] numbers, expected one width"):
        LookupPlan(column="x", values={"a": (0.1,)}, missing=(0.0, 0.0), other=(1.0, 1.0))


def test_terms_have_a_weight_for_each_score() -> None:
    with pytest.raises(ValueError, match="a term without exactly 2 weights"):
        TextPlan(column="x", terms=(("a", 1.0, (0.5,)),), bias=(0.0, 0.0))


def test_a_text_without_bigrams_counts_words_alone() -> None:
    plan = TextPlan(column="x", terms=(("aa aa", 1.0, (1.0,)),), bias=(0.0,), bigrams=False)

    assert encode(plan, "aa aa") == ([0.0], 0)


DATE = DatePlan(column="x", parts=("year", "month", "day", "hour", "weekday", "dayofyear", "days"))


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("2024-02-29T12:00:00", [2024, 2, 29, 12, 3, 60, 19782.5]),
        ("2024-02-29 12:00:00Z", [2024, 2, 29, 12, 3, 60, 19782.5]),
        ("2024-02-29T17:30:00+05:30", [2024, 2, 29, 12, 3, 60, 19782.5]),
        (datetime(2024, 2, 29, 12), [2024, 2, 29, 12, 3, 60, 19782.5]),  # noqa: DTZ001 - naive is UTC
        (datetime(2024, 2, 29, 12, tzinfo=UTC), [2024, 2, 29, 12, 3, 60, 19782.5]),
        (date(1970, 1, 1), [1970, 1, 1, 0, 3, 1, 0.0]),
        ("1969-12-31", [1969, 12, 31, 0, 2, 365, -1.0]),
    ],
)
def test_a_date_becomes_parts_in_utc(value: object, parts: list[float]) -> None:
    assert encode(DATE, value) == (parts, 0)


@pytest.mark.parametrize(
    "value", ["2024-02-30", "31/12/2023", "soon", 20240229, "0001-01-01T00:00:00+10:00"]
)
def test_what_is_no_date_is_missing_and_counted(value: object) -> None:
    found, counted = encode(DATE, value)

    assert same(found, [NAN] * 7)
    assert counted == 1


def test_a_text_is_scored_as_scikit_learn_scores_it() -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = ["The quick brown fox", "the lazy dog, the DOG", "a brown dog", "é été fox fox fox"]
    vectorizer = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2)).fit(texts)
    weights = np.random.default_rng(0).normal(size=(len(vectorizer.vocabulary_), 2))
    terms = tuple(
        (term, float(vectorizer.idf_[place]), tuple(weights[place].tolist()))
        for term, place in vectorizer.vocabulary_.items()
    )
    plan = TextPlan(column="x", terms=terms, bias=(0.5, -0.5))

    expected = vectorizer.transform(texts) @ weights + np.array([0.5, -0.5])
    found = encoder(plan).batch(pa.table({"x": texts}))

    assert np.allclose(found, expected, rtol=0, atol=1e-14)
    assert encode(plan, None) == ([0.5, -0.5], 0)


PLANS = (
    NumberPlan(column="n", low=-100.0, high=100.0),
    EqualsPlan(column="n", one=1.0),
    CategoryPlan(column="c", values={"a": 0, "7": 1, "true": 2}, missing=3, other=4),
    LookupPlan(column="c", values={"a": (0.1, 0.2)}, missing=(0.0, None), other=(1.0, 1.0)),
    DATE.model_copy(update={"column": "d"}),
    TextPlan(column="c", terms=(("aa", 1.5, (0.3,)),), bias=(0.1,)),
)
DIRT = st.sampled_from(
    [
        "",
        "abc",
        "1_0",
        " 2.5 ",
        "1e3",
        "inf",
        "nan",
        "7",
        "7.0",
        "a",
        "aa aa",
        "zzz",
        "é",
        "true",
        "2024-02-30",
        "2024-02-29",
        "29/02/2024",
        "2024-02-29T10:00:00+02:00",
    ]
)
TEXTS = st.one_of(st.none(), DIRT, st.text(max_size=5), st.floats(allow_subnormal=False).map(str))


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS), max_size=30))
def test_one_row_has_the_bits_and_counts_it_has_in_a_table(rows: list[tuple[Any, ...]]) -> None:
    one, batch = encoder(*PLANS), encoder(*PLANS)
    columns = list(zip(*rows, strict=True)) or [()] * 3
    table = pa.table(
        {name: pa.array(column, pa.string()) for name, column in zip("ncd", columns, strict=True)}
    )

    alone = [one.one(dict(zip("ncd", row, strict=True))) for row in rows]
    together = batch.batch(table)

    assert np.array_equal(np.array(alone).reshape(together.shape), together, equal_nan=True)
    assert one.coerced == batch.coerced


COLUMNS: dict[str, tuple[pa.DataType, Callable[[], st.SearchStrategy[Any]]]] = {
    "int64": (pa.int64(), lambda: st.integers(-(2**63), 2**63 - 1)),
    "uint64": (pa.uint64(), lambda: st.integers(0, 2**64 - 1)),
    "float64": (pa.float64(), st.floats),
    "float32": (pa.float32(), lambda: st.floats(width=32)),
    "boolean": (pa.bool_(), st.booleans),
    "decimal": (pa.decimal128(12, 2), lambda: st.decimals(-(10**6), 10**6, places=2)),
    "dictionary": (pa.dictionary(pa.int8(), pa.string()), lambda: st.sampled_from(["a", "7", "1"])),
    "timestamp": (
        pa.timestamp("us"),
        lambda: st.datetimes(datetime(1, 1, 1), datetime(9999, 1, 1)),  # noqa: DTZ001 - naive is UTC
    ),
    "date": (pa.date32(), st.dates),
    "null": (pa.null(), st.none),
    "list": (pa.list_(pa.int64()), lambda: st.lists(st.integers(0, 9), max_size=2)),
}


@pytest.mark.parametrize("name", COLUMNS)
@given(data=st.data())
def test_every_type_of_column_reads_as_its_values_do(name: str, data: st.DataObject) -> None:
    kind, draw = COLUMNS[name]
    values = data.draw(st.lists(st.none() | draw(), max_size=12))
    plans = [plan.model_copy(update={"column": "x"}) for plan in PLANS]
    column = pa.chunked_array([pa.array(values[:5], kind), pa.array(values[5:], kind)], kind)
    one, batch = encoder(*plans), encoder(*plans)

    alone = [one.one({"x": value}) for value in column.to_pylist()]
    together = batch.batch(pa.table({"x": column}))

    assert np.array_equal(np.array(alone).reshape(together.shape), together, equal_nan=True)
    assert one.coerced == batch.coerced


def test_nanoseconds_round_down_before_the_epoch_too() -> None:
    column = pa.array([-1, 0], pa.timestamp("ns"))
    plan = DatePlan(column="x", parts=("year",))

    assert encoder(plan).batch(pa.table({"x": column}))[:, 0].tolist() == [1969.0, 1970.0]


def test_a_year_that_python_cannot_hold_is_missing_and_counted() -> None:
    column = pa.array([10**15, 0], pa.timestamp("s"))
    found = encoder(DatePlan(column="x", parts=("year",)))

    assert same(found.batch(pa.table({"x": column}))[:, 0].tolist(), [NAN, 1970.0])
    assert found.coerced == {"x": 1}
