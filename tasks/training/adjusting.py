"""The cheap answers to a change: the serving model with another threshold, or other probabilities.

Its trees, its encoder and its reference of the columns stay; calibration, threshold, the reference
of the scores and the card are new. It is judged and promoted like any other challenger.
"""

from dataclasses import replace

import numpy as np

from bundle.arrays import Floats
from contract.recipe import Answer, TriedAnswer
from contract.store.documents import parse_value
from methods.drift.profile import ReferenceProfile
from methods.models.bootstrap import Scored, paired_gain
from methods.models.yardstick import yardstick_of
from methods.retrain.adjust import (
    AdjustResult,
    AdjustRule,
    adjust_forward,
)
from methods.retrain.forward import Recovery, measure_recovery
from methods.retrain.rows import RetrainRows
from methods.split.weights import TrainingWindow
from tasks.training.adjusted_bundle import write_adjusted
from tasks.training.challenger import Challenger, TrainingCase
from tasks.training.hold_out import HoldOut, describe_rows, metrics_of
from tasks.training.importance import Importance
from tasks.training.serving_model import ChampionInTraining

_ASK_FOR_A_FIT = frozenset(
    {"age", "benefit"}
)  # of other trees: nothing was lost that a cut brings back


def recovery_of(
    data: RetrainRows, serving: ChampionInTraining, scores: Floats, case: TrainingCase
) -> Recovery:
    """Return what `scores` of the judged rows bring back, on those whose refits knew of the change."""
    informed = np.isin(data.judged, data.informed)
    truth = case.dataset.truth[data.judged][informed]
    before = serving.scores_of(data)[informed]
    return measure_recovery(case.plan, truth, before, scores[informed], serving.at_deployment)


def adjust(
    case: TrainingCase, data: RetrainRows, serving: ChampionInTraining
) -> tuple[Challenger | None, tuple[TriedAnswer, ...]]:
    """Return the cheapest answer that is enough, None where none is, and what was tried.

    Where the proper loss has risen, new probabilities must bring back enough of it. Where it has
    not, a new threshold must surely be better by the yardstick.
    """
    moved = _forward(case, data, serving, moves_scores=True)
    recovery = recovery_of(data, serving, moved.forward.predicted, case)
    if case.run.reason in _ASK_FOR_A_FIT:
        return None, ()
    if recovery.lost <= case.limits.lost * serving.at_deployment:
        cut = _forward(case, data, serving, moves_scores=False)
        tried = (TriedAnswer(answer="threshold"),)
        if not _is_surely_better(case, data, serving, cut):
            return None, tried
        return _challenger(case, data, serving, "threshold", cut, recovery, tried), tried
    share = recovery.share
    tried = (TriedAnswer(answer="recalibration", recovered=share),)
    if share is None or share < case.limits.recovered:
        return None, tried
    if not _recovers_yardstick(case, data, serving, moved):
        return None, tried
    return _challenger(case, data, serving, "recalibration", moved, recovery, tried), tried


def _forward(
    case: TrainingCase, data: RetrainRows, serving: ChampionInTraining, *, moves_scores: bool
) -> AdjustResult:
    rule = AdjustRule(
        task=case.plan.task,
        onset=data.onset,
        moves_scores=moves_scores,
        choose_threshold=case.choose_threshold,
        limits=case.limits,
    )
    return adjust_forward(serving.served, data.steps, rule)


