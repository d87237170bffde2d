"""LightGBM's trees: bit-equal on thresholds, their neighbours, NaN and unseen codes."""

from typing import Any

import lightgbm
import numpy as np
import pytest

from bundle import Trees
from contract.errors import Refused
from methods.models.converters import check_agreement, hard_rows, lightgbm_trees

ROWS = 1500


def table(seed: int, *, missing: bool = True) -> np.ndarray:
    """Two numeric columns with NaN, one without, one of zeros and tiny values, one of codes."""
    random = np.random.default_rng(seed)
    rows = random.normal(size=(ROWS, 5))
    rows[:, 1] = np.round(rows[:, 1], 1)
    rows[:, 3] = random.choice([0.0, 1e-36, -1e-36, 1e-30, 1.0, np.inf, -np.inf], ROWS)
    rows[:, 4] = random.integers(0, 40, ROWS)
    if missing:
        rows[random.random(ROWS) < 0.1, 0] = np.nan
        rows[random.random(ROWS) < 0.1, 4] = np.nan
    return rows


def target(rows: np.ndarray, objective: str) -> np.ndarray:
    signal = np.nan_to_num(rows[:, 0]) + rows[:, 2] + np.nan_to_num(rows[:, 4]) % 3
    if objective == "binary":
        return (signal > 1).astype(int)
    if objective == "multiclass":
        return np.digitize(signal, [0, 1, 2])
    return signal * 100


def train(task: str, rows: np.ndarray, **settings: Any) -> lightgbm.Booster:
    fixed = {
        "objective": task,
        "num_leaves": 15,
        "min_data_in_leaf": 5,
        "min_data_per_group": 5,
        "cat_smooth": 1,
        "verbosity": -1,
        "num_threads": 1,
        "seed": 1,
    }
    if task == "multiclass":
        fixed["num_class"] = 4
    categorical = settings.pop("categorical_feature", [4])
    rounds = settings.pop("rounds", 15)
    data = lightgbm.Dataset(rows, target(rows, task), categorical_feature=categorical)
    return lightgbm.train(fixed | settings, data, rounds)


@pytest.mark.parametrize(
    "objective",
    ["binary", "multiclass", "regression", "regression_l1", "huber", "quantile", "cross_entropy"],
)
def test_scores_have_the_same_bits_on_hard_rows(objective: str) -> None:
    rows = table(1)
    label = "binary" if objective == "cross_entropy" else objective
    booster = train(label, rows, objective=objective)
    tensors = lightgbm_trees(booster)

    for hard in (rows, hard_rows(tensors, rows, seed=2), hard_rows(tensors, seed=3)):
        native = np.asarray(booster.predict(hard, num_threads=1)).reshape(len(hard), -1)
        assert np.array_equal(Trees(tensors).batch(hard), native)


@pytest.mark.parametrize(
    "settings",
    [
        {"use_missing": False},
        {"extra_trees": True, "num_leaves": 63},
        {"max_cat_to_onehot": 64},
        {"bagging_fraction": 0.5, "bagging_freq": 1},
        {"num_leaves": 2},
        {"min_data_in_leaf": 10_000},
    ],
    ids=str,
)
def test_margins_have_the_same_bits_under_other_settings(settings: dict[str, Any]) -> None:
    booster = train("binary", table(4), **settings)

    found = check_agreement(
        lightgbm_trees(booster),
        lambda hard: booster.predict(hard, raw_score=True, num_threads=1),
        raw=True,
    )

    assert found == 0.0


def test_a_steeper_sigmoid_is_kept() -> None:
    booster = train("binary", table(4), sigmoid=2.5)

    assert check_agreement(lightgbm_trees(booster), booster.predict) == 0.0


def test_columns_without_missing_rows_read_nan_as_zero() -> None:
    booster = train("regression", table(5, missing=False))

    assert check_agreement(lightgbm_trees(booster), booster.predict) == 0.0


def test_only_the_best_rounds_are_kept() -> None:
    booster = train("binary", table(6))
    booster.best_iteration = 4

    tensors = lightgbm_trees(booster)

    assert len(tensors.arrays["roots"]) == 4
    assert check_agreement(tensors, lambda hard: booster.predict(hard, num_iteration=4)) == 0.0


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"objective": "poisson"}, "'poisson' cannot be served"),
        ({"objective": "regression", "reg_sqrt": True}, "sqrt' cannot be served"),
        ({"zero_as_missing": True}, "zeros that stand for missing"),
        ({"linear_tree": True, "categorical_feature": []}, "linear tree"),
        (
            {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5},
            "cannot be served",
        ),
    ],
)
def test_what_the_kernel_has_no_rule_for_is_refused(settings: dict[str, Any], why: str) -> None:
    rows = np.abs(table(7, missing=False))
    rows[:, 3] = 0.5
    booster = train("regression", rows, **settings)

    with pytest.raises(Refused, match=why):
        lightgbm_trees(booster)
