"""The checks of what a model says beside its order: do probabilities and values mean what they say?

On many rows the slightest change of the data is significant, so what is off must also cost
(decision 21). A refusal names what is off: the slope, the mean, or both.

Sources: Cox, Biometrika 45, 1958 (the slope of probabilities); Mincer and Zarnowitz, "The evaluation
of economic forecasts", 1969 (the slope of a value's truth on its prediction).
"""

import numpy as np

from contract.formatting import format_probability, format_share
from contract.verdict import Check
from methods.models.bootstrap import Gain, Scored, score_draws
from methods.models.calibration import (
    REGRESSION_SLOPE,
    calibration_cost,
    calibration_offset,
    calibration_slope,
    slope_cost,
)
from tasks.evaluation.vault import Vault

SLOPES = (0.8, 1.25)  # arbitrary: a quarter off either way
# Of the log-loss or the squared error; the loss at which monitoring would call a model worse than
# its own backtest.
CALIBRATION_COST = 0.05
OFFSET_ERRORS = 2.5  # one calibrated model in a hundred is farther off by chance


def check_calibration(vault: Vault, new: Scored, old: Scored | None) -> Check:
    """Are the probabilities calibrated?

    The slope's interval must meet SLOPES and the mean the base rate; or what is off costs little: a
    slope of 1.4 on weak scores costs 2 % of the log-loss. A model that is no farther off than the
    champion passes too.
    """
    slope, error = calibration_slope(vault.truth, new.predicted)
    if not np.isfinite(slope):
        why = "the calibration slope cannot be fitted: all probabilities or all labels are equal."
        return Check(name="calibration", passed=None, why=why)
    low, high = slope - 2.0 * error, slope + 2.0 * error
    offset = calibration_offset(vault.truth, new.predicted)
    cost = calibration_cost(vault.truth, new.predicted)
    before = calibration_cost(vault.truth, old.predicted) if old else None
    off = [] if _is_right(low, high) else ["slope"]
    off += ["mean"] if offset > OFFSET_ERRORS else []
    found = (
        f"the calibration slope is {slope:.3g} [{low:.3g}, {high:.3g}], {SLOPES[0]} to {SLOPES[1]} is "
        f"right; {_mean(vault, new)}, {offset:.1f} standard errors, at most {OFFSET_ERRORS} is right"
    )
    why, passed = _weigh(off, found, cost, before, "log-loss")
    if off == ["mean"]:
        return Check(name="calibration", passed=passed, why=why, found=offset, limit=OFFSET_ERRORS)
    return Check(name="calibration", passed=passed, why=why, found=slope, limit=_nearer(slope))


def check_slope(
    vault: Vault, new: Scored, old: Scored | None, *, confidence: float, seed: int
) -> Check:
    """Do the values of a regression follow the truth, by as much as they say?

    The slope of the truth on the prediction must surely be above 0, or the model says nothing of the
    truth; then it is judged as the slope of probabilities is. Its interval is by blocks.
    """
    drawn = score_draws(REGRESSION_SLOPE, vault.truth, new, vault.blocks, seed=seed)
    slope = Gain.of(drawn.score, drawn.draws, drawn.blocks)
    if not np.isfinite(slope.value) or not np.isfinite(slope.low):
        why = "the slope of truth on prediction cannot be fitted: all predictions are equal."
        return Check(name="slope", passed=None, why=why)
    found = (
        f"the slope of truth on prediction is {slope.value:.3g} [{slope.low:.3g}, {slope.high:.3g}]"
    )
    if slope.probability < confidence:
        why = (
            f"{found}; that it is above 0 has probability {format_probability(slope.probability)}, "
            f"{confidence:g} is needed: the predictions say nothing of the truth; look at the columns."
        )
        return Check(name="slope", passed=False, why=why, found=slope.value, limit=0.0)
    cost = slope_cost(vault.truth, new.predicted)
    before = slope_cost(vault.truth, old.predicted) if old else None
    off = [] if _is_right(slope.low, slope.high) else ["slope"]
    found += f", {SLOPES[0]} to {SLOPES[1]} is right"
    why, passed = _weigh(off, found, cost, before, "squared error")
    return Check(
        name="slope", passed=passed, why=why, found=slope.value, limit=_nearer(slope.value)
    )


def _is_right(low: float, high: float) -> bool:
    return low <= SLOPES[1] and high >= SLOPES[0]


def _nearer(slope: float) -> float:
    return SLOPES[0] if slope < 1.0 else SLOPES[1]


def _weigh(
    off: list[str], found: str, cost: float, before: float | None, whose: str
) -> tuple[str, bool]:
    """Return the sentence, and whether what is off is allowed for what it costs."""
    passed = not off or bool(cost <= CALIBRATION_COST)
    why = (
        f"{found}; it costs {format_share(cost)} of the {whose}, which a line through these rows would "
        f"save, and at most {format_share(CALIBRATION_COST)} is allowed"
    )
    if not passed and before is not None:
        passed = bool(cost <= before)
        why += f", and the champion's costs {format_share(before)}"
    if not passed:
        why = f"the {' and the '.join(off)} {'are' if len(off) > 1 else 'is'} off: {why}"
    return f"{why}.", passed


def _mean(vault: Vault, new: Scored) -> str:
    if new.predicted.ndim > 1:
        return "the mean probability of the class farthest off misses its share of the rows"
    return f"the mean probability is {new.predicted.mean():.3g} where {vault.truth.mean():.3g} came true"
