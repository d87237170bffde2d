"""Make the plan: encode once, search, choose, decide; or verify one that was made before."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import JsonValue, ValidationError

from contract.errors import Refused
from contract.problem import Problem
from methods.columns.schema import Schema
from methods.models.dataset import Dataset, metric_of, search_metric, shape_of
from methods.models.encoders.column import EncodingSettings
from methods.models.encoding import fit_encoding
from methods.models.families import FAMILIES, EncodedRows, PlannedMember, TrainingPlan
from methods.models.families.leaderboard import Leaderboard
from methods.models.metrics import MetricDefinition
from methods.split.folds import Pair, Rows, fold_pairs
from methods.split.weights import TrainingWindow
from methods.tables.sampling import evenly_spaced
from tasks.tuning.choose import Choice, choose_decision, choose_members
from tasks.tuning.search import ScoredTrial, SearchRound, search_settings

LEARN_ROWS = 120_000  # a model's size is chosen on much of the data; more is too dear to repeat
VALIDATION_ROWS = 30_000  # arbitrary: the interval of a score is narrow enough
FAMILIES_SEARCHED = 3  # arbitrary: the best of selection
SMALL_ROWS = 3_000  # of train; below, validation has fewer than 700 rows and a fit costs little


@dataclass(frozen=True)
class SearchResult:
    """A plan, the trials behind it, and its gain over the best default settings on validation."""

    plan: TrainingPlan
    tried: list[ScoredTrial]
    gain: float


def find_plan(
    dataset: Dataset, problem: Problem, board: Leaderboard, journal: Path
) -> SearchResult:
    """Search within what selection left of the budget.

    Raises Refused if a class has no labelled row, or if no family can be fitted.
    """
    began = time.process_time()
    metric = metric_of(problem, dataset.schema)
    pairs = search_pairs(dataset, ordered=board.forward)
    train = pairs[-1].train
    dataset.check_classes(train)
    settings = EncodingSettings()
    rounds = [_round(dataset, pair, settings, metric, problem.models.seed) for pair in pairs]
    scored = np.concatenate([pair.score for pair in pairs])
    truth, blocks = dataset.truth[scored], dataset.assignment.block[scored]
    by = search_metric(metric, dataset.schema)
    left = board.budget_seconds - board.spent_seconds - (time.process_time() - began)
    try:
        tried = search_settings(
            rounds,
            best_families(board),
            by,
            budget_seconds=left,
            seed=problem.models.seed,
            journal=journal,
        )
    except ValueError as error:
        sentence = f"tuning found no model: {error}; check the columns and the leaderboard."
        raise Refused(sentence) from error
    choice = choose_members(
        tried, truth, blocks, by, may_mix="ensemble" in problem.models.candidates
    )
    plan = _plan(dataset, problem, metric, settings, choice, scored, len(train))
    firsts = [one for one in tried if one.number < FAMILIES_SEARCHED] or tried[:1]
    best_default = max(firsts, key=lambda one: one.goodness)
    reached = by.goodness(by.score(truth, choice.predicted))
    return SearchResult(plan, tried, reached - best_default.goodness)


def search_pairs(dataset: Dataset, *, ordered: bool, small_rows: int = SMALL_ROWS) -> list[Pair]:
    """Return the rows that trials are trained and scored on; the last pair is train and validation.

    Fewer than `small_rows` training rows are scored by their own folds as well: nineteen validation
    rows would select whatever happens to fit them.
    """
    train, validation = dataset.rows("train"), dataset.rows("validation")
    pair = Pair(
        train[evenly_spaced(len(train), LEARN_ROWS)],
        validation[evenly_spaced(len(validation), VALIDATION_ROWS)],
    )
    if len(train) >= small_rows:
        return [pair]
    return [*fold_pairs(dataset.assignment, dataset.labelled, ordered=ordered), pair]


def _round(
    dataset: Dataset, pair: Pair, settings: EncodingSettings, metric: MetricDefinition, seed: int
) -> SearchRound:
    """Encode one pair; what uses the target is fitted on the training rows."""
    encoding, encoded = fit_encoding(
        dataset.schema, dataset.take(pair.train), dataset.truth[pair.train], settings, seed
    )
    return SearchRound(
        shape_of(dataset.schema, encoding.outputs, metric),
        EncodedRows(encoded, dataset.truth[pair.train]),
        EncodedRows(encoding.encode(dataset.take(pair.score)), dataset.truth[pair.score]),
    )


def best_families(board: Leaderboard) -> list[str]:
    """Return the families that are searched, the best first; the dummy where no other has a score."""
    known = [entry.family for entry in board.entries if entry.score is not None]
    return [name for name in known if name != "dummy"][:FAMILIES_SEARCHED] or ["dummy"]


def _plan(  # noqa: PLR0917 - everything that a plan holds
    dataset: Dataset,
    problem: Problem,
    metric: MetricDefinition,
    encoding: EncodingSettings,
    choice: Choice,
    scored: Rows,
    rows: int,
) -> TrainingPlan:
    truth, blocks = dataset.truth[scored], dataset.assignment.block[scored]
    schema = dataset.schema
    if schema.task == "regression":
        kind, threshold, score = "none", None, metric.score(truth, choice.predicted)
    else:
        values = problem.metric.value.outcomes if problem.metric.value else None
        kind, threshold, score = choose_decision(
            truth,
            choice.predicted,
            blocks,
            metric,
            values,
            forward=problem.split_by == "time",
        )
    return TrainingPlan(
        task=schema.task,
        classes=schema.classes,
        metric=metric.name,
        members=tuple(
            PlannedMember(
                family=one.family,
                settings=one.settings,
                iterations=one.iterations,
                seed=problem.models.seed,
                weight=weight,
            )
            for one, weight in choice.members
        ),
        encoding=encoding,
        window=TrainingWindow(),
        calibration=kind,
        threshold=threshold,
        rows=rows,
        seed=problem.models.seed,
        score=score,
    )


def verify_stored_plan(
    document: JsonValue, schema: Schema, metric: MetricDefinition
) -> TrainingPlan:
    """Return a stored plan, verified against the current problem.

    Raises Refused if it is not a plan, or one of another task, classes, metric or family.
    """
    try:
        plan = TrainingPlan.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        sentence = (
            f"the stored plan cannot be read ({'.'.join(map(str, first['loc']))}: {first['msg']}); "
            "start a run without a replay."
        )
        raise Refused(sentence) from error
    compared = {
        "task": (plan.task, schema.task),
        "classes": (plan.classes, schema.classes),
        "metric": (plan.metric, metric.name),
    }
    for name, (stored, current) in compared.items():
        if stored != current:
            sentence = (
                f"the stored plan has {name} {stored!r}, the problem has {current!r}; "
                "start a run without a replay."
            )
            raise Refused(sentence)
    unknown = sorted({member.family for member in plan.members} - FAMILIES.keys())
    if unknown:
        sentence = (
            f"the stored plan names unknown families {unknown}; start a run without a replay."
        )
        raise Refused(sentence)
    return plan
