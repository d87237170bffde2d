import numpy as np
import pytest

from methods.models.families.ensemble import combine, crossed_score, greedy_weights
from methods.models.metrics import metric_named

RMSE = metric_named("rmse", "regression")
RANDOM = np.random.default_rng(0)
TRUTH = RANDOM.normal(size=400)
NOISE = RANDOM.normal(size=(3, 400))


def test_members_whose_errors_cancel_share_the_weight() -> None:
    weights = greedy_weights(RMSE, TRUTH, {"up": TRUTH + NOISE[0], "down": TRUTH - NOISE[0]})

    assert weights == {"down": 0.5, "up": 0.5}


def test_a_member_that_only_adds_noise_has_no_weight() -> None:
    weights = greedy_weights(RMSE, TRUTH, {"good": TRUTH, "bad": TRUTH + 3.0 * NOISE[1]})

    assert weights == {"good": 1.0}


def test_weights_sum_to_one() -> None:
    predictions = {f"m{i}": TRUTH + noise for i, noise in enumerate(NOISE)}

    weights = greedy_weights(RMSE, TRUTH, predictions)

    assert sum(weights.values()) == pytest.approx(1.0)
    assert RMSE.score(TRUTH, combine(weights, predictions)) < min(
        RMSE.score(TRUTH, one) for one in predictions.values()
    )


def test_the_crossed_score_is_not_optimistic() -> None:
    """Forty members of pure noise: weights that saw the rows look better than they are."""
    random = np.random.default_rng(1)
    truth = random.normal(size=60)
    members = {f"m{i}": random.normal(size=60) for i in range(40)}

    unbiased = crossed_score(RMSE, truth, members, np.arange(60))
    optimistic = RMSE.score(truth, combine(greedy_weights(RMSE, truth, members), members))

    assert optimistic < unbiased


def test_one_block_cannot_be_crossed() -> None:
    score = crossed_score(RMSE, TRUTH, {"a": TRUTH}, np.zeros(400, dtype=np.int64))

    assert np.isnan(score)
