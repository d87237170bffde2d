"""The cheap answers to a change: the serving model with another threshold, or other probabilities.

Its trees, its encoder and its reference of the columns stay; calibration, threshold, the reference
of the scores and the card are new. It is judged and promoted like any other challenger.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bundle import tensors
from bundle.arrays import Floats
from bundle.documents import ModelDocument
from bundle.model import Model
from bundle.plans import EncoderDocument
from bundle.remote import fetch, read_model
from bundle.tensors import Tensors
from bundle.writer import write
from contract.errors import NotFound, Refused
from contract.recipe import Answer, TriedAnswer
from contract.store.client import Store
from contract.store.documents import DamagedDocument, parse_value
from contract.store.earlier_runs import Learnt
from methods.columns.schema import Schema
from methods.drift.profile import ReferenceProfile
from methods.models.bootstrap import Scored, paired_gain
from methods.models.yardstick import yardstick_of
from methods.retrain.adjust import (
    Adjustment,
    AdjustResult,
    AdjustRule,
    Served,
    adjust_forward,
    composed,
)
from methods.retrain.forward import Recovery, measure_recovery
from methods.retrain.rows import RetrainRows
from methods.split.weights import TrainingWindow
from tasks.training.challenger import Challenger, TrainingCase, WrittenBundle
from tasks.training.hold_out import HoldOut, describe_rows, metrics_of
from tasks.training.importance import Importance

_ASK_FOR_A_FIT = frozenset(
    {"age", "benefit"}
)  # of other trees: nothing was lost that a cut brings back
_WORDS: dict[Answer, str] = {"threshold": "with a new threshold", "recalibration": "recalibrated"}


@dataclass(frozen=True)
class Serving:
    """The model that serves, and what it lost on the judged rows."""

    model: Model
    folder: Path
    reference: ReferenceProfile
    served: Served
    learnt: Learnt
    at_deployment: float
    """Its mean proper loss on rows that it had not learnt, when it was deployed."""

    def scores_of(self, data: RetrainRows) -> Floats:
        """Return its scores of the judged rows, in the order of the steps."""
        return self.served.scores[self.served.positions(data.judged)]


def read_serving(
    store: Store, case: TrainingCase, data: RetrainRows, learnt: Learnt
) -> Serving | None:
    """Return the serving model with its scores of all rows that it, or its twin, has not learnt.

    None where none serves, where it cannot be read, or where it answers another question.
    """
    champion, cache = case.run.champion, case.folder / "models"
    if champion is None:
        return None
    try:
        model = read_model(store, case.run.name, champion.digest, cache)
        twin = read_model(store, case.run.name, learnt.twin, cache) if learnt.twin else model
        reference = parse_value(model.profile, ReferenceProfile, "profile.json")
    except (NotFound, Refused, DamagedDocument):
        return None  # the gate says why it refuses
    if not _answers_alike(model, case.dataset.schema):
        return None
    times = data.times[data.labelled]
    rows = data.labelled[times >= (learnt.twin_until or 0)]
    by_twin = data.times[rows] < (learnt.until or 0)
    scores = model.batch(case.dataset.take(rows))
    if by_twin.any():
        scores[by_twin] = twin.batch(case.dataset.take(rows[by_twin]))
    threshold = model.document.threshold
    served = Served(
        rows,
        data.times[rows],
        case.dataset.truth[rows],
        scores,
        0.5 if threshold is None else threshold,
    )
    blocks = reference.forward
    counted = sum(block.rows for block in blocks)
    mean = (
        sum(block.rows * block.mean for block in blocks) / counted
        if counted
        else reference.losses.mean
    )
    folder = fetch(store, case.run.name, champion.digest, cache)
    return Serving(model, folder, reference, served, learnt, float(mean))


def _answers_alike(model: Model, schema: Schema) -> bool:
    contract = model.contract
    known = {column.name for column in schema.columns}
    same = (contract.task, contract.output.name) == (schema.task, schema.target)
    return (
        same
        and tuple(str(label) for label in contract.classes) == schema.classes
        and known >= {column.name for column in contract.columns}
    )


def recovery_of(
    data: RetrainRows, serving: Serving, scores: Floats, case: TrainingCase
) -> Recovery:
    """Return what `scores` of the judged rows bring back, on those whose refits knew of the change."""
    informed = np.isin(data.judged, data.informed)
    truth = case.dataset.truth[data.judged][informed]
    before = serving.scores_of(data)[informed]
    return measure_recovery(case.plan, truth, before, scores[informed], serving.at_deployment)


def adjust(
    case: TrainingCase, data: RetrainRows, serving: Serving
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
    case: TrainingCase, data: RetrainRows, serving: Serving, *, moves_scores: bool
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
    case: TrainingCase, data: RetrainRows, serving: Serving, moved: AdjustResult
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
    now = yardstick.score(truth, serving.scores_of(data)[informed], serving.served.threshold)
    after = yardstick.score(
        truth, moved.forward.predicted[informed], moved.forward.threshold[informed]
    )
    lost, skill = yardstick.gain(then, now), yardstick.gain(then, best)
    if not lost > case.limits.lost_skill * max(0.0, skill):
        return True
    return yardstick.gain(after, now) >= case.limits.recovered * lost


def _is_surely_better(
    case: TrainingCase, data: RetrainRows, serving: Serving, cut: AdjustResult
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
    serving: Serving,
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
        shipped=_write(case, serving, answer, result.shipped, hold_out, "bundle"),
        twin=_write(case, serving, answer, result.twin, hold_out, "twin"),
        learnt_until=int(data.times[data.labelled].max()) + 1,
        twin_learnt_until=int(data.steps[-1].begins),
        lost=recovery.lost,
        tried=tried,
    )


def _hold_out(
    case: TrainingCase, data: RetrainRows, serving: Serving, result: AdjustResult
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


def _write(  # noqa: PLR0917 - what a bundle holds
    case: TrainingCase,
    serving: Serving,
    answer: Answer,
    adjustment: Adjustment,
    hold_out: HoldOut,
    name: str,
) -> WrittenBundle:
    """Write the serving model's bundle anew with the adjustment."""
    model = serving.model
    document = adjusted_document(model.document, adjustment)
    card = model.card.model_copy(
        update={
            "run": case.run.run_id,
            "trained_at": case.run.window_end,
            "family": f"{model.card.family}, {_WORDS[answer]}",
            "metrics": hold_out.metrics,
            "limits": (
                (
                    f"Its members are those of the model {model.digest[:12]}, fitted on "
                    f"{model.card.rows} rows; what is new was fitted on rows known by "
                    f"{case.run.window_end:%Y-%m-%d}."
                ),
                f"Its metrics are of {len(hold_out.truth)} rows that were scored before they were learnt.",
                "Unseen categories count as `other`; unusable values count as missing.",
            ),
        }
    )
    folder = case.folder / name
    digest = write(
        folder,
        model=document,
        encoder=EncoderDocument(columns=model.encoder.plans),
        members=_members(serving.folder, document),
        contract=model.contract,
        golden_rows=[golden.row for golden in model.golden.rows],
        profile=hold_out.profile,
        card=card,
        signing_key=case.signing_key,
    )
    return WrittenBundle(folder, digest, card)


