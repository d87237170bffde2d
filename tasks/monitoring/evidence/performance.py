"""Is the champion worse than it was on rows it had not seen? The mean loss per row, by day.

The proper loss (log loss, squared error) and not the problem's metric: the area under the curve
does not see a shift of the base rate at all. The baseline is the forward backtest; a random
hold-out flatters the model and starts storms of retraining, so above it a higher z is required.
"""

from collections.abc import Sequence

import numpy as np

from bundle.arrays import Floats
from contract.decision import Performance
from methods.controller.policy import Policy
from methods.drift.profile import Losses, ReferenceProfile
from methods.models.metrics import row_losses
from tasks.monitoring.evidence.champions import MonitoredModel
from tasks.monitoring.evidence.log import ServedDay

LabelledDay = tuple[ServedDay, list[str | None]]
"""A day's rows, and the label of each of its lines; None: not known."""


def measure(
    model: MonitoredModel, days: Sequence[LabelledDay], window: int, policy: Policy
) -> Performance | None:
    """Return the loss on labelled rows; None where there are too few.

    Args:
        model: the champion of all of `days`.
        days: newest first.
        window: days that are taken at least, so that weekdays do not matter.
        policy: how many rows are needed, and which rise counts.
    """
    losses: list[Floats] = []
    truths: list[Floats] = []
    taken: list[ServedDay] = []
    served = 0
    for day, labels in days:
        if len(taken) >= window and _is_enough(model, truths, policy):
            break
        truth = model.truth(labels)
        known = ~np.isnan(truth)
        if not known.any():
            continue  # younger than the label's delay: its rows do not lower the coverage
        taken.append(day)
        served += len(truth)
        truths.append(truth[known])
        losses.append(row_losses(model.contract.task, truth[known], day.lines.scores[known]))
    if not taken or not _is_enough(model, truths, policy):
        return None
    return _against_baseline(model, np.concatenate(losses), taken, served, policy)


def baseline(reference: ReferenceProfile, policy: Policy) -> tuple[Losses, float]:
    """Return the loss to compare with and the z from which on a rise counts."""
    blocks = reference.forward
    rows = sum(block.rows for block in blocks)
    if not rows:
        return reference.losses, policy.held_out_z
    mean = sum(block.rows * block.mean for block in blocks) / rows
    square = sum(block.rows * (block.deviation**2 + block.mean**2) for block in blocks) / rows
    deviation = max(0.0, square - mean**2) ** 0.5
    return Losses(rows=rows, mean=mean, deviation=deviation), policy.forward_z


def _is_enough(model: MonitoredModel, truths: Sequence[Floats], policy: Policy) -> bool:
    rows = sum(map(len, truths))
    if rows < policy.min_labelled_rows:
        return False
    if model.contract.task != "binary":
        return True
    positive = sum(float(truth.sum()) for truth in truths)
    return min(positive, rows - positive) >= policy.min_labelled_of_class


def _against_baseline(
    model: MonitoredModel, losses: Floats, taken: Sequence[ServedDay], served: int, policy: Policy
) -> Performance:
    before, z_limit = baseline(model.reference, policy)
    rows, mean, deviation = len(losses), float(losses.mean()), float(losses.std())
    error = deviation / rows**0.5
    joint_error = (error**2 + before.deviation**2 / before.rows) ** 0.5
    return Performance(
        metric="squared_error" if model.contract.task == "regression" else "log_loss",
        ref=_rounded(before.mean),
        cur=_rounded(mean),
        low=_rounded(mean - policy.interval_z * error),
        high=_rounded(mean + policy.interval_z * error),
        change=_rounded(mean / before.mean - 1 if before.mean else 0.0),
        z=_rounded((mean - before.mean) / joint_error if joint_error else 0.0),
        z_limit=z_limit,
        n_labelled=rows,
        coverage=_rounded(rows / served),
        first=min(day.day for day in taken),
        last=max(day.day for day in taken),
    )


def _rounded(value: float) -> float:
    """Round to five significant digits, as a decision document states losses."""
    return float(f"{value:.5g}")