def _recovers_yardstick(
    case: TrainingCase, data: RetrainRows, serving: ChampionInTraining, moved: AdjustResult
) -> bool:
    """Tell whether new probabilities bring back enough of what the yardstick lost, if it did.

    A rank metric that fell, as where an effect changed, is not brought back by any probability. A
    fall counts from a share of what the model was better than a constant answer.
    """
    yardstick = yardstick_of(case.problem, case.plan.task)
    then = serving.model.card.metrics.get(yardstick.name)
    if then is None or case.plan.task == "multiclass":
        return True
    informed = np.isin(data.judged, data.informed)
    truth = case.dataset.truth[data.judged][informed]
    constant = np.full(len(truth), float(truth.mean()))
    dummies = [yardstick.score(truth, constant, cut) for cut in (0.0, 2.0)]
    best = max(dummies, key=yardstick.goodness)
    step = moved.forward.step[informed]
    before = serving.scores_of(data)[informed]
    now = yardstick.score(truth, before, serving.served.threshold, step)
    after = yardstick.score(
        truth, moved.forward.predicted[informed], moved.forward.threshold[informed], step
    )
    lost, skill = yardstick.gain(then, now), yardstick.gain(then, best)
    if not lost > case.limits.lost_skill * max(0.0, skill):
        return True
    return yardstick.gain(after, now) >= case.limits.recovered * lost


def _is_surely_better(
    case: TrainingCase, data: RetrainRows, serving: ChampionInTraining, cut: AdjustResult
) -> bool:
    yardstick = yardstick_of(case.problem, case.plan.task)
    if not yardstick.decides:
        return False
    gain = paired_gain(
        yardstick,
        case.dataset.truth[data.judged],
        Scored(cut.forward.predicted, cut.forward.threshold),
        Scored(serving.scores_of(data), serving.served.threshold),
        case.dataset.assignment.block[data.judged],
        seed=case.problem.models.seed,
    )
    return gain.probability >= case.problem.gates.beats.champion.confidence


def _challenger(  # noqa: PLR0917 - what it is made of
    case: TrainingCase,
    data: RetrainRows,
    serving: ChampionInTraining,
    answer: Answer,
    result: AdjustResult,
    recovery: Recovery,
    tried: tuple[TriedAnswer, ...],
) -> Challenger:
    hold_out = _hold_out(case, data, serving, result)
    return Challenger(
        answer=answer,
        window=TrainingWindow(),
        forward=result.forward,
        hold_out=hold_out,
        shipped=write_adjusted(case, serving, answer, result.shipped, hold_out, "bundle"),
        twin=write_adjusted(case, serving, answer, result.twin, hold_out, "twin"),
        learnt_until=int(data.times[data.labelled].max()) + 1,
        twin_learnt_until=int(data.steps[-1].begins),
        lost=recovery.lost,
        tried=tried,
    )


def _hold_out(
    case: TrainingCase, data: RetrainRows, serving: ChampionInTraining, result: AdjustResult
) -> HoldOut:
    """Describe the judged rows by their forward scores; the columns stay as the model knew them."""
    informed = np.isin(data.judged, data.informed)
    rows, scores = data.judged[informed], result.forward.predicted[informed]
    reference = serving.reference
    importance = [
        Importance(column=name, loss=0.0, share=column.importance)
        for name, column in sorted(reference.columns.items(), key=lambda one: -one[1].importance)
    ]
    known = [one for one in importance if one.column in case.dataset.table.column_names]
    described = parse_value(
        describe_rows(case.dataset, rows, scores, known, forward=True), ReferenceProfile, "profile"
    )
    profile = reference.model_copy(
        update={
            "scores": described.scores,
            "losses": described.losses,
            "forward": described.forward,
        }
    )
    truth = case.dataset.truth[rows]
    yardstick = yardstick_of(case.problem, case.plan.task)
    threshold = result.shipped.threshold
    cut = serving.served.threshold if threshold is None else threshold
    return HoldOut(
        truth=truth,
        scores=scores,
        calibration=[],
        threshold=None,
        importance=importance,
        metrics=metrics_of(case.plan, yardstick, truth, scores, cut),
        yardstick=yardstick,
        profile=profile.model_dump(mode="json"),
    )


def with_recovery(
    made: Challenger,
    case: TrainingCase,
    data: RetrainRows,
    serving: ChampionInTraining,
    tried: tuple[TriedAnswer, ...],
) -> Challenger:
    """Return a refit with what was lost, and what it brings back beside the cheaper answers."""
    found = recovery_of(data, serving, made.forward.predicted, case)
    own = TriedAnswer(answer=made.answer, recovered=found.share)
    return replace(made, lost=found.lost, tried=(*tried, own))
