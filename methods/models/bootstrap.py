"""The paired bootstrap by blocks: is one model better than another on the same rows?

Pairing removes the variance that both models share: it needs 8 to 60 times fewer rows than
comparing two intervals. Blocks (days, or buckets of the key) are drawn whole, because errors of one
day are correlated.

Sources: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, sections 8.6 and 16.4;
Kuensch, "The Jackknife and the Bootstrap for General Stationary Observations", Annals of
Statistics 17(3), 1989 (blocks). Assumes that blocks are exchangeable.
"""

from dataclasses import dataclass, field

import numpy as np

from bundle.arrays import Floats
from methods.models.metrics import MetricDefinition
from methods.models.resampling import Blocks, Sample

# Arbitrary: enough for a stable 1 % quantile, few enough for a rank metric in under a second.
MOST_BLOCKS = 400


@dataclass(frozen=True)
class Scored:
    """A model's predictions, (n,) or (n, classes), and the threshold of its decisions.

    Rows that were decided by different thresholds have one each, (n,).
    """

    predicted: Floats
    threshold: float | Floats = 0.5


@dataclass(frozen=True)
class Gain:
    """The result of the paired bootstrap; every number in the metric's unit, positive is better.

    `low` and `high` bound the central 95 %. `probability` is P(gain > 0); a draw that could
    not be scored counts as no gain. `deviation` is the standard deviation over the draws.
    """

    value: float
    low: float
    high: float
    probability: float
    deviation: float
    blocks: int
    draws: Floats = field(default_factory=lambda: np.empty(0), repr=False, compare=False)
    """The gain of every draw, (draws,), NaN where it could not be scored."""

    def probability_above(self, margin: float) -> float:
        """Return P(gain > margin)."""
        return float(np.sum(self.draws > margin) / max(1, len(self.draws)))


def group_blocks(blocks: Blocks, most: int = MOST_BLOCKS) -> tuple[Blocks, int]:
    """Number the blocks from 0 in their own order, neighbours merged until at most `most` remain.

    Returns (n,) of numbers and how many there are.

    >>> numbers, count = group_blocks(np.array([7, 7, 3, 9]), most=2)
    >>> numbers.tolist(), count
    ([0, 0, 0, 1], 2)
    """
    distinct, number = np.unique(blocks, return_inverse=True)
    count = min(len(distinct), most)
    return number.reshape(-1).astype(np.int64) * count // max(1, len(distinct)), count


def draw_counts(block_count: int, draws: int, seed: int) -> Floats:
    """Return how often each block is in each draw, (draws, block_count); rows sum to block_count."""
    generator = np.random.default_rng(seed)
    shares = np.full(block_count, 1.0 / block_count)
    return generator.multinomial(block_count, shares, size=draws).astype(np.float64)


def paired_gain(
    metric: MetricDefinition,
    truth: Floats,
    new: Scored,
    old: Scored,
    blocks: Blocks,
    *,
    seed: int,
    draws: int = 2000,
) -> Gain:
    """Compare two models on the same rows by re-sampling the same blocks for both.

    `truth` and `blocks` are (n,) without NaN; n may be 0, then everything is NaN and the
    probability 0. Deterministic for a seed.
    """
    if len(truth) == 0:
        return Gain(np.nan, np.nan, np.nan, 0.0, np.nan, 0)
    numbers, count = group_blocks(blocks)
    counts = draw_counts(count, draws, seed)
    # The first draw is the original rows: the gain that is reported.
    counts = np.vstack([np.ones((1, count)), counts])
    scores = [
        metric.resampled(Sample(truth, each.predicted, numbers, count, each.threshold), counts)
        for each in (new, old)
    ]
    gains = scores[0] - scores[1] if metric.greater_is_better else scores[1] - scores[0]
    drawn = gains[1:]
    scored = drawn[np.isfinite(drawn)]
    if len(scored) == 0:
        return Gain(float(gains[0]), np.nan, np.nan, 0.0, np.nan, count)
    low, high = np.quantile(scored, [0.025, 0.975])
    return Gain(
        value=float(gains[0]),
        low=float(low),
        high=float(high),
        probability=float(np.sum(scored > 0.0) / draws),
        deviation=float(np.std(scored)),
        blocks=count,
        draws=drawn,
    )
