"""The ensemble: a weighted mean of members, chosen greedily on held-out predictions.

Source: Caruana et al., "Ensemble selection from libraries of models", ICML 2004, sections 2-3
(selection with replacement, best prefix). A stacked meta-learner spoils calibration on data of this
size; greedy weights do not.
"""

from collections.abc import Mapping

import numpy as np

from bundle.arrays import Floats
from methods.models.metrics import MetricDefinition
from methods.models.resampling import Blocks
from methods.tables.sampling import evenly_spaced

_ROUNDS = 25  # of the greedy selection; a member's weight is a multiple of 1 / 25
_MOST_MEMBERS = 12  # 26 members cost 4 s of a 30 s budget and changed nothing
_ROWS = 8_000  # arbitrary: the interval of a score is narrow enough
_LEAST_WEIGHT = 0.04  # 1 of 25 rounds


def greedy_weights(
    metric: MetricDefinition, truth: Floats, predictions: Mapping[str, Floats]
) -> dict[str, float]:
    """Return the weights of the members worth keeping; they sum to 1, the greatest first.

    `predictions` are (n,) or (n, classes) by member. Ties go to the member that is better alone,
    then by name. At most _ROWS rows are looked at, evenly spaced.
    """
    rows = evenly_spaced(len(truth), _ROWS)
    known = truth[rows]
    sampled = {name: predicted[rows] for name, predicted in predictions.items()}
    alone = {name: _goodness(metric, known, predicted) for name, predicted in sampled.items()}
    names = sorted(sampled, key=lambda name: (-alone[name], name))[:_MOST_MEMBERS]
    chosen: list[str] = []
    total = np.zeros_like(sampled[names[0]])
    best, best_length = -np.inf, 1
    for taken in range(1, _ROUNDS + 1):
        scores = [_goodness(metric, known, (total + sampled[name]) / taken) for name in names]
        position = int(np.argmax(scores))
        chosen.append(names[position])
        total = total + sampled[names[position]]
        if scores[position] > best + 1e-9:
            best, best_length = scores[position], taken
    kept = chosen[:best_length]
    shares = {name: kept.count(name) / len(kept) for name in names if name in kept}
    shares = {name: share for name, share in shares.items() if share >= _LEAST_WEIGHT} or shares
    whole = sum(shares.values())
    return {name: share / whole for name, share in sorted(shares.items(), key=lambda one: -one[1])}


def combine(weights: Mapping[str, float], predictions: Mapping[str, Floats]) -> Floats:
    """Return the weighted mean of the members' predictions."""
    return np.asarray(
        sum(weight * predictions[name] for name, weight in weights.items()), dtype=np.float64
    )


def crossed_score(
    metric: MetricDefinition, truth: Floats, predictions: Mapping[str, Floats], blocks: Blocks
) -> float:
    """Score the ensemble on rows that did not select its weights: odd and even blocks swap roles.

    NaN where one half cannot be scored.
    """
    _, numbers = np.unique(blocks, return_inverse=True)
    odd = numbers.reshape(-1) % 2 == 1
    mixed = np.empty_like(next(iter(predictions.values())))
    for choose in (odd, ~odd):
        if not choose.any() or choose.all():
            return float("nan")
        weights = greedy_weights(
            metric, truth[choose], {name: one[choose] for name, one in predictions.items()}
        )
        mixed[~choose] = combine(weights, predictions)[~choose]
    return metric.score(truth, mixed)


def _goodness(metric: MetricDefinition, truth: Floats, predicted: Floats) -> float:
    score = metric.goodness(metric.score(truth, predicted))
    return score if np.isfinite(score) else -np.inf
