"""Scores of judged rows, each by a model that has not learnt it, and what follows from them.

A recipe is judged by its forward scores: it is made anew from what came before each step of days,
and scores that step (prequential evaluation). What ships is the same recipe, made from everything.

Source: Dawid, "Present position and potential developments: the prequential approach", Journal of
the Royal Statistical Society A 147, 1984; Cerqueira, Torgo and Mozetic, "Evaluating time series
forecasting models", Machine Learning 109, 2020.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bundle.arrays import Floats
from bundle.documents import Calibration
from methods.models.calibration import apply_calibration, fit_calibration
from methods.models.families import TrainingPlan
from methods.models.metrics import row_losses
from methods.split.folds import Rows

ChooseThreshold = Callable[[Floats, Floats], float]
"""The threshold that is best for truth and scores, both (n,)."""


@dataclass(frozen=True)
class Forward:
    """Judged rows in the order of their steps, with their scores; n rows in all."""

    rows: Rows
    """Positions in the prepared table, (n,)."""
    step: Rows
    """The number of the refit that scored each, from 0 on, (n,)."""
    predicted: Floats
    """Calibrated, (n,) or (n, classes)."""
    threshold: Floats
    """In force when the row was scored, (n,); 0.5 where the task has none."""
    refit_change: float | None
    """How much two refits differ (`typical_change`): on the rows that the last but one scored, and
    that the judged one has learnt; None where there was only one refit."""


@dataclass(frozen=True)
class DecisionRule:
    """How scores become probabilities and decisions."""

    maps: tuple[Calibration, ...]
    threshold: float | None

    def apply(self, mixed: Floats) -> Floats:
        """Return the calibrated scores."""
        return apply_calibration(self.maps, mixed)

    @property
    def cut(self) -> float:
        """Return the threshold, 0.5 where the task has none."""
        return 0.5 if self.threshold is None else self.threshold


class OutOfFold:
    """Rows that were scored by models that had not learnt them, collected as time goes on."""

    def __init__(self, plan: TrainingPlan, choose_threshold: ChooseThreshold) -> None:
        self._plan = plan
        self._choose = choose_threshold
        self._truth: list[Floats] = []
        self._mixed: list[Floats] = []
        self._scores: list[Floats] = []

    def add(self, truth: Floats, mixed: Floats, scores: Floats) -> None:
        """Take rows with their truth, and their scores before and after calibration."""
        self._truth.append(truth)
        self._mixed.append(mixed)
        self._scores.append(scores)

    def decision(self) -> DecisionRule:
        """Return calibration and threshold by the rows taken so far; none where there is none."""
        if not self._truth:
            return DecisionRule((), 0.5 if self._plan.task == "binary" else None)
        truth = np.concatenate(self._truth)
        maps: tuple[Calibration, ...] = ()
        if self._plan.task != "regression":
            mixed = np.concatenate(self._mixed)
            maps = tuple(fit_calibration(truth, mixed, self._plan.calibration))
        threshold = None
        if self._plan.task == "binary":
            threshold = self._choose(truth, np.concatenate(self._scores))
        return DecisionRule(maps, threshold)


@dataclass(frozen=True)
class Recovery:
    """What a change cost, and what an answer to it brings back; in the unit of the proper loss."""

    lost: float
    """The champion's mean loss on the judged rows, less the one at its deployment."""
    recovered: float
    """Of the answer, on the same rows."""
    at_deployment: float

    @property
    def share(self) -> float | None:
        """Return the share of what was lost that is recovered; None where nothing was lost."""
        return self.recovered / self.lost if self.lost > 0.0 else None


def measure_recovery(
    plan: TrainingPlan, truth: Floats, champion: Floats, answer: Floats, at_deployment: float
) -> Recovery:
    """Compare the losses of the champion and of an answer on the same rows.

    `truth` is (n,), the scores (n,) or (n, classes), of rows that neither has learnt.
    """
    before = float(row_losses(plan.task, truth, champion).mean())
    after = float(row_losses(plan.task, truth, answer).mean())
    return Recovery(before - at_deployment, before - after, at_deployment)
