"""Calibration: probabilities that match observed frequencies.

Rows are never re-weighted for the metric's sake; probabilities are corrected here, and only where
that lowers the log-loss on rows that did not fit the correction.

Sources: Platt, "Probabilistic outputs for support vector machines", 1999 (with his smoothed
targets); Zadrozny and Elkan, "Transforming classifier scores into accurate multiclass probability
estimates", KDD 2002 (isotonic); Cox, "Two further applications of a model for binary regression",
Biometrika 45, 1958 (calibration slope).
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bundle.arrays import Floats
from bundle.calibration import calibrate, calibrate_all
from bundle.documents import Calibration, Isotonic, Platt
from methods.models.metrics import MetricDefinition, row_losses
from methods.models.resampling import Blocks, Sample, divide

ISOTONIC_POSITIVES = 1_000  # with fewer an isotonic step function follows single rows
_NEWTON_STEPS = 100  # at most; a fit ends at _CONVERGED
_CONVERGED = 1e-10  # largest step
_PENALTY = 1e-6  # keeps separable data finite
_EXP = 700.0  # exp of more overflows a float64
NORMAL_VARIANCE = 5.0  # of a sum of chances: the rule of thumb n p (1 - p) >= 5
LOGIT_FLOOR = 1e-12  # the reader's own floor, so that both compute the same logit

CalibrationKind = Literal["none", "platt", "isotonic"]


def logit(predicted: Floats) -> Floats:
    """Return log-odds of probabilities, (n,); clipped to LOGIT_FLOOR."""
    clipped = np.clip(predicted, LOGIT_FLOOR, 1.0 - LOGIT_FLOOR)
    return np.asarray(np.log(clipped / (1.0 - clipped)), dtype=np.float64)


def fit_calibration(truth: Floats, predicted: Floats, kind: CalibrationKind) -> list[Calibration]:
    """Fit one map a class; an empty list for "none".

    `truth` is (n,) of class indices; `predicted` is (n,) or (n, classes).
    """
    if kind == "none":
        return []
    if predicted.ndim == 1:
        return [_fit_one(truth == 1.0, predicted, kind)]
    return [_fit_one(truth == k, predicted[:, k], kind) for k in range(predicted.shape[1])]


def apply_calibration(maps: Sequence[Calibration], predicted: Floats) -> Floats:
    """Apply the maps as the bundle's reader does, row by row; several classes sum to 1 again."""
    if not maps:
        return predicted
    if predicted.ndim == 1:
        return np.array([calibrate(score, maps[0]) for score in predicted.tolist()])
    mapped = [calibrate_all(row, maps) for row in predicted.tolist()]
    return np.array(mapped).reshape(predicted.shape)


def choose_calibration(truth: Floats, predicted: Floats, blocks: Blocks) -> CalibrationKind:
    """Return the kind with the least log-loss on the blocks it was not fitted on; "none" is one.

    Fitted on odd blocks and scored on even ones, and the reverse; isotonic only from
    ISOTONIC_POSITIVES rows of the rarest class on.
    """
    rarest = min(np.bincount(truth.astype(np.int64), minlength=2))
    kinds: list[CalibrationKind] = ["none", "platt"]
    if rarest >= ISOTONIC_POSITIVES:
        kinds.append("isotonic")
    _, numbers = np.unique(blocks, return_inverse=True)
    half = numbers.reshape(-1) % 2 == 1
    classes = len(np.unique(truth))
    if half.all() or any(len(np.unique(truth[fit])) < classes for fit in (half, ~half)):
        return "none"
    losses = {kind: _crossed_loss(truth, predicted, half, kind) for kind in kinds}
    return min(kinds, key=lambda kind: losses[kind])  # the first of equals: the simplest


def _crossed_loss(
    truth: Floats, predicted: Floats, half: NDArray[np.bool_], kind: CalibrationKind
) -> float:
    """Return the log-loss where each half is corrected by a fit on the other half."""
    corrected = np.empty_like(predicted)
    for fit in (half, ~half):
        maps = fit_calibration(truth[fit], predicted[fit], kind)
        corrected[~fit] = apply_calibration(maps, predicted[~fit])
    return float(row_losses("binary", truth, corrected).mean())


