"""The checks that compare a model with limits and with other models on the vault.

Each returns one `Check`: passed, refused, or could not be decided, which refuses as well. A check
never raises for what the data may hold.

Sources: Efron and Tibshirani 1993 (bootstrap); Cox, Biometrika 45, 1958 (calibration slope);
Wellek, "Testing Statistical Hypotheses of Equivalence and Noninferiority", 2010, section 1.2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pyarrow as pa

from bundle.arrays import Floats
from contract.learning_task import LearningTask
from contract.verdict import Check, Rule
from methods.columns.targets import label_texts
from methods.models.bootstrap import Gain, Scored, group_blocks, paired_gain
from methods.models.calibration import calibration_cost, calibration_offset, calibration_slope
from methods.models.metrics import METRICS, MetricDefinition, row_losses
from tasks.evaluation.vault import Vault

FEWEST_BLOCKS = 5  # fewer cannot tell a good day from a good model
SLICE_ROWS = 200  # arbitrary: a smaller slice has a wide interval
# Two standard deviations below zero by chance: one slice in 44.
SLICE_CHANCE = NormalDist().cdf(-2.0)
SLOPES = (0.8, 1.25)  # arbitrary: a quarter off either way
# Of the log-loss; the loss at which monitoring would call a model worse than its own backtest.
CALIBRATION_COST = 0.05
OFFSET_ERRORS = 2.5  # one calibrated model in a hundred is farther off by chance
# Of the standard deviation of the paired difference of one block (decision 10).
NON_INFERIOR_SHARE = 0.2
REFRESH_REASONS = frozenset({"age", "prior"})


@dataclass(frozen=True)
class Compared:
    """A check, and the gain it was decided by."""

    check: Check
    gain: Gain | None


def rule_for(reason: str, *, has_champion: bool) -> Rule:
    """Return the rule by which the model is compared: a refresh need not be better."""
    if not has_champion:
        return "first"
    return "non-inferior" if reason in REFRESH_REASONS else "superior"


def check_rows(vault: Vault) -> Check:
    """Is there a labelled row in the vault?"""
    rows = len(vault.truth)
    if rows == 0:
        why = "the vault holds no labelled row; wait for labels or widen the window."
        return Check(name="rows", passed=None, why=why, found=0.0, limit=1.0)
    return Check(
        name="rows", passed=True, why=f"{rows} labelled rows that no model has seen.", found=rows
    )


def check_dummy(
    metric: MetricDefinition,
    vault: Vault,
    new: Scored,
    dummy: Scored,
    *,
    confidence: float,
    seed: int,
) -> Compared:
    """Is the model better than the best constant answer?"""
    gain = _gain(metric, vault, new, dummy, seed)
    if gain is None:
        why = f"{metric.name} of model and dummy cannot be compared on {len(vault.truth)} rows."
        return Compared(Check(name="dummy", passed=None, why=why, limit=confidence), None)
    passed = gain.probability >= confidence
    finding = (
        f"it beats a constant answer by {gain.value:.4g} with probability {gain.probability:.3f}"
    )
    why = f"{finding}; {confidence:g} is needed" + ("." if passed else ": look at the columns.")
    return Compared(
        Check(name="dummy", passed=passed, why=why, found=gain.probability, limit=confidence), gain
    )


def check_minimum(name: str, limit: float, task: LearningTask, vault: Vault, new: Scored) -> Check:
    """Is a metric at least (a loss: at most) what the problem file requires?"""
    metric = METRICS.get(name)
    check_name = f"minimum {name}"
    if metric is None or task not in metric.tasks:
        why = f"{name} cannot be computed for a {task} problem; take it out of gates.minimum."
        return Check(name=check_name, passed=None, why=why, limit=limit)
    score = metric.score(vault.truth, new.predicted, new.threshold)
    if not np.isfinite(score):
        why = f"{name} is not a number on {len(vault.truth)} rows of the vault."
        return Check(name=check_name, passed=None, why=why, limit=limit)
    passed = metric.gain(score, limit) >= 0.0
    bound = "at least" if metric.greater_is_better else "at most"
    why = f"{name} is {score:.4g}; {bound} {limit:g} is needed."
    return Check(name=check_name, passed=passed, why=why, found=score, limit=limit)


def check_champion(
    metric: MetricDefinition,
    vault: Vault,
    new: Scored,
    champion: Scored,
    *,
    rule: Rule,
    margin: float,
    confidence: float,
    seed: int,
) -> Compared:
    """Is the model better than the champion, or, for a refresh, not worse by more than a margin?"""
    gain = _gain(metric, vault, new, champion, seed)
    if gain is None:
        why = (
            f"{metric.name} of challenger and champion cannot be compared on {len(vault.truth)} rows "
            f"in {group_blocks(vault.blocks)[1]} blocks; {FEWEST_BLOCKS} blocks are needed."
        )
        return Compared(Check(name="champion", passed=None, why=why, limit=confidence), None)
    probability = gain.probability_above(margin)
    condition = f"P(gain > {margin:.3g})"
    if rule == "non-inferior":
        allowed = margin or NON_INFERIOR_SHARE * gain.deviation * gain.blocks**0.5
        probability = gain.probability_above(-allowed)
        condition = f"P(gain > -{allowed:.3g})"
    passed = probability >= confidence
    why = (
        f"its gain over the champion is {gain.value:.4g} [{gain.low:.4g}, {gain.high:.4g}] and "
        f"{condition} is {probability:.3f}; {confidence:g} is needed"
        + ("." if passed else ": the champion stays.")
    )
    return Compared(
        Check(name="champion", passed=passed, why=why, found=probability, limit=confidence), gain
    )


def check_slices(
    columns: tuple[str, ...], task: LearningTask, vault: Vault, new: Scored, old: Scored
) -> list[Check]:
    """Does no value of these columns get worse than under the champion, beyond its uncertainty?

    Decided by the paired difference of each row's proper loss, which every slice has; slices of
    SLICE_ROWS rows and more. The limit is two standard deviations for one slice and grows with their number
    (Bonferroni), or one slice in 44 would refuse by chance.
    """
    better = row_losses(task, vault.truth, old.predicted) - row_losses(
        task, vault.truth, new.predicted
    )
    return [_check_slice(column, vault, better) for column in columns]


def _check_slice(column: str, vault: Vault, better: Floats) -> Check:
    name = f"slices of {column}"
    if column not in vault.table.column_names:
        why = f"the column {column!r} of gates.slices is not in the prepared table."
        return Check(name=name, passed=None, why=why)
    deviations = _slice_deviations(vault.table[column], better)
    if not deviations:
        why = f"no value of {column!r} has {SLICE_ROWS} rows in the vault; drop it or collect more."
        return Check(name=name, passed=None, why=why)
    limit = NormalDist().inv_cdf(SLICE_CHANCE / len(deviations))
    worst = min(deviations, key=lambda value: deviations[value])
    if not np.isfinite(deviations[worst]):
        why = f"the losses of {column} = {worst!r} are not numbers."
        return Check(name=name, passed=None, why=why, limit=limit)
    passed = deviations[worst] >= limit
    why = (
        f"the worst of {len(deviations)} slices is {column} = {worst!r} at {deviations[worst]:.2f} standard "
        f"deviations; {limit:.2f} is the limit" + ("." if passed else ": it serves them worse.")
    )
    return Check(name=name, passed=passed, why=why, found=deviations[worst], limit=limit)


def _slice_deviations(values: pa.ChunkedArray, better: Floats) -> dict[str, float]:
    """Return the mean gain of each value with enough rows, in standard errors.

    One entry of NaN where a loss is not a number.
    """
    words = np.array([str(word) for word in label_texts(values).to_pylist()])
    deviations: dict[str, float] = {}
    for word in np.unique(words):
        gains = better[words == word]
        if len(gains) < SLICE_ROWS:
            continue
        error = float(gains.std(ddof=1)) / len(gains) ** 0.5
        mean = float(gains.mean())
        if not np.isfinite(mean):
            return {str(word): float("nan")}
        deviations[str(word)] = mean / error if error > 0.0 else float(np.sign(mean)) * 1e9
    return deviations


def check_calibration(vault: Vault, new: Scored, old: Scored | None) -> Check:
    """Are the probabilities calibrated?

    The slope's interval must meet SLOPES and the mean the base rate; or what is off costs little:
    on many rows the slightest change of the data is significant, and a slope of 1.4 on weak scores
    costs 2 % of the log-loss. A model that is no farther off than the champion passes too.
    """
    name = "calibration"
    slope, error = calibration_slope(vault.truth, new.predicted)
    if not np.isfinite(slope):
        why = "the calibration slope cannot be fitted: all probabilities or all labels are equal."
        return Check(name=name, passed=None, why=why)
    low, high = slope - 2.0 * error, slope + 2.0 * error
    cost = calibration_cost(vault.truth, new.predicted)
    is_right = low <= SLOPES[1] and high >= SLOPES[0]
    is_right &= calibration_offset(vault.truth, new.predicted) <= OFFSET_ERRORS
    passed = bool(is_right or cost <= CALIBRATION_COST)
    why = (
        f"the calibration slope is {slope:.3g} [{low:.3g}, {high:.3g}] and costs {cost:.1%} of the "
        f"log-loss; {SLOPES[0]} to {SLOPES[1]}, or at most {CALIBRATION_COST:.0%}, is right"
    )
    if not passed and old is not None:
        before = calibration_cost(vault.truth, old.predicted)
        passed = bool(cost <= before)
        why += f", and the champion's costs {before:.1%}"
    limit = SLOPES[0] if slope < 1.0 else SLOPES[1]
    return Check(name=name, passed=passed, why=f"{why}.", found=slope, limit=limit)


def _gain(
    metric: MetricDefinition, vault: Vault, new: Scored, old: Scored, seed: int
) -> Gain | None:
    """Return the paired gain; None where it cannot be measured."""
    if len(vault.truth) == 0 or group_blocks(vault.blocks)[1] < FEWEST_BLOCKS:
        return None
    if not (np.isfinite(new.predicted).all() and np.isfinite(old.predicted).all()):
        return None
    gain = paired_gain(metric, vault.truth, new, old, vault.blocks, seed=seed)
    numbers = (gain.value, gain.low, gain.high, gain.deviation)
    return gain if all(np.isfinite(one) for one in numbers) else None


def scores(
    metrics: Mapping[str, MetricDefinition], task: LearningTask, vault: Vault, scored: Scored
) -> dict[str, float]:
    """Return every metric of the task that can be computed, for the page."""
    values = {
        name: metric.score(vault.truth, scored.predicted, scored.threshold)
        for name, metric in metrics.items()
        if task in metric.tasks
    }
    return {name: score for name, score in values.items() if np.isfinite(score)}
