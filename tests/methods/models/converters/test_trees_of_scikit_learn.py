"""scikit-learn's trees and forests: equal on thresholds, their neighbours and NaN."""

from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from bundle import Trees
from contract.errors import Refused
from methods.models.converters import check_agreement, hard_rows, sklearn_trees

CLASSIFIERS = [ExtraTreesClassifier, RandomForestClassifier, DecisionTreeClassifier]
REGRESSORS = [ExtraTreesRegressor, RandomForestRegressor, DecisionTreeRegressor]


def table(seed: int) -> np.ndarray:
    """Three columns: with NaN, rounded to tenths, and whole numbers."""
    random = np.random.default_rng(seed)
    rows = random.normal(size=(800, 3))
    rows[random.random(800) < 0.1, 0] = np.nan
    rows[:, 1] = np.round(rows[:, 1], 1)
    rows[:, 2] = random.integers(0, 20, 800)
    return rows


def fit(kind: Any, truth: np.ndarray, rows: np.ndarray) -> Any:
    several = {} if "Decision" in kind.__name__ else {"n_estimators": 10, "n_jobs": 1}
    return kind(min_samples_leaf=2, random_state=0, **several).fit(rows, truth)


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_the_probability_of_the_second_class_agrees(kind: Any) -> None:
    rows = table(1)
    truth = (np.nan_to_num(rows[:, 0]) + rows[:, 1] > 0).astype(int)
    estimator = fit(kind, truth, rows)

    found = check_agreement(
        sklearn_trees(estimator), lambda hard: estimator.predict_proba(hard)[:, 1], rows
    )

    assert found < 1e-15


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_the_probabilities_of_all_classes_agree(kind: Any) -> None:
    rows = table(2)
    estimator = fit(kind, np.digitize(rows[:, 1], [-0.5, 0.5]), rows)

    assert check_agreement(sklearn_trees(estimator), estimator.predict_proba, rows) < 1e-15


@pytest.mark.parametrize("kind", REGRESSORS)
def test_values_agree(kind: Any) -> None:
    rows = table(3)
    estimator = fit(kind, rows[:, 1] * 1000 + rows[:, 2], rows)

    assert check_agreement(sklearn_trees(estimator), estimator.predict) < 1e-14


def test_missing_values_that_training_never_saw_agree() -> None:
    rows = np.nan_to_num(table(4))
    estimator = fit(ExtraTreesRegressor, rows[:, 1], rows)
    hard = hard_rows(sklearn_trees(estimator), rows)

    assert np.isnan(hard).any()
    assert check_agreement(sklearn_trees(estimator), estimator.predict, rows) < 1e-14


def test_sample_weights_leave_shares() -> None:
    rows = table(5)
    truth = (rows[:, 1] > 0).astype(int)
    weights = np.where(truth == 1, 5.0, 0.1)
    estimator = DecisionTreeClassifier(max_depth=3).fit(rows, truth, sample_weight=weights)

    found = check_agreement(
        sklearn_trees(estimator), lambda hard: estimator.predict_proba(hard)[:, 1]
    )

    assert found < 1e-15


def test_classes_without_a_training_row_have_no_share() -> None:
    rows = table(6)
    estimator = fit(ExtraTreesClassifier, np.where(rows[:, 1] > 0, 3, 1), rows)

    found = Trees(sklearn_trees(estimator, classes=4)).batch(rows)

    assert np.array_equal(found[:, [0, 2]], np.zeros((800, 2)))
    assert found[:, [1, 3]] == pytest.approx(estimator.predict_proba(rows), abs=1e-15)


def test_a_tree_of_one_leaf_is_a_constant() -> None:
    rows = table(7)
    estimator = DecisionTreeRegressor().fit(rows, np.full(800, 2.5))

    assert Trees(sklearn_trees(estimator)).batch(rows[:2]).tolist() == [[2.5], [2.5]]


def test_several_targets_are_refused() -> None:
    rows = table(8)
    estimator = DecisionTreeRegressor(max_depth=2).fit(rows, rows[:, 1:])

    with pytest.raises(Refused, match="a forest of 2 targets"):
        sklearn_trees(estimator)


def test_more_nodes_than_the_cache_holds_are_refused() -> None:
    rows = table(9)

    with pytest.raises(Refused, match="use fewer trees or larger leaves"):
        sklearn_trees(fit(ExtraTreesRegressor, rows[:, 1], rows), max_nodes=50)