def _fit_one(is_class: NDArray[np.bool_], predicted: Floats, kind: CalibrationKind) -> Calibration:
    if kind == "isotonic":
        x, y = _increasing(predicted, is_class.astype(np.float64))
        if len(x) > 1:
            return Isotonic(x=tuple(x.tolist()), y=tuple(y.tolist()))
        # One distinct score has no slope to fit: the line below moves it to the base rate.
    # Platt's targets: a row of a class is not certain, by one pseudo-row a class.
    positives, negatives = int(is_class.sum()), int((~is_class).sum())
    high, low = (positives + 1.0) / (positives + 2.0), 1.0 / (negatives + 2.0)
    slope, offset, _ = _line(logit(predicted), np.where(is_class, high, low))
    return Platt(a=slope, b=offset)


def _increasing(predicted: Floats, truth: Floats) -> tuple[Floats, Floats]:
    """Return the ends of the steps of an isotonic fit, strictly increasing in x.

    Pool adjacent violators: Barlow et al., "Statistical Inference under Order Restrictions", 1972.
    """
    x, index = np.unique(predicted, return_inverse=True)
    rows = np.bincount(index.reshape(-1)).astype(np.float64)
    sums = np.bincount(index.reshape(-1), weights=truth)
    steps: list[tuple[float, float, int]] = []  # sum, rows, first position
    for position in range(len(x)):
        total, weight, first = float(sums[position]), float(rows[position]), position
        while steps and steps[-1][0] / steps[-1][1] >= total / weight:
            before = steps.pop()
            total, weight, first = total + before[0], weight + before[1], before[2]
        steps.append((total, weight, first))
    firsts = [first for _, _, first in steps]
    lasts = [*(first - 1 for first in firsts[1:]), len(x) - 1]
    ends = sorted({*firsts, *lasts})
    # One pseudo-row of the base rate a step: a step of few rows is not certain, and a probability of
    # 0 or 1 would make one wrong row cost without bound. The steps stay in their order.
    base = float(truth.mean())
    smoothed = [(total + base) / (weight + 1.0) for total, weight, _ in steps]
    level = np.repeat(
        np.maximum.accumulate(smoothed),
        [last - first + 1 for first, last in zip(firsts, lasts, strict=True)],
    )
    return x[ends], level[ends]


def _line(margins: Floats, target: Floats) -> tuple[float, float, float]:
    """Fit sigmoid(slope * margin + offset) to targets in [0, 1] by Newton's method.

    Returns slope, offset and the slope's standard error. Targets that are separated perfectly have
    no finite slope: the steps end with a large error.
    """
    slope, offset, error = 1.0, 0.0, float("inf")
    for _ in range(_NEWTON_STEPS):
        fitted = 1.0 / (1.0 + np.exp(-np.clip(slope * margins + offset, -_EXP, _EXP)))
        weight = fitted * (1.0 - fitted) + 1e-12
        # A penalty that only matters where the data leave the line open.
        gradient = np.array([((target - fitted) * margins).sum(), (target - fitted).sum()])
        gradient -= _PENALTY * np.array([slope, offset])
        cross = float((weight * margins).sum())
        curvature = np.array(
            [
                [float((weight * margins**2).sum()) + _PENALTY, cross],
                [cross, float(weight.sum()) + _PENALTY],
            ]
        )
        inverse = np.linalg.inv(curvature)
        step = np.clip(inverse @ gradient, -1.0, 1.0)
        slope, offset = slope + float(step[0]), offset + float(step[1])
        error = float(inverse[0, 0]) ** 0.5
        if float(np.abs(step).max()) < _CONVERGED:
            break
    return slope, offset, error


