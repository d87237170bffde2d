"""The checks that compare a model with limits, and slices of rows with the champion's.

Each returns one `Check`: passed, refused, or could not be decided, which refuses as well. A check
never raises for what the data may hold.

What compares by the yardstick is in `superiority`, what judges calibration in `calibration`.
"""

from collections.abc import Mapping
from statistics import NormalDist

import numpy as np
import pyarrow as pa

from bundle.arrays import Floats
from contract.learning_task import LearningTask
from contract.verdict import Check
from methods.columns.targets import label_texts
from methods.models.bootstrap import Scored
from methods.models.metrics import METRICS, MetricDefinition, row_losses
from tasks.evaluation.vault import Vault

SLICE_ROWS = 200  # arbitrary: a smaller slice has a wide interval
# Two standard deviations below zero by chance: one slice in 44.
SLICE_CHANCE = NormalDist().cdf(-2.0)


def check_rows(vault: Vault) -> Check:
    """Is there a labelled row in the vault?"""
    rows = len(vault.truth)
    if rows == 0:
        why = "the vault holds no labelled row; wait for labels or widen the window."
        return Check(name="rows", passed=None, why=why, found=0.0, limit=1.0)
    return Check(
        name="rows", passed=True, why=f"{rows} labelled rows that no model has seen.", found=rows
    )


def check_minimum(name: str, limit: float, task: LearningTask, vault: Vault, new: Scored) -> Check:
    """Is a metric at least (a loss: at most) what the problem file requires?"""
    metric = METRICS.get(name)
    check_name = f"minimum {name}"
    if metric is None or task not in metric.tasks:
        why = f"{name} cannot be computed for a {task} problem; take it out of gates.minimum."
        return Check(name=check_name, passed=None, why=why, limit=limit)
    score = metric.score(vault.truth, new.predicted, new.threshold, vault.strata)
    if not np.isfinite(score):
        why = f"{name} is not a number on {len(vault.truth)} rows of the vault."
        return Check(name=check_name, passed=None, why=why, limit=limit)
    passed = metric.gain(score, limit) >= 0.0
    bound = "at least" if metric.greater_is_better else "at most"
    why = f"{name} is {score:.4g}; {bound} {limit:g} is needed."
    return Check(name=check_name, passed=passed, why=why, found=score, limit=limit)


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


def scores(
    metrics: Mapping[str, MetricDefinition], task: LearningTask, vault: Vault, scored: Scored
) -> dict[str, float]:
    """Return every metric of the task that can be computed, for the page."""
    values = {
        name: metric.score(vault.truth, scored.predicted, scored.threshold, vault.strata)
        for name, metric in metrics.items()
        if task in metric.tasks
    }
    return {name: score for name, score in values.items() if np.isfinite(score)}
