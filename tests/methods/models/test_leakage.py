"""What one column tells of the target: known answers."""

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from methods.models.leakage import find_leaks, predictive_power

RANDOM = np.random.default_rng(0)
N = 400
BINARY = RANDOM.integers(0, 2, N).astype(float)
NOISE = RANDOM.normal(size=N)


def column(values: object) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values)])


def test_the_area_is_the_usual_one() -> None:
    numbers = np.round(BINARY + RANDOM.normal(size=N), 1)  # with ties

    assert predictive_power(column(numbers), BINARY, "binary") == pytest.approx(
        roc_auc_score(BINARY, numbers)
    )


def test_a_reversed_column_tells_as_much() -> None:
    assert predictive_power(column(-BINARY - NOISE / 1e6), BINARY, "binary") == pytest.approx(1.0)


def test_the_target_in_other_words_is_suspected() -> None:
    words = np.where(BINARY == 1, "late", "on time")

    assert predictive_power(column(words), BINARY, "binary") == pytest.approx(1.0)


def test_names_of_rows_are_not_suspected() -> None:
    """Each value is seen once: the mean of the target by value would be the target itself."""
    names = [f"n{i}" for i in range(N)]

    assert predictive_power(column(names), BINARY, "binary") < 0.6


def test_a_value_that_is_only_there_afterwards_is_suspected() -> None:
    delay = [5.0 if y else None for y in BINARY]

    found = find_leaks(pa.table({"delay": delay, "noise": NOISE}), BINARY, "binary")

    assert ["delay"] == [finding.column for finding in found]


def test_a_copy_of_a_number_is_suspected_in_a_regression() -> None:
    table = pa.table({"copy": np.exp(NOISE), "noise": RANDOM.normal(size=N)})

    assert ["copy"] == [finding.column for finding in find_leaks(table, NOISE, "regression")]


def test_a_code_of_the_class_is_suspected() -> None:
    classes = RANDOM.integers(0, 4, N).astype(float)
    table = pa.table({"code": [f"c{c}" for c in classes], "number": classes * 7, "noise": NOISE})

    found = {finding.column for finding in find_leaks(table, classes, "multiclass")}

    assert {"code", "number"} == found


def test_few_rows_raise_no_suspicion() -> None:
    assert [] == find_leaks(pa.table({"y": [0.0, 1.0] * 10}), np.array([0.0, 1.0] * 10), "binary")