def calibration_slope(truth: Floats, predicted: Floats) -> tuple[float, float]:
    """Return Cox's slope and its standard error, from the Fisher information.

    A slope of 1 is calibrated, below 1 over-confident; NaN where it cannot be fitted. For several
    classes the log-odds of every class are pooled into one line; the error is that of the rows,
    since the probabilities of one row are one observation.
    """
    if predicted.ndim == 1:
        labels, margins = truth, logit(predicted)
    else:
        classes = np.arange(predicted.shape[1])
        labels = (truth[:, None] == classes).astype(np.float64).reshape(-1)
        margins = logit(predicted.reshape(-1))
    usable = len(labels) > 0 and bool(np.isfinite(margins).all())
    if not usable or len(np.unique(labels)) == 1 or float(np.ptp(margins)) == 0.0:
        return float("nan"), float("nan")
    slope, _, error = _line(margins, labels)
    return slope, error * float(len(labels) / len(truth)) ** 0.5


def calibration_offset(truth: Floats, predicted: Floats) -> float:
    """Return by how many standard errors the mean probability misses the base rate.

    Of several classes the one that is farthest off; 0 where so few rows are in doubt that the
    normal approximation does not hold. Calibration in the large: Spiegelhalter, "Probabilistic
    prediction in patient management", Statistics in Medicine 5, 1986.
    """
    columns = predicted[:, None] if predicted.ndim == 1 else predicted
    classes = np.ones(1) if predicted.ndim == 1 else np.arange(predicted.shape[1])
    missed = np.abs(((truth[:, None] == classes) - columns).sum(axis=0))
    variance = (columns * (1.0 - columns)).sum(axis=0)
    is_certain = variance >= NORMAL_VARIANCE
    return float((missed[is_certain] / np.sqrt(variance[is_certain])).max(initial=0.0))


def calibration_cost(truth: Floats, predicted: Floats) -> float:
    """Return the share of the log-loss that a line through the same rows' log-odds would save.

    0 is calibrated. It measures the cost of a slope: the part of the log-loss that is calibration and
    not resolution (Bröcker, "Reliability, sufficiency, and the decomposition of proper scores",
    Quarterly Journal of the Royal Meteorological Society 135, 2009). NaN where there is no loss.
    """
    corrected = apply_calibration(fit_calibration(truth, predicted, "platt"), predicted)
    before = float(row_losses("binary", truth, predicted).mean())
    after = float(row_losses("binary", truth, corrected).mean())
    return max(0.0, 1.0 - after / before) if before > 0.0 else float("nan")


def _slopes(sample: Sample, counts: Floats) -> Floats:
    """Return the slope of the truth on the predictions in every draw; NaN where they are all equal."""
    x = sample.predicted - (sample.predicted.mean() if len(sample.predicted) else 0.0)
    y = sample.truth - (sample.truth.mean() if len(sample.truth) else 0.0)
    rows = counts @ sample.sums(np.ones(len(x)))
    sum_x, sum_y = counts @ sample.sums(x), counts @ sample.sums(y)
    across = counts @ sample.sums(x * y) - divide(sum_x * sum_y, rows)
    spread = counts @ sample.sums(x * x) - divide(sum_x**2, rows)
    return divide(across, np.where(spread > 0.0, spread, 0.0))


REGRESSION_SLOPE = MetricDefinition(
    name="slope of truth on prediction",
    tasks=frozenset({"regression"}),
    greater_is_better=True,
    decides=False,
    formula=_slopes,
)
"""1 where predictions mean what they say, below 1 where they vary too much, 0 where they say nothing:
Mincer and Zarnowitz, "The evaluation of economic forecasts", 1969."""


def slope_cost(truth: Floats, predicted: Floats) -> float:
    """Return the share of the squared error around its mean that a line through the rows would save.

    As `calibration_cost`, but for the slope alone: that all values are too high or too low by the
    same is no fault of a slope. NaN where there is no error, or no line.
    """
    x, y = predicted - predicted.mean(), truth - truth.mean()
    spread, before = float(x @ x), float((y - x) @ (y - x))
    if spread == 0.0 or before == 0.0:
        return float("nan")
    after = float(y @ y) - float(x @ y) ** 2 / spread
    return max(0.0, 1.0 - after / before)
