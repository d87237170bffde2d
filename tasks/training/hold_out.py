"""Scores of the held-out rows: the plan fitted on train predicts validation, and refits what follows.

The reference profile, calibration, threshold, importance and the card's metrics come from here. The
model that is served was trained on these rows too, so its own scores there would be optimistic.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import JsonValue

from bundle.arrays import Floats
from bundle.documents import Calibration
from contract.problem import Problem
from methods.drift.histograms import Kind
from methods.drift.reference import reference_profile
from methods.models.calibration import apply_calibration, fit_calibration
from methods.models.dataset import Dataset, metric_of
from methods.models.families import TrainingPlan
from methods.models.fitting import FittedPlan
from methods.models.metrics import METRICS, row_losses
from methods.models.threshold import ChosenThreshold, choose_threshold
from methods.models.yardstick import Yardstick, yardstick_of
from methods.retrain.forward import DecisionRule
from methods.retrain.refit import RefitResult
from methods.split.event_times import MICROSECONDS, microseconds
from methods.split.folds import Rows
from tasks.training.importance import Importance, permutation_importance

_KINDS: dict[str, Kind] = {
    "number": "number",
    "binary": "boolean",
    "category": "category",
    "date": "date",
    "text": "text",
}
_DAY = 86_400  # seconds


@dataclass(frozen=True)
class HoldOut:
    """Truth and calibrated scores of the held-out rows, and what follows from them."""

    truth: Floats
    scores: Floats
    calibration: list[Calibration]
    threshold: ChosenThreshold | None
    """None unless binary."""
    importance: list[Importance]
    metrics: dict[str, float]
    yardstick: Yardstick
    """Its score is among the metrics, by its name."""
    profile: dict[str, JsonValue]

    @property
    def decision(self) -> DecisionRule:
        """Return calibration and threshold as a model ships them."""
        cut = None if self.threshold is None else self.threshold.cut
        return DecisionRule(tuple(self.calibration), cut)


def score_hold_out(
    plan: TrainingPlan,
    fitted: FittedPlan,
    dataset: Dataset,
    rows: Rows,
    problem: Problem,
    *,
    forward: bool,
) -> HoldOut:
    """Score `rows`, on which `fitted` was not trained, and derive everything that needs such scores.

    `forward` is True where the rows are later than the training rows.
    """
    metric = metric_of(problem, dataset.schema)
    table, truth = dataset.take(rows), dataset.truth[rows]
    encoded = fitted.encoding.encode(table)
    mixed = fitted.mix(encoded)
    maps = [] if plan.task == "regression" else fit_calibration(truth, mixed, plan.calibration)
    scores = apply_calibration(maps, mixed)
    yardstick = yardstick_of(problem, plan.task)
    threshold = None
    if plan.task == "binary":
        blocks = dataset.assignment.block[rows]
        threshold = choose_threshold(truth, scores, blocks, yardstick)
    cut = 0.5 if threshold is None else threshold.cut
    importance = permutation_importance(
        encoded,
        truth,
        lambda rows_encoded: apply_calibration(maps, fitted.mix(rows_encoded)),
        fitted.encoding.positions(),
        metric,
        seed=plan.seed,
        threshold=cut,
    )
    return HoldOut(
        truth=truth,
        scores=scores,
        calibration=maps,
        threshold=threshold,
        importance=importance,
        metrics=metrics_of(plan, yardstick, truth, scores, cut),
        yardstick=yardstick,
        profile=describe_rows(dataset, rows, scores, importance, forward=forward),
    )


def extend_hold_out(  # noqa: PLR0917 - what a hold-out is made of
    held: HoldOut,
    plan: TrainingPlan,
    dataset: Dataset,
    rows: Rows,
    problem: Problem,
    result: RefitResult,
) -> HoldOut:
    """Return the hold-out of validation's `rows` with the judged rows, by their forward scores."""
    judged = result.forward
    together = np.concatenate([rows, judged.rows])
    truth = dataset.truth[together]
    scores = np.concatenate([held.scores, judged.predicted])
    threshold, yardstick = None, yardstick_of(problem, plan.task)
    if plan.task == "binary":
        blocks = dataset.assignment.block[together]
        threshold = choose_threshold(truth, scores, blocks, yardstick)
    return HoldOut(
        truth=truth,
        scores=scores,
        calibration=list(result.shipped.decision.maps),
        threshold=threshold,
        importance=held.importance,
        metrics=metrics_of(
            plan, yardstick, truth, scores, 0.5 if threshold is None else threshold.cut
        ),
        yardstick=yardstick,
        profile=describe_rows(dataset, together, scores, held.importance, forward=True),
    )


def describe_rows(
    dataset: Dataset, rows: Rows, scores: Floats, importance: list[Importance], *, forward: bool
) -> dict[str, JsonValue]:
    """Return the reference profile of rows by the scores of models that had not learnt them."""
    losses = row_losses(dataset.schema.task, dataset.truth[rows], scores)
    return _profile(dataset, rows, losses, scores, importance, forward=forward)


def metrics_of(
    plan: TrainingPlan, yardstick: Yardstick, truth: Floats, scores: Floats, threshold: float
) -> dict[str, float]:
    """Return the yardstick, and every metric of the task that can be computed."""
    values = {
        name: metric.score(truth, scores, threshold)
        for name, metric in {yardstick.name: yardstick, **METRICS}.items()
        if plan.task in metric.tasks
    }
    return {name: score for name, score in values.items() if np.isfinite(score)}


def _profile(
    dataset: Dataset,
    rows: Rows,
    losses: Floats,
    scores: Floats,
    importance: list[Importance],
    *,
    forward: bool,
) -> dict[str, JsonValue]:
    """Describe the held-out rows for monitoring."""
    table = dataset.take(rows)
    blocks = dataset.assignment.block[rows]
    days = _days(dataset, table, blocks)
    return reference_profile(
        table,
        scores,
        losses,
        {
            column.name: _KINDS[column.role]
            for column in dataset.schema.columns
            if column.role in _KINDS
        },
        {one.column: one.share for one in importance},
        days,
        _by_block(blocks, losses) if forward else [],
        are_days=days is not blocks,
    )


def _days(dataset: Dataset, table: pa.Table, blocks: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the day of each row's event, since 1970; the split's `blocks` where there is no time."""
    name = dataset.schema.event_time
    if name is None or name not in table.column_names or pc.any(pc.is_null(table[name])).as_py():
        return blocks
    return np.asarray(microseconds(table[name]) // (MICROSECONDS * _DAY), dtype=np.int64)


def _by_block(blocks: NDArray[np.int64], losses: Floats) -> list[tuple[int, int, float, float]]:
    """Return block, rows, mean loss and its deviation over rows, in the blocks' order."""
    summaries = []
    for block in np.unique(blocks):
        of_block = losses[blocks == block]
        summaries.append((int(block), len(of_block), float(of_block.mean()), float(of_block.std())))
    return summaries
