"""The challenger: a model that may ship, the twin that is judged for it, and the judged scores.

By time the twin is the newest of the refits that scored the judged rows. Without time it is the plan
fitted on train and validation, which scores the vault. What ships is the same recipe made from all
labelled rows: nothing of it was judged, so that the gate asks whether it agrees with its twin.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bundle.documents import Card
from contract.problem import Problem
from contract.recipe import Answer, TriedAnswer
from contract.run import Run
from methods.models.dataset import Dataset
from methods.models.families import TrainingPlan
from methods.models.fitting import FittedPlan, fit_plan
from methods.models.metrics import METRICS
from methods.models.threshold import best_cut
from methods.models.yardstick import yardstick_of
from methods.retrain.forward import ChooseThreshold, DecisionRule, Forward, OutOfFold
from methods.retrain.refit import compare_windows, refit_forward, windows
from methods.retrain.rows import RetrainRows
from methods.retrain.thresholds import RetrainLimits
from methods.retrain.twin_agreement import typical_change
from methods.split.folds import Rows
from methods.split.weights import TrainingWindow
from tasks.training.export import bundle_contract, export, model_card
from tasks.training.hold_out import HoldOut, extend_hold_out, score_hold_out


@dataclass(frozen=True)
class TrainingCase:
    """What a challenger is made from."""

    problem: Problem
    run: Run
    plan: TrainingPlan
    dataset: Dataset
    limits: RetrainLimits
    signing_key: bytes
    folder: Path
    """The bundles are written below it."""

    @property
    def choose_threshold(self) -> ChooseThreshold:
        """Return the choice of a threshold by the yardstick, by F1 where that tells none apart."""
        yardstick = yardstick_of(self.problem, self.plan.task)
        by = yardstick if yardstick.decides else METRICS["f1"]
        return lambda truth, scores: best_cut(truth, scores, by, yardstick.values)


@dataclass(frozen=True)
class WrittenBundle:
    """A signed bundle in a local folder, read back and compared."""

    folder: Path
    digest: str
    card: Card


@dataclass(frozen=True)
class Challenger:
    """What training made."""

    answer: Answer
    window: TrainingWindow
    forward: Forward
    hold_out: HoldOut
    shipped: WrittenBundle
    twin: WrittenBundle
    learnt_until: int | None
    """By time: the model that ships has learnt from no row from then on, microseconds since 1970."""
    twin_learnt_until: int | None
    """The same of its twin."""
    lost: float | None = None
    tried: tuple[TriedAnswer, ...] = ()


def refit_in_time(
    case: TrainingCase, data: RetrainRows, known: TrainingWindow | None
) -> Challenger:
    """Return the plan refitted forward; with the serving model's window `known`, windows compete."""
    plan, dataset = case.plan, case.dataset
    held, fitted = _held_out(case, forward=True)
    validation = dataset.rows("validation")
    out_of_fold = OutOfFold(plan, case.choose_threshold)
    out_of_fold.add(held.truth, fitted.predict(dataset.take(validation)), held.scores)
    tried = [plan.window]
    if known is not None:
        tried = windows(data.times[data.labelled], data.onset, known, case.limits)
    chosen = compare_windows(plan, data, tried, case.limits)
    result = refit_forward(plan, data, chosen, out_of_fold, case.limits)
    whole = extend_hold_out(held, plan, dataset, validation, case.problem, result)
    learnt = data.steps[-1].train
    return Challenger(
        answer="search" if case.run.replay is None else "refit",
        window=chosen[-1],
        forward=result.forward,
        hold_out=whole,
        shipped=_write(case, "bundle", result.shipped.fitted, whole.decision, whole, data.labelled),
        twin=_write(case, "twin", result.twin.fitted, result.twin.decision, whole, learnt),
        learnt_until=int(data.times[data.labelled].max()) + 1,
        twin_learnt_until=int(data.times[learnt].max()) + 1,
    )


def fit_without_time(case: TrainingCase) -> Challenger:
    """Return the plan fitted on all labelled rows; its twin has not learnt the vault."""
    plan, dataset = case.plan, case.dataset
    held, _ = _held_out(case, forward=False)
    both, everything = dataset.rows("train", "validation"), np.flatnonzero(dataset.labelled)
    vault = dataset.rows("vault")
    twin = _fit(case, both)
    table = dataset.take(vault)
    forward = Forward(
        rows=vault,
        step=np.zeros(len(vault), dtype=np.int64),
        predicted=held.decision.apply(twin.predict(table)),
        threshold=np.full(len(vault), held.decision.cut),
        refit_change=typical_change(
            held.decision.apply(twin.predict(dataset.take(dataset.rows("validation")))),
            held.scores,
            are_values=plan.task == "regression",
        ),
    )
    return Challenger(
        answer="search" if case.run.replay is None else "refit",
        window=plan.window,
        forward=forward,
        hold_out=held,
        shipped=_write(case, "bundle", _fit(case, everything), held.decision, held, everything),
        twin=_write(case, "twin", twin, held.decision, held, both),
        learnt_until=None,
        twin_learnt_until=None,
    )


def _held_out(case: TrainingCase, *, forward: bool) -> tuple[HoldOut, FittedPlan]:
    """Return validation by the plan fitted on train, and that fit."""
    fitted = _fit(case, case.dataset.rows("train"))
    rows = case.dataset.rows("validation")
    held = score_hold_out(case.plan, fitted, case.dataset, rows, case.problem, forward=forward)
    return held, fitted


def _fit(case: TrainingCase, rows: Rows) -> FittedPlan:
    weights = case.dataset.weights(rows, case.run.window_end, case.plan.window)
    return fit_plan(case.plan, case.dataset, rows, weights)


def _write(  # noqa: PLR0917 - what a bundle holds
    case: TrainingCase,
    name: str,
    fitted: FittedPlan,
    decision: DecisionRule,
    hold_out: HoldOut,
    rows: Rows,
) -> WrittenBundle:
    """Write the bundle of a plan that was fitted on these rows."""
    forward = case.problem.split_by == "time"
    card = model_card(
        case.plan, hold_out, case.run, len(rows), case.run.window_end, forward=forward
    )
    folder = case.folder / name
    digest = export(
        folder,
        plan=case.plan,
        refitted=fitted,
        decision=decision,
        profile=hold_out.profile,
        table=case.dataset.take(rows),
        contract=bundle_contract(case.dataset.schema, case.problem),
        card=card,
        signing_key=case.signing_key,
    )
    return WrittenBundle(folder, digest, card)
