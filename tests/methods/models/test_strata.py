"""Metrics of ranks where rows were scored by different models: ranks within each stratum alone."""

import numpy as np
import pytest

from methods.models.bootstrap import Scored, paired_gain
from methods.models.metrics import METRICS

RNG = np.random.default_rng(5)
TRUTH = (RNG.random(600) < 0.4).astype(float)
SCORES = np.clip(0.3 * TRUTH + 0.7 * RNG.random(600), 0.0, 1.0)
STRATA = np.repeat([0, 1, 2], 200)
# Another scale in each stratum, and the same order of the rows within it.
RESCALED = SCORES**2 * np.array([1.0, 0.5, 0.1])[STRATA]


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
def test_another_scale_in_each_stratum_changes_no_rank(name: str) -> None:
    metric = METRICS[name]

    assert metric.score(TRUTH, RESCALED) < metric.score(TRUTH, SCORES) - 0.01
    within = metric.score(TRUTH, SCORES, strata=STRATA)
    assert metric.score(TRUTH, RESCALED, strata=STRATA) == pytest.approx(within)


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
def test_one_stratum_is_the_metric_itself(name: str) -> None:
    one = np.zeros(600, dtype=np.int64)

    assert METRICS[name].score(TRUTH, SCORES, strata=one) == METRICS[name].score(TRUTH, SCORES)


def test_the_area_is_of_the_pairs_within_strata() -> None:
    won = pairs = 0.0
    for stratum in range(3):
        rows = STRATA == stratum
        positive, negative = SCORES[rows & (TRUTH == 1.0)], SCORES[rows & (TRUTH == 0.0)]
        won += (positive[:, None] > negative).sum() + 0.5 * (positive[:, None] == negative).sum()
        pairs += len(positive) * len(negative)

    assert METRICS["roc_auc"].score(TRUTH, SCORES, strata=STRATA) == pytest.approx(won / pairs)


def test_a_stratum_of_one_class_says_nothing() -> None:
    truth = np.where(STRATA == 1, 1.0, TRUTH)
    others = STRATA != 1

    area = METRICS["roc_auc"].score(truth, SCORES, strata=STRATA)
    assert area == METRICS["roc_auc"].score(truth[others], SCORES[others], strata=STRATA[others])


def test_a_model_of_other_scales_gains_and_loses_nothing() -> None:
    blocks = np.arange(600) // 20
    metric = METRICS["roc_auc"]

    gain = paired_gain(
        metric, TRUTH, Scored(RESCALED), Scored(SCORES), blocks, seed=0, strata=STRATA
    )

    assert (gain.value, gain.low, gain.high) == pytest.approx((0.0, 0.0, 0.0))
    assert gain.probability_above(-0.001) == 1.0
