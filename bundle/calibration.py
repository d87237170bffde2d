"""Calibrate a score to a probability; scalar, so that one row and a batch agree."""

import math
from bisect import bisect_right
from collections.abc import Sequence

from bundle.documents import Calibration, Isotonic

_EDGE = 1e-12  # a probability of 0 or 1 has no logit
_EXP = 700.0  # math.exp raises beyond 709.78


def calibrate(probability: float, calibration: Calibration) -> float:
    """Return the calibrated probability, in [0, 1]; NaN stays NaN."""
    if math.isnan(probability):
        return probability
    if isinstance(calibration, Isotonic):
        return _interpolate(probability, calibration.x, calibration.y)
    inside = min(max(probability, _EDGE), 1.0 - _EDGE)
    logit = calibration.a * math.log(inside / (1.0 - inside)) + calibration.b
    return 1.0 / (1.0 + math.exp(-logit)) if logit > -_EXP else 0.0


def calibrate_all(scores: Sequence[float], calibrations: Sequence[Calibration]) -> list[float]:
    """Calibrate each class, then bring several to sum 1; all zero becomes equal shares."""
    pairs = zip(scores, calibrations, strict=True)
    calibrated = [calibrate(score, calibration) for score, calibration in pairs]
    if len(calibrated) == 1:
        return calibrated
    total = sum(calibrated)
    return (
        [one / total for one in calibrated]
        if total > 0
        else [1.0 / len(calibrated)] * len(calibrated)
    )


def _interpolate(value: float, x: Sequence[float], y: Sequence[float]) -> float:
    if value <= x[0]:
        return y[0]
    if value >= x[-1]:
        return y[-1]
    right = bisect_right(x, value)
    left = right - 1
    share = (value - x[left]) / (x[right] - x[left])
    return y[left] + (y[right] - y[left]) * share
