"""The cheap answers: the serving model as it is, with other probabilities or another threshold.

A base rate that moved, or a cost that changed, needs no new trees. The adjustment is fitted on the
newest labelled rows that the model has not learnt, and judged forward like any other answer.

Sources: Saerens, Latinne and Decaestecker, "Adjusting the outputs of a classifier to new a priori
probabilities", Neural Computation 14, 2002; Platt 1999 (the line through the log-odds).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bundle.arrays import Floats
from bundle.documents import Calibration, Isotonic, Platt
from contract.learning_task import LearningTask
from methods.models.calibration import apply_calibration, logit
from methods.retrain.forward import ChooseThreshold, Forward
from methods.retrain.thresholds import RetrainLimits
from methods.retrain.twin_agreement import typical_change
from methods.split.folds import Rows
from methods.split.judged import DAY, RefitStep, Times

_STEPS = 50  # of Newton's method, at most
_FLATTEST = 0.05  # a slope of 0 or less would turn the order of the rows


@dataclass(frozen=True)
class Adjustment:
    """What is done to the scores of the serving model."""

    maps: tuple[Platt, ...] = ()
    """One for each score, on top of the model's own calibration; empty: the scores stay."""
    shift: float = 0.0
    """Added to a value, in the target's unit."""
    threshold: float | None = None
    """Of a binary decision; None: the model's own stays."""

    def apply(self, scores: Floats) -> Floats:
        """Return the adjusted scores, of the same shape."""
        return apply_calibration(self.maps, scores) if self.maps else scores + self.shift


@dataclass(frozen=True)
class AdjustResult:
    """Forward scores of the adjusted model, the last adjustment among them, and the one to ship."""

    forward: Forward
    twin: Adjustment
    shipped: Adjustment


@dataclass(frozen=True)
class Served:
    """Labelled rows that the serving model, or its judged twin, scored without having learnt them.

    In any order: positions in the prepared table, moments in microseconds since 1970, truth and
    scores, each of n rows.
    """

    rows: Rows
    times: Times
    truth: Floats
    scores: Floats
    threshold: float

    def positions(self, rows: Rows) -> Rows:
        """Return where these rows of the prepared table stand here; they are all here."""
        order = np.argsort(self.rows, kind="stable")
        return order[np.searchsorted(self.rows, rows, sorter=order)]


@dataclass(frozen=True)
class AdjustRule:
    """What is adjusted, and by which rows."""

    task: LearningTask
    onset: int | None
    """The first moment of a change, microseconds since 1970; None: none is known."""
    moves_scores: bool
    """False: a new threshold alone."""
    choose_threshold: ChooseThreshold
    limits: RetrainLimits


def adjust_forward(served: Served, steps: Sequence[RefitStep], rule: AdjustRule) -> AdjustResult:
    """Adjust the serving model before each step, score the step, and adjust it on all rows."""
    made: list[Adjustment] = []
    predicted, thresholds = [], []
    for step in steps:
        made.append(_adjustment(served, step.begins, rule))
        at = served.positions(step.score)
        predicted.append(made[-1].apply(served.scores[at]))
        cut = made[-1].threshold
        thresholds.append(np.full(len(at), served.threshold if cut is None else cut))
    change = None
    if len(made) > 1:
        again = made[-1].apply(served.scores[served.positions(steps[-2].score)])
        change = typical_change(again, predicted[-2], are_values=rule.task == "regression")
    forward = Forward(
        rows=np.concatenate([step.score for step in steps]),
        step=np.concatenate([np.full(len(step.score), k) for k, step in enumerate(steps)]),
        predicted=np.concatenate(predicted),
        threshold=np.concatenate(thresholds),
        refit_change=change,
    )
    return AdjustResult(forward, made[-1], _adjustment(served, int(served.times.max()) + 1, rule))


def _adjustment(served: Served, now: int, rule: AdjustRule) -> Adjustment:
    """Fit the adjustment on the rows before `now` of the new world, or of the newest days."""
    since = now - int(rule.limits.adjust_days * DAY) if rule.onset is None else rule.onset
    known = served.times < now
    newest = known & (served.times >= since)
    moved = Adjustment()
    is_enough = _is_enough(rule.task, served.truth[newest], rule.limits)
    if rule.moves_scores and is_enough:
        moved = fit_adjustment(
            rule.task, served.truth[newest], served.scores[newest], rule.limits.slope_error
        )
    # A threshold needs both decisions' outcomes: all known rows where the newest are too few.
    rows = newest if is_enough else known
    truth = served.truth[rows]
    if rule.task != "binary" or len(np.unique(truth)) < 2:  # noqa: PLR2004 - both classes
        return moved
    threshold = rule.choose_threshold(truth, moved.apply(served.scores[rows]))
    return Adjustment(maps=moved.maps, threshold=threshold)


def _is_enough(task: LearningTask, truth: Floats, limits: RetrainLimits) -> bool:
    if len(truth) < limits.adjust_rows:
        return False
    if task == "regression":
        return True
    counts = np.bincount(truth.astype(np.int64), minlength=2)
    return int(counts.min()) >= limits.adjust_of_class


def fit_adjustment(
    task: LearningTask, truth: Floats, scores: Floats, slope_error: float
) -> Adjustment:
    """Return the line through the log-odds of each class, or the mean error of a value."""
    if task == "regression":
        return Adjustment(shift=float(np.mean(truth - scores)))
    if scores.ndim == 1:
        return Adjustment(maps=(_line(truth == 1.0, scores, slope_error),))
    lines = [_line(truth == k, scores[:, k], slope_error) for k in range(scores.shape[1])]
    return Adjustment(maps=tuple(lines))


def _line(is_class: NDArray[np.bool_], scores: Floats, slope_error: float) -> Platt:
    """Fit sigmoid(a * logit + b) by Newton's method, with a normal prior of `a` around 1."""
    margins, truth = logit(scores), is_class.astype(np.float64)
    precision = np.array([1.0 / slope_error**2, 1e-6])
    theta, centre = np.array([1.0, 0.0]), np.array([1.0, 0.0])
    design = np.column_stack([margins, np.ones(len(margins))])
    for _ in range(_STEPS):
        fitted = 1.0 / (1.0 + np.exp(-np.clip(design @ theta, -700.0, 700.0)))
        gradient = design.T @ (truth - fitted) - precision * (theta - centre)
        weight = fitted * (1.0 - fitted)
        curvature = (design * weight[:, None]).T @ design + np.diag(precision)
        step = np.clip(np.linalg.solve(curvature, gradient), -1.0, 1.0)
        theta = theta + step
        if float(np.abs(step).max()) < 1e-10:  # noqa: PLR2004 - converged
            break
    return Platt(a=max(_FLATTEST, float(theta[0])), b=float(theta[1]))


def composed(own: tuple[Calibration, ...], above: tuple[Platt, ...]) -> tuple[Calibration, ...]:
    """Return one map a score for the model's own calibration with `above` on top of it.

    Exact for lines. Steps keep their places and get the line's values there, so that between two
    steps the probability differs by what a straight line differs from a curve.
    """
    if not own or not above:
        return own or above
    return tuple(_composed(one, top) for one, top in zip(own, above, strict=True))


def _composed(own: Calibration, above: Platt) -> Calibration:
    if isinstance(own, Platt):
        return Platt(a=own.a * above.a, b=own.b * above.a + above.b)
    y = apply_calibration([above], np.array(own.y)).tolist()
    return Isotonic(x=own.x, y=tuple(max(pair) for pair in pairwise([0.0, *y])))
