"""The answer of refitting a plan: which window of time, its forward scores, and what ships.

The window is chosen for each step by the steps before it, with one quick member; after a change
only steps whose refits could know of it count.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from bundle.arrays import Floats
from methods.models.families import TrainingPlan
from methods.models.fitting import FittedPlan, fit_plan
from methods.models.metrics import row_losses
from methods.retrain.forward import DecisionRule, Forward, OutOfFold
from methods.retrain.rows import RetrainRows
from methods.retrain.thresholds import RetrainLimits
from methods.retrain.twin_agreement import typical_change
from methods.split.event_times import MICROSECONDS
from methods.split.folds import Rows
from methods.split.judged import RefitStep, Times
from methods.split.weights import DAY, TrainingWindow

_FASTEST_RATE = 0.15  # of boosting; the upper end of its own search


@dataclass(frozen=True)
class Refitted:
    """A fitted plan with its calibration and threshold."""

    fitted: FittedPlan
    decision: DecisionRule
    window: TrainingWindow
    rows: Rows
    """Positions of the rows that its window could choose from."""

    def predict(self, table: pa.Table) -> Floats:
        """Return calibrated scores of raw rows."""
        return self.decision.apply(self.fitted.predict(table))


@dataclass(frozen=True)
class RefitResult:
    """Forward scores of the refits, the last of them, and the one on all rows."""

    forward: Forward
    twin: Refitted
    shipped: Refitted


def windows(
    times: Times, onset: int | None, known: TrainingWindow, limits: RetrainLimits
) -> list[TrainingWindow]:
    """Return the windows that are compared; the first counts until there is evidence.

    Args:
        times: of all labelled rows, microseconds since 1970.
        onset: the first moment of a change; None: none is known.
        known: the plan's own window, or the one that the serving model was made with.
        limits: half-life and weights.
    """
    half_span = float(np.ptp(times)) / MICROSECONDS / DAY / 2.0
    found = [known, TrainingWindow()]
    if half_span > 0.0:
        found.append(TrainingWindow(half_life_days=half_span))
    if 0.0 < limits.recent_half_life < half_span:
        found.append(TrainingWindow(half_life_days=limits.recent_half_life))
    if onset is not None:
        found.insert(0, TrainingWindow(since=onset))
    return list({window.model_dump_json(): window for window in found}.values())


def quick_plan(plan: TrainingPlan, limits: RetrainLimits) -> TrainingPlan:
    """Return the plan's strongest member alone, with few iterations and a rate that fits them."""
    member = max(plan.members, key=lambda one: one.weight)
    settings = dict(member.settings)
    iterations = min(member.iterations, limits.quick_rounds)
    rate = settings.get("learning_rate")
    if member.family == "boosting" and isinstance(rate, float) and iterations < member.iterations:
        faster = rate * member.iterations / iterations
        settings["learning_rate"] = max(rate, min(_FASTEST_RATE, faster))
    quick = member.model_copy(
        update={"settings": settings, "iterations": iterations, "weight": 1.0}
    )
    return plan.model_copy(update={"members": (quick,), "calibration": "none"})


def compare_windows(
    plan: TrainingPlan, data: RetrainRows, tried: Sequence[TrainingWindow], limits: RetrainLimits
) -> list[TrainingWindow]:
    """Return the window of each step: the one with the least loss on the steps before it.

    No step chooses its own. What ships has the last step's, so that it is what was judged. A step
    whose refit had too few rows since a change to learn from them alone says nothing of that.
    """
    losses: list[list[Floats]] = [[] for _ in tried]
    chosen = []
    for step in data.steps:
        chosen.append(tried[_best(losses, limits)])
        if len(tried) == 1 or step is data.steps[-1] or _falls_back(data, step, tried, limits):
            continue
        truth = data.dataset.truth[step.score]
        scores = quick_scores(quick_plan(plan, limits), data, step, tried, limits)
        for known, one in zip(losses, scores, strict=True):
            known.append(row_losses(plan.task, truth, one))
    return chosen


