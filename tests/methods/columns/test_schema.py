"""The schema: which columns a model sees, and what it predicts."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from contract.errors import InvalidRequest, Refused
from contract.problem import Problem, read_problem_text
from methods.columns.schema import features_table, infer_schema, is_feature, target_vector

TABLE = pa.table(
    {
        "id": list(range(100)),
        "price": [i * 0.5 for i in range(100)],
        "color": ["red", "blue", "green", None] * 25,
        "known": ["2026"] * 100,
        "late": ["yes", "no", None, "no"] * 25,
        "class": [f"c{i % 3}" for i in range(100)],
    }
)


def problem(target: str = "late", **more: Any) -> Problem:
    import json

    value = {
        "apiVersion": "perennial/v1",
        "kind": "Problem",
        "name": "p",
        "question": "q",
        "target": {"column": target, **more.pop("target_more", {})},
        "source": {"rows": {"kind": "files", "path": "x.csv", "key": ["id"], "known_at": "known"}},
        **more,
    }
    return read_problem_text(json.dumps(value), "p")


def test_key_target_and_what_becomes_known_are_no_features() -> None:
    found = infer_schema(TABLE, problem())

    assert ("price", "color", "class") == found.names
    assert found.key == ("id",)


def test_a_column_of_a_key_with_parts_may_be_a_feature() -> None:
    two = {"rows": {"kind": "files", "path": "x.csv", "key": ["id", "color"]}}

    assert is_feature("color", problem(source=two))


def test_the_word_that_says_yes_is_positive() -> None:
    assert ("no", "yes") == infer_schema(TABLE, problem()).classes


def test_the_declared_class_is_positive() -> None:
    assert ("yes", "no") == infer_schema(TABLE, problem(target_more={"positive": "no"})).classes


def test_the_rarer_class_is_positive_where_none_says_yes() -> None:
    table = TABLE.set_column(4, "late", pa.array(["ham", "ham", "ham", "eggs"] * 25))

    assert ("ham", "eggs") == infer_schema(table, problem()).classes


def test_a_positive_class_that_is_not_there_is_an_invalid_request() -> None:
    with pytest.raises(InvalidRequest, match="holds 'no' and 'yes'; name one of them"):
        infer_schema(TABLE, problem(target_more={"positive": "maybe"}))


def test_the_target_is_coded_and_missing_labels_are_nan() -> None:
    schema = infer_schema(TABLE, problem())

    np.testing.assert_array_equal([1.0, 0.0, np.nan, 0.0], target_vector(TABLE, schema)[:4])


def test_classes_are_indexed_in_order() -> None:
    schema = infer_schema(TABLE, problem("class"))

    assert schema.task == "multiclass"
    np.testing.assert_array_equal([0.0, 1.0, 2.0], target_vector(TABLE, schema)[:3])


def test_numbers_named_as_classes_sort_as_numbers() -> None:
    table = TABLE.append_column("digit", pa.array([10, 9, 2, 1] * 25))

    assert ("1", "2", "9", "10") == infer_schema(table, problem("digit")).classes


@pytest.mark.parametrize(
    ("values", "task"),
    [
        ([0.5, 1.5, 2.5, 3.5] * 25, "regression"),
        (list(range(100)), "regression"),
        ([1, 2, 3, 4] * 25, "multiclass"),
        ([1.0, 0.0, 1.0, 0.0] * 25, "binary"),
        ([True, False] * 50, "binary"),
    ],
)
def test_the_task_follows_from_the_values(values: list[object], task: str) -> None:
    table = TABLE.append_column("y", pa.array(values))

    assert task == infer_schema(table, problem("y")).task


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["same"] * 100, "holds one value, 'same'"),
        ([None] * 100, "holds no value"),
        ([f"text {i}" for i in range(100)] + [], None),
    ],
)
def test_a_target_that_cannot_be_learned_is_refused(values: list[object], said: str | None) -> None:
    table = TABLE.append_column("y", pa.array(values, pa.string()))
    if said is None:
        table = pa.concat_tables([table, table.set_column(6, "y", pa.array(["more"] * 100))])
        said = "different texts"

    with pytest.raises(Refused, match=said):
        infer_schema(table, problem("y"))


def test_a_class_of_later_rows_is_refused() -> None:
    schema = infer_schema(TABLE, problem("class"))
    later = TABLE.set_column(5, "class", pa.array(["new"] * 100))

    with pytest.raises(Refused, match="holds the class 'new'; the classes are 'c0', 'c1', 'c2'"):
        target_vector(later, schema)


def test_an_absent_target_is_named_with_what_was_meant() -> None:
    with pytest.raises(InvalidRequest, match=r"'lat', which target.column names.*'late'\?"):
        infer_schema(TABLE, problem("lat"))


def test_overrides_hold() -> None:
    columns = {
        "price": {"role": "category", "required": False},
        "color": {"role": "drop"},
        "class": {"unit": "kinds"},
    }

    found = {
        column.name: column for column in infer_schema(TABLE, problem(columns=columns)).columns
    }

    assert {"price", "class"} == set(found)
    assert (found["price"].role, found["price"].required) == ("category", False)
    assert found["class"].unit == "kinds"


def test_an_override_of_nothing_is_an_invalid_request() -> None:
    with pytest.raises(InvalidRequest, match=r"'prize', which columns.prize names.*'price'\?"):
        infer_schema(TABLE, problem(columns={"prize": {"unit": "euros"}}))


def test_a_table_without_features_is_refused() -> None:
    with pytest.raises(Refused, match="None of the 0 columns beside the target"):
        infer_schema(TABLE.select(["id", "late"]), problem())


def test_features_come_in_the_schemas_order() -> None:
    schema = infer_schema(TABLE, problem())
    shuffled = TABLE.select(["late", "class", "color", "price", "id", "known"])

    assert ["price", "color", "class"] == features_table(shuffled, schema).column_names
