"""From trials to a plan: one model or an ensemble, its calibration and its threshold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bundle.arrays import Floats
from methods.models.calibration import (
    CalibrationKind,
    apply_calibration,
    choose_calibration,
    fit_calibration,
)
from methods.models.families.ensemble import combine, crossed_score, greedy_weights
from methods.models.metrics import MetricDefinition
from methods.models.resampling import Blocks
from methods.models.threshold import best_cut
from tasks.tuning.search import ScoredTrial

MOST_MEMBERS = 5  # each is refitted, stored and scored with; a sixth never paid for its cost
_TRIALS_A_FAMILY = 2  # an ensemble gains from members that differ
_CANDIDATES = 8  # of an ensemble


@dataclass(frozen=True)
class Choice:
    """The members with their weights, and their predictions for the scored rows, not calibrated."""

    members: tuple[tuple[ScoredTrial, float], ...]
    predicted: Floats


def choose_members(
    tried: Sequence[ScoredTrial],
    truth: Floats,
    blocks: Blocks,
    metric: MetricDefinition,
    *,
    may_mix: bool,
) -> Choice:
    """Return the best single trial, or the ensemble where it wins on rows that did not select its weights.

    `truth` and `blocks` are (n,) of validation; `may_mix` is True where ensembles are allowed.
    """
    best = max(tried, key=lambda one: (one.goodness, -one.number))
    alone = Choice(((best, 1.0),), best.predicted)
    pool = _pool(tried)
    if not may_mix or len(pool) == 1:
        return alone
    predictions = {str(one.number): one.predicted for one in pool}
    mixed = metric.goodness(crossed_score(metric, truth, predictions, blocks))
    if not mixed > best.goodness:  # NaN compares false
        return alone
    weights = _strongest(greedy_weights(metric, truth, predictions))
    by_number = {str(one.number): one for one in pool}
    members = tuple((by_number[number], weight) for number, weight in weights.items())
    return Choice(members, combine(weights, predictions))


def choose_decision(
    truth: Floats,
    predicted: Floats,
    blocks: Blocks,
    metric: MetricDefinition,
    values: Mapping[str, float] | None,
    *,
    forward: bool,
) -> tuple[CalibrationKind, float | None, float]:
    """Return the calibration, the threshold (None unless binary) and the metric's score with both.

    For classes only; `predicted` is (n,) or (n, classes) of validation.

    Nothing is calibrated where validation is later than train: the map would fit the base rate of
    those weeks to a model that was not trained on them, while the model that is served was. On the
    flights of 2013 that cost much of the log-loss a month later.
    """
    kind = "none" if forward else choose_calibration(truth, predicted, blocks)
    final = apply_calibration(fit_calibration(truth, predicted, kind), predicted)
    if final.ndim > 1:
        return kind, None, metric.score(truth, final)
    threshold = best_cut(truth, final, metric, values)
    return kind, threshold, metric.score(truth, final, threshold)


def _pool(tried: Sequence[ScoredTrial]) -> list[ScoredTrial]:
    """Return the best trials of each family: an ensemble gains from members that differ."""
    ordered = sorted(tried, key=lambda one: (-one.goodness, one.number))
    counts: dict[str, int] = {}
    pool = []
    for one in ordered:
        counts[one.family] = counts.get(one.family, 0) + 1
        if counts[one.family] <= _TRIALS_A_FAMILY:
            pool.append(one)
    return pool[:_CANDIDATES]


def _strongest(weights: Mapping[str, float]) -> dict[str, float]:
    """Keep the strongest members; their weights sum to 1 again."""
    kept = dict(sorted(weights.items(), key=lambda one: -one[1])[:MOST_MEMBERS])
    total = sum(kept.values())
    return {number: weight / total for number, weight in kept.items()}
