"""Suspected leaks: columns that by themselves almost determine the target.

It is a suspicion only: some targets are that easy. A person decides and names the column under
`features.drop`. Source: Kaufman et al., "Leakage in Data Mining", ACM TKDD 6(4), 2012, section 4.2.
"""

from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt
from scipy.stats import spearmanr

from contract.learning_task import LearningTask
from contract.strict import Strict
from methods.columns.roles import is_string
from methods.models.ranking import area_under_roc

Kind = Literal["leak", "constant", "id", "missing", "duplicate"]

SUSPECTED = 0.98  # AUC, correlation or accuracy of one column, above which it is suspected
FEWEST_ROWS = 50  # with fewer one column may determine the target by chance
LEVELS = 2_000  # values of a text, above which it is prose or an identifier
BINS = 20  # of a number, to predict one of several classes
PAIR = 2


class Finding(Strict):
    """One unusual thing about a column, with what to do about it."""

    kind: Kind
    column: str
    sentence: str
    value: float | None = None
    """The number behind the sentence: a share or a score, in [0, 1]."""


def find_leaks(table: pa.Table, target: np.ndarray, task: LearningTask) -> list[Finding]:
    """Return the columns that by themselves almost determine the target, the most certain first."""
    findings = []
    for name in table.column_names if table.num_rows >= FEWEST_ROWS else ():
        score = predictive_power(table[name], target, task)
        if score > SUSPECTED:
            sentence = (
                f"{name} alone predicts the target ({score:.3f} of 1); is it known only after the "
                "event? If so, name it under features.drop."
            )
            findings.append(Finding(kind="leak", column=name, sentence=sentence, value=score))
    return sorted(findings, key=lambda finding: -(finding.value or 0.0))


def predictive_power(values: pa.ChunkedArray, target: np.ndarray, task: LearningTask) -> float:
    """Return how well one column alone predicts the target, in [0, 1].

    Binary: the area under the ROC curve; regression: Spearman's correlation; several classes: the
    accuracy of the most frequent class of each value. A text is replaced by the target's mean among
    the *other half* of the rows with that value, or identifiers would look like leaks. Whether a
    value is present is tried as well.
    """
    absent = np.asarray(pc.is_null(values, nan_is_null=True).to_numpy(zero_copy_only=False))
    codes = _numbers(values, absent)
    if codes is None:
        return 0.0
    tries = [(codes, ~absent)]
    if PAIR <= absent.sum() <= len(absent) - PAIR:
        tries.append((absent.astype(np.float64), np.ones(len(absent), dtype=bool)))
    is_text = is_string(values.type)
    scores = [
        _score(numbers[mask], target[mask], task, is_text=is_text)
        for numbers, mask in tries
        if mask.sum() >= max(FEWEST_ROWS, 0.5 * len(mask))
    ]
    return max(scores, default=0.0)


def _numbers(values: pa.ChunkedArray, absent: np.ndarray) -> np.ndarray | None:
    """Return the column as float64 of shape (n,): numbers, instants, or codes of texts."""
    kind = values.type
    if is_string(kind):
        encoded = pc.dictionary_encode(values).combine_chunks()
        if isinstance(encoded, pa.ChunkedArray) or len(encoded.dictionary) > LEVELS:
            return None
        codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
        return np.asarray(codes, dtype=np.float64)
    if pt.is_timestamp(kind) or pt.is_date(kind):
        values = pc.cast(pc.cast(values, pa.timestamp("us", getattr(kind, "tz", None))), pa.int64())
    elif not (pt.is_boolean(kind) or pt.is_integer(kind) or pt.is_floating(kind)):
        return None
    numbers = pc.cast(values, pa.float64()).to_numpy(zero_copy_only=False)
    return np.where(absent, 0.0, numbers)


def _score(numbers: np.ndarray, target: np.ndarray, task: LearningTask, *, is_text: bool) -> float:
    if len(np.unique(target)) < PAIR or len(np.unique(numbers)) < PAIR:
        return 0.0
    if task == "multiclass":
        return _accuracy(_binned(numbers) if not is_text else numbers, target)
    if is_text:
        numbers = _other_half(numbers, target)
    if task == "regression":
        return abs(float(spearmanr(numbers, target).statistic))
    area = area_under_roc(numbers, target == 1)
    return max(area, 1.0 - area)  # whichever way round


def _other_half(codes: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return for each row the target's mean among the rows of the other half with its value."""
    _, levels = np.unique(codes, return_inverse=True)
    half = np.arange(len(codes)) % 2
    means = np.empty(len(codes))
    for side in (0, 1):
        other = half != side
        counts = np.bincount(levels[other], minlength=levels.max() + 1)
        sums = np.bincount(levels[other], target[other], minlength=levels.max() + 1)
        known = np.where(counts > 0, sums / np.maximum(counts, 1), target[other].mean())
        means[half == side] = known[levels[half == side]]
    return means


def _binned(numbers: np.ndarray) -> np.ndarray:
    edges = np.unique(np.quantile(numbers, np.linspace(0, 1, BINS + 1)[1:-1]))
    return np.searchsorted(edges, numbers, side="right").astype(np.float64)


def _accuracy(codes: np.ndarray, target: np.ndarray) -> float:
    """Return how often the likeliest class of a value, in the other half, is the row's class."""
    _, levels = np.unique(codes, return_inverse=True)
    classes = target.astype(np.int64)
    half = np.arange(len(codes)) % 2
    right = 0
    for side in (0, 1):
        counts = np.zeros((int(levels.max()) + 1, int(classes.max()) + 1))
        np.add.at(counts, (levels[half != side], classes[half != side]), 1)
        guess = counts.argmax(axis=1)[levels[half == side]]
        right += int((guess == classes[half == side]).sum())
    return right / len(codes)
