"""Is the champion worse than it was on rows it had not seen? The mean loss per row, by day.

The proper loss (log loss, squared error) and not the problem's metric: the area under the curve
does not see a shift of the base rate at all. The baseline is the forward backtest; a random
hold-out flatters the model and starts storms of retraining, so against it z >= 3 is asked.
"""

from collections.abc import Sequence

import numpy as np

from bundle.arrays import Floats
from contract.decision import Performance
from methods.drift.profile import Losses, ReferenceProfile
from methods.models.metrics import row_losses
from tasks.monitoring.champions import Champion
from tasks.monitoring.log import ServedDay

FEWEST_ROWS = 500  # labelled; days are added backwards until there are so many
FEWEST_OF_A_CLASS = 50  # of the rarer class of a binary problem
Z_FORWARD = 2.0
Z_HELD_OUT = 3.0
INTERVAL = 1.96  # standard errors: 95 %


def measure(
    champion: Champion, days: Sequence[tuple[ServedDay, list[str | None]]], window: int
) -> Performance | None:
    """Return the loss on labelled rows; None where there are too few.

    Args:
        champion: who served on all of `days`.
        days: newest first, with the label of each line.
        window: days that are taken at least, so that weekdays do not matter.
    """
    losses: list[Floats] = []
    truths: list[Floats] = []
    taken: list[ServedDay] = []
    served = 0
    for day, labels in days:
        if len(taken) >= window and _is_enough(champion, truths):
            break
        truth = champion.truth(labels)
        known = ~np.isnan(truth)
        if not known.any():
            continue  # younger than the label's delay: not served rows that lack a label
        taken.append(day)
        served += len(truth)
        truths.append(truth[known])
        losses.append(row_losses(champion.contract.task, truth[known], day.lines.scores[known]))
    if not taken or not _is_enough(champion, truths):
        return None
    return _compare(champion, np.concatenate(losses), taken, served)


def baseline(reference: ReferenceProfile) -> tuple[Losses, float]:
    """Return the loss to compare with and the z from which on a rise counts."""
    blocks = reference.forward
    rows = sum(block.rows for block in blocks)
    if not rows:
        return reference.losses, Z_HELD_OUT
    mean = sum(block.rows * block.mean for block in blocks) / rows
    square = sum(block.rows * (block.deviation**2 + block.mean**2) for block in blocks) / rows
    deviation = max(0.0, square - mean**2) ** 0.5
    return Losses(rows=rows, mean=mean, deviation=deviation), Z_FORWARD


def _is_enough(champion: Champion, truths: Sequence[Floats]) -> bool:
    if sum(map(len, truths)) < FEWEST_ROWS:
        return False
    if champion.contract.task != "binary":
        return True
    positive = sum(float(truth.sum()) for truth in truths)
    rows = sum(map(len, truths))
    return min(positive, rows - positive) >= FEWEST_OF_A_CLASS


def _compare(
    champion: Champion, losses: Floats, taken: Sequence[ServedDay], served: int
) -> Performance:
    before, z_limit = baseline(champion.reference)
    rows, mean, deviation = len(losses), float(losses.mean()), float(losses.std())
    error = deviation / rows**0.5
    both = (error**2 + before.deviation**2 / before.rows) ** 0.5
    return Performance(
        metric="squared_error" if champion.contract.task == "regression" else "log_loss",
        ref=_short(before.mean),
        cur=_short(mean),
        low=_short(mean - INTERVAL * error),
        high=_short(mean + INTERVAL * error),
        change=_short(mean / before.mean - 1 if before.mean else 0.0),
        z=_short((mean - before.mean) / both if both else 0.0),
        z_limit=z_limit,
        n_labelled=rows,
        coverage=_short(rows / served),
        first=min(day.day for day in taken),
        last=max(day.day for day in taken),
    )


def _short(value: float) -> float:
    return float(f"{value:.5g}")