def _falls_back(
    data: RetrainRows, step: RefitStep, tried: Sequence[TrainingWindow], limits: RetrainLimits
) -> bool:
    return any(
        one.since is not None and len(_kept(data, step.train, one, limits)) == len(step.train)
        for one in tried
    )


def _best(losses: Sequence[Sequence[Floats]], limits: RetrainLimits) -> int:
    """Return the index of the window with the least loss; of the first, unless another is surely less."""
    if not losses[0]:
        return 0
    rows = [np.concatenate(of_window) for of_window in losses]
    best = int(np.argmin([one.mean() for one in rows]))
    saved = rows[0] - rows[best]
    error = float(saved.std()) / len(saved) ** 0.5
    return best if error > 0.0 and float(saved.mean()) >= limits.window_z * error else 0


def quick_scores(
    quick: TrainingPlan,
    data: RetrainRows,
    step: RefitStep,
    tried: Sequence[TrainingWindow],
    limits: RetrainLimits,
) -> list[Floats]:
    """Return the step's scores by the quick plan with each window."""
    newest = np.argsort(data.times[step.train], kind="stable")[-limits.quick_rows :]
    rows = np.sort(step.train[newest])
    table = data.dataset.take(step.score)
    return [fit_window(quick, data, rows, window, limits).predict(table) for window in tried]


def refit_forward(
    plan: TrainingPlan,
    data: RetrainRows,
    chosen: Sequence[TrainingWindow],
    out_of_fold: OutOfFold,
    limits: RetrainLimits,
) -> RefitResult:
    """Refit the plan before each step and score the step; then on all labelled rows.

    Args:
        plan: what is refitted.
        data: the rows, with at least one step.
        chosen: the window of each step; the last one's is that of the model that ships.
        out_of_fold: earlier rows that were scored by a model that had not learnt them.
        limits: how many rows a window must keep.

    Raises:
        Refused: a class has no labelled row before the judged ones.
    """
    dataset = data.dataset
    predicted, thresholds, refits = [], [], []
    for step, window in zip(data.steps, chosen, strict=True):
        decision = out_of_fold.decision()
        fitted = fit_window(plan, data, step.train, window, limits)
        refits.append(Refitted(fitted, decision, window, step.train))
        table, truth = dataset.take(step.score), dataset.truth[step.score]
        mixed = refits[-1].fitted.predict(table)
        scores = decision.apply(mixed)
        out_of_fold.add(truth, mixed, scores)
        predicted.append(scores)
        thresholds.append(np.full(len(truth), decision.cut))
    change = None
    if len(refits) > 1:
        again = refits[-1].predict(dataset.take(data.steps[-2].score))
        change = typical_change(again, predicted[-2], are_values=plan.task == "regression")
    forward = Forward(
        rows=data.judged,
        step=np.concatenate([np.full(len(one.score), k) for k, one in enumerate(data.steps)]),
        predicted=np.concatenate(predicted),
        threshold=np.concatenate(thresholds),
        refit_change=change,
    )
    whole = fit_window(plan, data, data.labelled, chosen[-1], limits)
    shipped = Refitted(whole, out_of_fold.decision(), chosen[-1], data.labelled)
    return RefitResult(forward, refits[-1], shipped)


def fit_window(
    plan: TrainingPlan,
    data: RetrainRows,
    rows: Rows,
    window: TrainingWindow,
    limits: RetrainLimits,
) -> FittedPlan:
    """Fit the plan on those of the rows that the window keeps, weighed as it says.

    Where it keeps too few, or not every class, all of them are learnt from.
    """
    kept = _kept(data, rows, window, limits)
    newest = datetime.fromtimestamp(int(data.times[kept].max()) / MICROSECONDS, UTC)
    return fit_plan(plan, data.dataset, kept, data.dataset.weights(kept, newest, window))


def _kept(data: RetrainRows, rows: Rows, window: TrainingWindow, limits: RetrainLimits) -> Rows:
    if window.since is None:
        return rows
    kept = rows[data.times[rows] >= window.since]
    classes = len(data.dataset.schema.classes)
    truth = data.dataset.truth[kept]
    if len(kept) < limits.onset_rows or (classes and len(np.unique(truth)) < classes):
        return rows
    return kept
