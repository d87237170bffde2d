from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from bundle.plans import CategoryPlan, DatePlan, EqualsPlan, LookupPlan
from contract.errors import Refused
from methods.columns.roles import column_of
from methods.columns.schema import Schema
from methods.models.encoders.categories import canonical_codes
from methods.models.encoders.column import EncodingSettings
from methods.models.encoding import fit_encoding

SETTINGS = EncodingSettings()


def schema(table: pa.Table, task: str = "binary") -> Schema:
    return Schema(
        key=(),
        event_time=None,
        group=None,
        target="y",
        task=task,  # type: ignore[arg-type] # one of the three
        classes=() if task == "regression" else ("no", "yes"),
        columns=tuple(column_of(name, table[name]) for name in table.column_names),
    )


def truth(rows: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 2, rows).astype(np.float64)


def test_a_two_valued_number_is_coded_zero_and_one() -> None:
    """LightGBM's extra_trees never splits it otherwise."""
    table = pa.table({"term": [36, 60] * 40})

    encoding, encoded = fit_encoding(schema(table), table, truth(80), SETTINGS, 0)

    assert encoding.document.columns == (EqualsPlan(column="term", one=60.0),)
    assert np.unique(encoded).tolist() == [0.0, 1.0]


def test_a_pair_of_words_is_coded_zero_and_one_and_a_third_word_is_missing() -> None:
    table = pa.table({"sex": ["m", "f"] * 40})

    encoding, _ = fit_encoding(schema(table), table, truth(80), SETTINGS, 0)
    found = encoding.encode(pa.table({"sex": ["f", "m", "x", None]}))

    assert found[:2, 0].tolist() == [0.0, 1.0]
    assert np.isnan(found[2:, 0]).all()


def test_columns_that_name_or_never_vary_are_left_out() -> None:
    table = pa.table({"id": range(100), "same": ["a"] * 100, "size": np.linspace(0, 1, 100)})

    encoding, _ = fit_encoding(schema(table), table, truth(100), SETTINGS, 0)

    assert [output.column for output in encoding.outputs] == ["size"]


def test_nothing_to_learn_from_is_refused() -> None:
    table = pa.table({"same": ["a"] * 60})

    with pytest.raises(Refused, match="none of the 1 columns varies"):
        fit_encoding(schema(table), table, truth(60), SETTINGS, 0)


def test_codes_go_by_frequency_and_the_rest_share_one() -> None:
    table = pa.table({"city": ["b"] * 50 + ["a"] * 30 + ["c"] * 5 + ["d"] * 5})
    settings = SETTINGS.model_copy(update={"levels": 2})

    encoding, _ = fit_encoding(schema(table), table, truth(90), settings, 0)

    plan = encoding.document.columns[0]
    assert isinstance(plan, CategoryPlan)
    assert (plan.values, plan.other) == ({"b": 0, "a": 1}, 2)
    assert encoding.outputs[0].size == 3


def test_a_category_of_many_levels_gets_its_mean_as_well() -> None:
    table = pa.table({"shop": [f"s{i % 50}" for i in range(500)]})

    encoding, encoded = fit_encoding(schema(table), table, truth(500), SETTINGS, 0)

    assert [output.kind for output in encoding.outputs] == ["code", "lookup"]
    assert encoded.shape == (500, 2)


def test_no_row_sees_its_own_label_in_its_lookup() -> None:
    """Labels that are pure noise: a lookup that saw them would tell them apart."""
    labels = truth(600)
    table = pa.table({"shop": [f"s{i % 200}" for i in range(600)]})

    encoding, encoded = fit_encoding(schema(table), table, labels, SETTINGS, 0)

    position = [output.kind for output in encoding.outputs].index("lookup")
    crossed = np.corrcoef(encoded[:, position], labels)[0, 1]
    leaked = np.corrcoef(encoding.encode(table)[:, position], labels)[0, 1]
    assert leaked > 0.4
    assert crossed < 0.1


def test_a_level_seen_once_is_no_level() -> None:
    table = pa.table({"shop": ["rare"] + [f"s{i % 50}" for i in range(299)]})

    encoding, _ = fit_encoding(schema(table), table, truth(300), SETTINGS, 0)

    plan = encoding.document.columns[1]
    assert isinstance(plan, LookupPlan)
    assert "rare" not in plan.values


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (20, {"hour", "weekday"}),
        (100, {"hour", "weekday", "day"}),
        (800, {"hour", "weekday", "day", "month", "dayofyear"}),
    ],
)
def test_a_part_of_a_date_counts_once_its_cycle_was_seen_twice(
    days: int, expected: set[str]
) -> None:
    start = datetime(2022, 1, 1, tzinfo=UTC)
    table = pa.table({"seen": [start + timedelta(hours=i * days * 24 / 777) for i in range(801)]})

    plan = fit_encoding(schema(table), table, truth(801), SETTINGS, 0)[0].document.columns[0]

    assert isinstance(plan, DatePlan)
    assert set(plan.parts) - {"minute"} == expected


def test_dates_of_one_day_are_no_feature() -> None:
    table = pa.table(
        {"seen": [datetime(2022, 1, 1, tzinfo=UTC)] * 50, "x": np.linspace(0.0, 1.0, 50) ** 2}
    )

    encoding, _ = fit_encoding(schema(table), table, truth(50), SETTINGS, 0)

    assert [plan.kind for plan in encoding.document.columns] == ["number"]


def test_new_rows_are_encoded_as_training_rows_were() -> None:
    table = pa.table(
        {
            "size": pa.array(np.linspace(0, 1, 120), mask=np.arange(120) % 7 == 0),
            "city": [["oslo", "bergen", None][i % 3] for i in range(120)],
        }
    )

    encoding, encoded = fit_encoding(schema(table), table, truth(120), SETTINGS, 0)

    assert np.array_equal(encoding.encode(table), encoded, equal_nan=True)


def test_one_canonical_word_for_seven_however_it_is_written() -> None:
    codes, words = canonical_codes(pa.chunked_array([pa.array([7.0, 8.5, None])]))

    assert (codes.tolist(), words) == ([0, 1, -1], ["7", "8.5"])


def test_texts_become_scores_that_are_cross_fitted() -> None:
    labels = truth(400)
    words = [
        " ".join(["good" if label else "bad", f"word{i % 3}", "and more", f"item{i}"])
        for i, label in enumerate(labels)
    ]
    table = pa.table({"review": words})
    read = schema(table)
    assert read.columns[0].role == "text"

    encoding, encoded = fit_encoding(read, table, labels, SETTINGS, 0)

    assert [output.kind for output in encoding.outputs] == ["text"]
    assert encoded[labels == 1, 0].min() > encoded[labels == 0, 0].max()


def test_a_seed_repeats_the_encoding() -> None:
    table = pa.table({"shop": [f"s{i % 50}" for i in range(500)]})

    found = [fit_encoding(schema(table), table, truth(500), SETTINGS, 3) for _ in range(2)]

    assert found[0][0].document == found[1][0].document
    assert np.array_equal(found[0][1], found[1][1])
