"""Is the champion worse than it was on rows it had not seen? The mean loss per row, by day.

The proper loss (log loss, squared error) and not the problem's metric: the area under the curve
does not see a shift of the base rate at all. The baseline is the forward backtest; a random
hold-out flatters the model and starts storms of retraining, so above it a higher z is required.
"""

from collections.abc import Sequence

import numpy as np

from bundle.arrays import Floats
from contract.performance import DayLoss, Performance
from methods.controller.losses import error_of, mean_of, usual_variance
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
    truths: list[Floats] = []
    by_day: list[DayLoss] = []
    taken = served = 0
    for day, labels in days:
        truth = model.truth(labels)
        known = ~np.isnan(truth)
        if not known.any():
            continue  # younger than the label's delay: its rows do not lower the coverage
        losses = row_losses(model.contract.task, truth[known], day.lines.scores[known])
        by_day.append(
            DayLoss(
                day=day.day,
                rows=len(losses),
                mean=_rounded(float(losses.mean())),
                deviation=_rounded(float(losses.std())),
            )
        )
        if taken >= window and _is_enough(model, truths, policy):
            continue  # of no weight for the mean, but for when a change began
        taken += 1
        served += day.lines.looked_at
        truths.append(truth[known])
    if not taken or not _is_enough(model, truths, policy):
        return None
    return _against_baseline(model, by_day, taken, served, policy)


def baseline(reference: ReferenceProfile, policy: Policy) -> tuple[Losses, float]:
    """Return the loss to compare with and the z from which on a rise counts."""
    is_forward = any(block.rows for block in reference.forward)
    return reference.baseline, policy.forward_z if is_forward else policy.held_out_z


def _is_enough(model: MonitoredModel, truths: Sequence[Floats], policy: Policy) -> bool:
    rows = sum(map(len, truths))
    if rows < policy.min_labelled_rows:
        return False
    if model.contract.task != "binary":
        return True
    positive = sum(float(truth.sum()) for truth in truths)
    return min(positive, rows - positive) >= policy.min_labelled_of_class


def _against_baseline(
    model: MonitoredModel, by_day: Sequence[DayLoss], taken: int, served: int, policy: Policy
) -> Performance:
    """Compare the newest `taken` days of `by_day`, newest first, with the baseline.

    Days are the unit of the errors: rows of one day are no independent draws.
    """
    before, z_limit = baseline(model.reference, policy)
    blocks = model.reference.forward
    window = by_day[:taken]
    variance = usual_variance(blocks, window, policy)
    mean, error = mean_of(window), error_of(window, variance)
    joint_error = (error**2 + error_of(blocks or [before], variance if blocks else 0.0) ** 2) ** 0.5
    return Performance(
        metric="squared_error" if model.contract.task == "regression" else "log_loss",
        ref=_rounded(before.mean),
        cur=_rounded(mean),
        low=_rounded(mean - policy.interval_z * error),
        high=_rounded(mean + policy.interval_z * error),
        change=_rounded(mean / before.mean - 1 if before.mean else 0.0),
        z=_rounded((mean - before.mean) / joint_error if joint_error else 0.0),
        z_limit=z_limit,
        n_labelled=sum(day.rows for day in window),
        coverage=_rounded(sum(day.rows for day in window) / served),
        first=window[-1].day,
        last=window[0].day,
        days=tuple(reversed(by_day)),
    )


def _rounded(value: float) -> float:
    """Round to five significant digits, as a decision document states losses."""
    return float(f"{value:.5g}")
