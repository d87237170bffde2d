import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from methods.models.bootstrap import Scored, draw_counts, group_blocks, paired_gain
from methods.models.metrics import metric_named

RMSE = metric_named("rmse", "regression")
MAE = metric_named("mae", "regression")
AUC = metric_named("roc_auc", "binary")


def test_the_same_model_gains_nothing_over_itself() -> None:
    truth = np.arange(50.0)
    model = Scored(truth + 1.0)

    gain = paired_gain(RMSE, truth, model, model, np.arange(50), seed=0)

    assert (gain.value, gain.low, gain.high, gain.probability) == (0.0, 0.0, 0.0, 0.0)


def test_a_better_model_gains_surely() -> None:
    random = np.random.default_rng(0)
    truth = random.normal(size=400)
    good, bad = Scored(truth + 0.1), Scored(truth + 1.0)

    gain = paired_gain(RMSE, truth, good, bad, np.arange(400), seed=0)

    assert gain.value == pytest.approx(0.9)
    assert gain.probability == 1.0


def test_the_deviation_of_a_mean_is_the_textbooks() -> None:
    """Of a mean of n independent rows: the rows' deviation over the root of n."""
    random = np.random.default_rng(1)
    truth = np.zeros(400)
    new, old = Scored(random.random(400)), Scored(random.random(400))
    differences = np.abs(old.predicted) - np.abs(new.predicted)

    gain = paired_gain(MAE, truth, new, old, np.arange(400), seed=0, draws=4000)

    assert gain.deviation == pytest.approx(differences.std() / 20.0, rel=0.05)


def test_rows_that_err_together_are_drawn_together() -> None:
    """Twenty equal rows a block carry no more than one: the interval must not shrink."""
    random = np.random.default_rng(2)
    one = random.normal(size=20)
    truth, blocks = np.zeros(400), np.repeat(np.arange(20), 20)
    new, old = Scored(np.repeat(one, 20)), Scored(np.zeros(400))

    by_block = paired_gain(MAE, truth, new, old, blocks, seed=0)
    by_row = paired_gain(MAE, truth, new, old, np.arange(400), seed=0)

    assert by_block.deviation > 3.0 * by_row.deviation


def test_a_seed_repeats_the_draws() -> None:
    random = np.random.default_rng(3)
    truth = (random.random(100) < 0.5).astype(np.float64)
    new, old = Scored(random.random(100)), Scored(random.random(100))

    gains = [paired_gain(AUC, truth, new, old, np.arange(100), seed=7) for _ in range(2)]

    assert gains[0] == gains[1]


def test_draws_that_cannot_be_scored_count_as_no_gain() -> None:
    """One positive row: two draws in five lack it."""
    truth = np.zeros(50)
    truth[0] = 1.0
    new, old = Scored(truth), Scored(1.0 - truth)

    gain = paired_gain(AUC, truth, new, old, np.arange(50), seed=0)

    assert gain.probability == pytest.approx(1.0 - (1.0 - 1.0 / 50) ** 50, abs=0.03)


def test_no_rows_give_no_gain() -> None:
    nothing = Scored(np.empty(0))

    gain = paired_gain(RMSE, np.empty(0), nothing, nothing, np.empty(0, dtype=np.int64), seed=0)

    assert (gain.probability, gain.blocks) == (0.0, 0)


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=60), st.integers(1, 8))
def test_grouping_keeps_the_order_of_blocks_and_never_parts_one(
    blocks: list[int], most: int
) -> None:
    numbers, count = group_blocks(np.array(blocks), most)

    assert count <= most
    assert set(numbers.tolist()) == set(range(count))
    pairs = sorted(zip(blocks, numbers.tolist(), strict=True))
    assert [number for _, number in pairs] == sorted(numbers.tolist())


def test_each_draw_has_as_many_blocks_as_there_are() -> None:
    counts = draw_counts(12, 50, seed=0)

    assert counts.sum(axis=1).tolist() == [12.0] * 50