def adjusted_document(document: ModelDocument, adjustment: Adjustment) -> ModelDocument:
    """Return the members and how they combine, with the adjustment on top."""
    members = tuple(
        entry.model_copy(update={"shift": entry.shift + adjustment.shift})
        for entry in document.members
    )
    threshold = document.threshold if adjustment.threshold is None else adjustment.threshold
    return document.model_copy(
        update={
            "members": members,
            "calibration": composed(document.calibration, adjustment.maps),
            "threshold": threshold,
        }
    )


def _members(folder: Path, document: ModelDocument) -> dict[str, Tensors]:
    """Read the members of a bundle that was verified."""
    return {
        entry.file: tensors.unpack(
            (folder / entry.file).read_bytes(),
            "tree" if entry.file.endswith(".tree") else "dense",
            entry.file,
        )
        for entry in document.members
    }


def with_recovery(
    made: Challenger,
    case: TrainingCase,
    data: RetrainRows,
    serving: Serving,
    tried: tuple[TriedAnswer, ...],
) -> Challenger:
    """Return a refit with what was lost, and what it brings back beside the cheaper answers."""
    found = recovery_of(data, serving, made.forward.predicted, case)
    own = TriedAnswer(answer=made.answer, recovered=found.share)
    return replace(made, lost=found.lost, tried=(*tried, own))
