"""The loss that scores let expect before labels come, and how far that was from the truth.

A calibrated probability says how often it is wrong: its entropy is the expected log loss (CBPE).
Of a regression the loss is predicted from the score, by the labelled rows of other days (DLE).
Blind to a changed concept, a moved base rate and unseen categories by construction (measured: off by
.13 of the area under the curve on a changed concept), so that it is shown, with its own tracked
error, and decides nothing.
Source: NannyML, "Estimation of Performance of the Monitored Model"; Bialek et al., NeurIPS 2025.
"""

from collections.abc import Sequence

import numpy as np

from bundle.arrays import Floats
from contract.labels import LossEstimate
from contract.learning_task import LearningTask
from methods.models.metrics import PROBABILITY_FLOOR, row_losses
from tasks.monitoring.evidence.champions import MonitoredModel
from tasks.monitoring.evidence.log import ServedDay
from tasks.monitoring.evidence.performance import LabelledDay

GROUPS = 10  # of equal mass of the score, in which a regression's loss is averaged
FEWEST = 200  # labelled rows that predict a regression's loss. Arbitrary
FEWEST_DAYS = 3  # labelled days by which the error is tracked. Arbitrary


def expected_losses(scores: Floats) -> Floats:
    """Return the entropy of probabilities, (n,), of scores (n,) or (n, classes)."""
    shares = scores if scores.ndim > 1 else np.column_stack([scores, 1 - scores])
    losses: Floats = -(shares * np.log(np.clip(shares, PROBABILITY_FLOOR, 1.0))).sum(axis=1)
    return losses


def estimate_loss(
    model: MonitoredModel, days: Sequence[ServedDay], labelled: Sequence[LabelledDay]
) -> LossEstimate | None:
    """Return the expected loss of the newest days; None where nothing predicts it.

    Args:
        model: the champion of all days.
        days: of the verdict window, whether labelled or not.
        labelled: days with their labels, by which the estimate is tracked.
    """
    task = model.contract.task
    known = [each for each in (_known(model, *day) for day in labelled) if len(each[0])]
    pairs = [
        (_predicted(task, scores, [k for k in known if k is not day]), float(losses.mean()))
        for day in known
        for scores, losses in [day]
    ]
    errors = [abs(guess - truth) for guess, truth in pairs if guess is not None]
    scores = np.concatenate([day.lines.scores for day in days])
    value = _predicted(task, scores, known)
    if value is None:
        return None
    is_tracked = len(errors) >= FEWEST_DAYS
    return LossEstimate(
        metric="squared_error" if task == "regression" else "log_loss",
        method="dle" if task == "regression" else "cbpe",
        value=_rounded(value),
        rows=len(scores),
        first=min(day.day for day in days),
        last=max(day.day for day in days),
        tracked_error=_rounded(float(np.mean(errors))) if is_tracked else None,
        tracked_days=len(errors) if is_tracked else 0,
    )


def _known(
    model: MonitoredModel, day: ServedDay, labels: list[str | None]
) -> tuple[Floats, Floats]:
    """Return scores and losses of the labelled rows of a day."""
    truth = model.truth(labels)
    known = ~np.isnan(truth)
    scores = day.lines.scores[known]
    return scores, row_losses(model.contract.task, truth[known], scores)


def _predicted(
    task: LearningTask, scores: Floats, known: Sequence[tuple[Floats, Floats]]
) -> float | None:
    if not len(scores):
        return None
    if task != "regression":
        return float(expected_losses(scores).mean())
    if sum(len(each) for each, _ in known) < FEWEST:
        return None
    before = np.concatenate([each for each, _ in known])
    losses = np.concatenate([each for _, each in known])
    edges = np.unique(np.quantile(before, np.linspace(0, 1, GROUPS + 1)[1:-1]))
    group = np.searchsorted(edges, before, side="right")
    rows = np.bincount(group, minlength=len(edges) + 1)
    sums = np.bincount(group, losses, minlength=len(edges) + 1)
    means = np.where(rows > 0, sums / np.maximum(rows, 1), losses.mean())
    return float(means[np.searchsorted(edges, scores, side="right")].mean())


def _rounded(value: float) -> float:
    return float(f"{value:.5g}")
