"""A threshold is chosen on several blocks, and says how far they agree."""

import numpy as np
import pytest

from methods.models.metrics import METRICS
from methods.models.threshold import best_cut, choose_threshold
from methods.models.yardstick import value_yardstick, with_rows

STORMS = {"true_positive": 2.0, "false_positive": -1.0}
VALUE = value_yardstick(STORMS, "$")


def days(shift: list[float], rows: int = 300) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities that are right on average, and on each day off by `shift` log-odds."""
    random = np.random.default_rng(0)
    blocks = np.repeat(np.arange(len(shift)), rows)
    margin = random.normal(size=len(blocks))
    chance = 1.0 / (1.0 + np.exp(-(margin + np.repeat(shift, rows))))
    truth = (random.random(len(blocks)) < chance).astype(np.float64)
    return truth, 1.0 / (1.0 + np.exp(-margin)), blocks


def test_equal_days_choose_the_same_threshold() -> None:
    truth, predicted, blocks = days([0.0] * 20)

    chosen = choose_threshold(truth, predicted, blocks, VALUE)

    assert chosen.cut == best_cut(truth, predicted, VALUE, STORMS)
    assert chosen.low <= chosen.cut <= chosen.high
    assert chosen.cut == pytest.approx(1.0 / 3.0, abs=0.08)  # Elkan: cost / (cost + benefit)
    assert 0.0 <= VALUE.gain(chosen.score, chosen.left_out_score) < 0.05
    assert (chosen.groups, chosen.losing, chosen.changes_sign) == (10, 0, False)
    assert "$0" in chosen.sentence


def test_a_threshold_that_one_fortnight_chose_is_flagged() -> None:
    """In the storm acting always pays; in the quiet days after it, it never does."""
    truth, predicted, blocks = days([4.0] * 5 + [-4.0] * 5)

    chosen = choose_threshold(truth, predicted, blocks, VALUE)

    assert chosen.changes_sign
    assert "does not hold from block to block" in chosen.sentence


def test_one_block_says_nothing_of_stability() -> None:
    truth, predicted, blocks = days([0.0])

    chosen = choose_threshold(truth, predicted, blocks, VALUE)

    assert (chosen.low, chosen.high, chosen.groups) == (chosen.cut, chosen.cut, 1)
    assert "nothing tells how stable it is" in chosen.sentence


@pytest.mark.parametrize(("name", "by"), [("roc_auc", "f1"), ("accuracy", "accuracy")])
def test_without_values_it_serves_the_metric_or_f1(name: str, by: str) -> None:
    truth, predicted, blocks = days([0.0] * 4)

    chosen = choose_threshold(truth, predicted, blocks, with_rows(METRICS[name]))

    assert chosen.score == METRICS[by].score(truth, predicted, chosen.cut)
    assert (chosen.yardstick.name, chosen.losing, chosen.groups) == (by, 0, 4)
