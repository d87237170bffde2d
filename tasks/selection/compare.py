"""Fit every family with its defaults on the same pairs of rows, within a CPU-time budget.

One pair is finished for all families before the next one begins, so that what a short budget cuts
off is precision, never a family.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from lightgbm.basic import LightGBMError

from bundle.arrays import Floats
from methods.models.bootstrap import Scored, paired_gain
from methods.models.dataset import Dataset, shape_of
from methods.models.encoders.column import EncodingSettings
from methods.models.encoding import fit_encoding
from methods.models.families import FAMILIES, EncodedRows, FitLimits, Fitted
from methods.models.families.leaderboard import Difference, Leaderboard, LeaderboardEntry
from methods.models.metrics import MetricDefinition
from methods.models.threshold import best_cut
from methods.split.folds import Pair, Rows
from methods.tables.sampling import evenly_spaced

LEARN_ROWS = 60_000  # samples below 45,000 rows were measured to rank large models wrongly
SCORE_ROWS = 20_000  # arbitrary: the interval of a score is narrow enough
LEAST_SECONDS = 0.5  # arbitrary: every family fits something useful within it
_DRAWS = 500  # of the bootstrap; a rank needs fewer than the gate's decision

# What fitting may raise on valid data; anything else is a bug and keeps its traceback.
_FAILURES = (ValueError, FloatingPointError, MemoryError, np.linalg.LinAlgError, LightGBMError)


@dataclass
class _Candidate:
    """One family, with what it predicted on the pairs so far."""

    name: str
    seconds: float = 0.0
    fitted: Fitted | None = None
    predicted: list[Floats] = field(default_factory=list)
    failure: str | None = None


def compare_families(
    dataset: Dataset,
    pairs: Sequence[Pair],
    families: Sequence[str],
    metric: MetricDefinition,
    encoding: EncodingSettings,
    *,
    forward: bool,
    budget_seconds: float,
    share: float,
    seed: int,
) -> Leaderboard:
    """Return the leaderboard of `families` and the dummy; selection may use `share` of the budget.

    Deterministic but for what the budget cuts off, and the seconds.
    """
    began = time.process_time()
    names = ["dummy", *(name for name in FAMILIES if name in families)]
    candidates = [_Candidate(name) for name in names]
    scored: list[Rows] = []
    for number, pair in enumerate(pairs):
        left = share * budget_seconds - (time.process_time() - began)
        first = time.process_time() - began if number else 0.0
        if number and left < first / number:
            break
        rows = pair.score[evenly_spaced(len(pair.score), SCORE_ROWS)]
        _run_pair(
            dataset,
            pair.train[evenly_spaced(len(pair.train), LEARN_ROWS)],
            rows,
            candidates,
            metric,
            settings=encoding,
            seconds=left / (len(pairs) - number),
            seed=seed,
        )
        scored.append(rows)
    return _rank(
        dataset,
        candidates,
        np.concatenate(scored),
        metric,
        Leaderboard(
            metric=metric.name,
            forward=forward,
            pairs=len(scored),
            learn_rows=max(min(len(pair.train), LEARN_ROWS) for pair in pairs),
            score_rows=sum(len(rows) for rows in scored),
            budget_seconds=budget_seconds,
            spent_seconds=0.0,
            entries=(),
        ),
        seed=seed,
    ).model_copy(update={"spent_seconds": round(time.process_time() - began, 3)})


def _run_pair(
    dataset: Dataset,
    train: Rows,
    score: Rows,
    candidates: Sequence[_Candidate],
    metric: MetricDefinition,
    *,
    settings: EncodingSettings,
    seconds: float,
    seed: int,
) -> None:
    """Fit all candidates on one pair; time that one does not use goes to those after it."""
    began = time.process_time()
    encoding, encoded = fit_encoding(
        dataset.schema, dataset.take(train), dataset.truth[train], settings, seed
    )
    shape = shape_of(dataset.schema, encoding.outputs, metric)
    part = EncodedRows(encoded, dataset.truth[train])
    validation = EncodedRows(encoding.encode(dataset.take(score)), dataset.truth[score])
    for position, candidate in enumerate(candidates):
        if candidate.failure is not None:
            continue
        left = seconds - (time.process_time() - began)
        cap = max(LEAST_SECONDS, left / (len(candidates) - position))
        started = time.process_time()
        family = FAMILIES[candidate.name]
        try:
            effort = FitLimits(seed=seed, cap_seconds=cap, validation=validation)
            fitted = family.fit(shape, part, family.defaults(shape), effort)
            candidate.predicted.append(fitted.predict(validation.encoded))
            candidate.fitted = fitted
        except _FAILURES as error:
            candidate.failure = f"{type(error).__name__}: {str(error)[:200]}"
        candidate.seconds += time.process_time() - started


def _rank(
    dataset: Dataset,
    candidates: Sequence[_Candidate],
    rows: Rows,
    metric: MetricDefinition,
    board: Leaderboard,
    *,
    seed: int,
) -> Leaderboard:
    """Score all candidates on all rows, and each against the best and the dummy, paired."""
    truth, blocks = dataset.truth[rows], dataset.assignment.block[rows]
    scored: dict[str, Scored] = {}
    scores: dict[str, float] = {}
    for candidate in candidates:
        if candidate.failure is None:
            predicted = np.concatenate(candidate.predicted)
            threshold = _threshold(truth, predicted, metric)
            score = metric.score(truth, predicted, threshold)
            if np.isfinite(score):
                scored[candidate.name] = Scored(predicted, threshold)
                scores[candidate.name] = score
            else:
                candidate.failure = f"{metric.name} of its predictions is not a number"
    best = max(scores, key=lambda name: metric.goodness(scores[name]), default=None)

    def difference(name: str, other: str | None) -> Difference | None:
        if other is None or name == other or name not in scored or other not in scored:
            return None
        gain = paired_gain(
            metric, truth, scored[name], scored[other], blocks, seed=seed, draws=_DRAWS
        )
        return Difference.of(gain)

    entries = [
        LeaderboardEntry(
            family=candidate.name,
            settings=candidate.fitted.settings if candidate.fitted else {},
            score=scores.get(candidate.name),
            seconds=round(candidate.seconds, 3),
            iterations=candidate.fitted.iterations if candidate.fitted else 0,
            to_best=difference(candidate.name, best),
            to_dummy=difference(candidate.name, "dummy"),
            failure=candidate.failure,
        )
        for candidate in candidates
    ]
    entries.sort(
        key=lambda entry: -np.inf if entry.score is None else metric.goodness(entry.score),
        reverse=True,
    )
    return board.model_copy(update={"entries": tuple(entries)})


def _threshold(truth: Floats, predicted: Floats, metric: MetricDefinition) -> float:
    """Return the candidate's own best threshold: the optimism is the same for all of them."""
    if predicted.ndim == 1 and metric.decides:
        return best_cut(truth, predicted, metric, None)
    return 0.5
