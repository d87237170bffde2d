import numpy as np
import pytest

from methods.models.metrics import metric_named
from tasks.training.importance import permutation_importance

RMSE = metric_named("rmse", "regression")


def test_the_column_that_decides_has_all_of_the_share() -> None:
    encoded = np.random.default_rng(0).normal(size=(500, 3))
    truth = encoded[:, 0] + encoded[:, 1]

    found = permutation_importance(
        encoded,
        truth,
        lambda rows: rows[:, 0] + rows[:, 1],
        {"pair": [0, 1], "noise": [2]},
        RMSE,
        seed=0,
    )

    assert [(one.column, one.share) for one in found] == [("pair", 1.0), ("noise", 0.0)]
    # Shuffled values of variance 2 are wrong by a variance of 4.
    assert found[0].loss == pytest.approx(2.0, rel=0.1)


def test_a_model_that_ignores_everything_has_no_shares() -> None:
    encoded = np.random.default_rng(0).normal(size=(100, 2))

    found = permutation_importance(
        encoded, encoded[:, 0], lambda rows: np.zeros(len(rows)), {"b": [0], "a": [1]}, RMSE, seed=0
    )

    assert [(one.column, one.share) for one in found] == [("a", 0.0), ("b", 0.0)]
