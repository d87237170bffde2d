"""Fit how columns become numbers: the schema's roles on training rows give the bundle's plans.

Everything that sees the target (lookups, text scores) is cross-fitted for the rows that it was
fitted on: a row's own label never reaches its own features. What comes out for new rows is computed
by the bundle's own encoder, so training, gate and service see the same bits. The module is as long
as there are kinds of columns, one function after the other.

Sources: Micci-Barreca, "A preprocessing scheme for high-cardinality categorical attributes", SIGKDD
Explorations 3(1), 2001 (shrunken target means); Pargent et al., "Regularized target encoding
outperforms traditional methods", Computational Statistics 37, 2022 (cross-fitting).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field, PositiveInt

from bundle.arrays import Floats
from bundle.encoder import Encoder
from bundle.plans import (
    CategoryPlan,
    DatePart,
    DatePlan,
    EncoderDocument,
    EqualsPlan,
    LookupPlan,
    NumberPlan,
    Plan,
    TextPlan,
)
from bundle.values import Unusable, key
from contract.errors import Refused
from contract.learning_task import LearningTask
from contract.strict import Strict
from methods.columns.roles import Feature
from methods.columns.schema import Schema
from methods.models.text import fit_text

OutputKind = Literal["number", "binary", "code", "lookup", "date", "text"]

# After how many days a part of a date begins anew. What never does (year, days) is no feature: it
# tells a model when a row was, not what kind of day it was, and a tree carries the level of the
# last weeks into the future.
CYCLE_DAYS: Mapping[DatePart, float] = MappingProxyType(
    {
        "minute": 1 / 24,
        "hour": 1.0,
        "weekday": 7.0,
        "day": 31.0,
        "month": 366.0,
        "dayofyear": 366.0,
    }
)
SEEN_CYCLES = 2  # before it was seen twice, a month is as absolute as a year
PAIR = 2
FEWEST_ROWS = 2  # a level seen once tells more about its row than about itself
LOOKUP_CLASSES = 10  # more classes would make more lookup columns than there are columns


class EncodingSettings(Strict):
    """How columns are encoded; part of the plan that training replays."""

    levels: PositiveInt = 200
    """Categories with a code of their own, the most frequent ones; the rest share one code."""
    lookup_from: PositiveInt = 40
    """From so many levels on a category gets its target mean as well: codes alone are too thin."""
    lookup_levels: PositiveInt = 20_000
    """Levels with a mean of their own; a bundle stays small."""
    shrinkage: Annotated[float, Field(gt=0.0)] = 10.0
    """Rows of the overall mean that are added to each level's own."""
    terms: PositiveInt = 20_000
    """Words and pairs of words of a text."""
    folds: Annotated[int, Field(ge=2)] = 4
    """Parts of the cross-fitting."""


class Output(Strict):
    """One encoded column: where it comes from and how a member may read it."""

    column: str
    kind: OutputKind
    size: int = 0
    """Of a code: codes are in [0, size), NaN is missing."""


@dataclass(frozen=True)
class Encoding:
    """Fitted plans, and what each of their outputs is."""

    document: EncoderDocument
    outputs: tuple[Output, ...]

    def encode(self, table: pa.Table) -> Floats:
        """Return new rows as (n, outputs), NaN where missing."""
        return Encoder(self.document).batch(table)

    def positions(self) -> dict[str, list[int]]:
        """Return the positions of each column's outputs."""
        found: dict[str, list[int]] = {}
        for position, output in enumerate(self.outputs):
            found.setdefault(output.column, []).append(position)
        return found


@dataclass(frozen=True)
class EncodingTarget:
    """The training rows' truth as scores to average, (n, scores), and their cross-fitting part."""

    task: LearningTask
    truth: Floats
    scores: Floats
    fold: np.ndarray
    folds: int


@dataclass(frozen=True)
class _Fitted:
    """One plan, its outputs and its values on the training rows, (n, outputs)."""

    plan: Plan
    outputs: list[Output]
    values: Floats


def fit_encoding(
    schema: Schema, table: pa.Table, truth: Floats, settings: EncodingSettings, seed: int
) -> tuple[Encoding, Floats]:
    """Fit the plans on these rows and return them with the rows encoded, cross-fitted.

    `table` holds the training rows only, `truth` is (n,) without NaN. Deterministic for a seed.
    Raises Refused if no column is left to learn from.
    """
    target = _target(schema, truth, settings.folds, seed)
    fitted = [
        one
        for column in schema.columns
        for one in _fit_column(column, table[column.name], target, settings)
    ]
    if not fitted:
        sentence = (
            f"none of the {len(schema.columns)} columns varies over the {len(truth)} training rows; "
            "one is needed. Add columns, or widen the window."
        )
        raise Refused(sentence)
    document = EncoderDocument(columns=tuple(one.plan for one in fitted))
    outputs = tuple(output for one in fitted for output in one.outputs)
    return Encoding(document, outputs), np.hstack([one.values for one in fitted])


def _target(schema: Schema, truth: Floats, folds: int, seed: int) -> EncodingTarget:
    if schema.task == "multiclass":
        scores = (truth[:, None] == np.arange(len(schema.classes))).astype(np.float64)
    else:
        scores = truth.reshape(-1, 1)
    part = np.random.default_rng(seed).permutation(len(truth)) % folds
    return EncodingTarget(schema.task, truth, scores, part, folds)


def _fit_column(
    column: Feature, values: pa.ChunkedArray, target: EncodingTarget, settings: EncodingSettings
) -> list[_Fitted]:
    """Return the plans of one column: none where it teaches nothing, two for many categories."""
    name = column.name
    if column.role == "number":
        return _fit_number(name, values)
    if column.role == "binary":
        return _fit_binary(name, values)
    if column.role == "category":
        return _fit_category(name, values, target, settings)
    if column.role == "date":
        return _fit_date(name, values)
    if column.role == "text":
        return _fit_text(name, values, target, settings)
    return []  # id and constant


def _values(plan: Plan, values: pa.ChunkedArray) -> Floats:
    """Encode one column by one plan, (n, outputs)."""
    return Encoder(EncoderDocument(columns=(plan,))).batch(pa.table({plan.column: values}))


def _varies(encoded: Floats) -> bool:
    """Tell whether a column, (n,), has two different values; NaN is one of them."""
    known = encoded[~np.isnan(encoded)]
    if len(known) == 0:
        return False
    return len(known) < len(encoded) or bool(known.min() != known.max())


def _fit_number(name: str, values: pa.ChunkedArray) -> list[_Fitted]:
    plan = NumberPlan(column=name)
    encoded = _values(plan, values)
    known = np.unique(encoded[~np.isnan(encoded)])
    if len(known) == PAIR:
        # LightGBM's extra_trees never splits a two-valued column unless it is coded 0 and 1.
        equals = EqualsPlan(column=name, one=float(known[1]))
        output = Output(column=name, kind="binary")
        return [_Fitted(equals, [output], _values(equals, values))]
    if not _varies(encoded[:, 0]):
        return []
    return [_Fitted(plan, [Output(column=name, kind="number")], encoded)]


def _fit_binary(name: str, values: pa.ChunkedArray) -> list[_Fitted]:
    """Code the two values 0 and 1 in their order; anything else later on is missing."""
    if not pa.types.is_string(values.type) and not pa.types.is_large_string(values.type):
        return _fit_number(name, values)
    _, names = canonical_codes(values)
    plan = CategoryPlan(column=name, values={word: code for code, word in enumerate(names[:PAIR])})
    encoded = _values(plan, values)
    if not _varies(encoded[:, 0]):
        return []
    return [_Fitted(plan, [Output(column=name, kind="binary")], encoded)]


def canonical_codes(values: pa.ChunkedArray) -> tuple[np.ndarray, list[str]]:
    """Return each value's place among the sorted canonical words, (n,), -1 for missing.

    >>> codes, words = canonical_codes(pa.chunked_array([["b", None, "a", "b"]]))
    >>> codes.tolist(), words
    ([1, -1, 0, 1], ['a', 'b'])
    """
    encoded = values.combine_chunks().dictionary_encode()
    raw = [_word(value) for value in encoded.dictionary.to_pylist()]
    words = sorted({word for word in raw if word is not None})
    place = {word: code for code, word in enumerate(words)}
    of_raw = np.array([-1 if word is None else place[word] for word in raw] + [-1], dtype=np.int64)
    indices = encoded.indices.fill_null(len(raw)).to_numpy()
    return of_raw[indices], words


def _word(value: object) -> str | None:
    """Return the canonical word, None for a value that the encoder would count as missing."""
    try:
        return key(value)
    except Unusable:
        return None


def _fit_category(
    name: str, values: pa.ChunkedArray, target: EncodingTarget, settings: EncodingSettings
) -> list[_Fitted]:
    codes, words = canonical_codes(values)
    counts = np.bincount(codes[codes >= 0], minlength=len(words))
    # The most frequent first, equals by name: the order of codes is the same in every run.
    order = sorted(range(len(words)), key=lambda code: (-counts[code], words[code]))
    kept = order[: settings.levels]
    if len(words) + int((codes < 0).any()) < PAIR:
        return []
    plan = CategoryPlan(
        column=name, values={words[old]: new for new, old in enumerate(kept)}, other=len(kept)
    )
    output = Output(column=name, kind="code", size=len(kept) + 1)
    fitted = [_Fitted(plan, [output], _values(plan, values))]
    if len(words) >= settings.lookup_from and target.scores.shape[1] <= LOOKUP_CLASSES:
        fitted.append(_fit_lookup(name, codes, words, counts, target, settings))
    return fitted


def _fit_lookup(  # noqa: PLR0917 - one column's levels, and how they are averaged
    name: str,
    codes: np.ndarray,
    words: list[str],
    counts: np.ndarray,
    target: EncodingTarget,
    settings: EncodingSettings,
) -> _Fitted:
    """Fit shrunken target means by level."""
    levels = len(words)

    def means(rows: np.ndarray) -> tuple[Floats, Floats]:
        """Return the means of levels and missing, (levels + 1, scores), and of all rows."""
        places, scores = codes[rows] % (levels + 1), target.scores[rows]  # -1 becomes the last
        overall = scores.mean(axis=0)
        rows_of = np.bincount(places, minlength=levels + 1)
        sums = np.column_stack(
            [np.bincount(places, weights=one, minlength=levels + 1) for one in scores.T]
        )
        shrunk = (sums + settings.shrinkage * overall) / (rows_of + settings.shrinkage)[:, None]
        return np.where((rows_of >= FEWEST_ROWS)[:, None], shrunk, overall), overall

    crossed = np.empty_like(target.scores)
    for fold in range(target.folds):
        held = target.fold == fold
        if held.any() and not held.all():
            crossed[held] = means(~held)[0][codes[held] % (levels + 1)]
        else:
            crossed[held] = target.scores.mean(axis=0)
    table, overall = means(np.ones(len(codes), dtype=np.bool_))
    order = np.lexsort((np.arange(levels), -counts))[: settings.lookup_levels]
    plan = LookupPlan(
        column=name,
        values={
            words[i]: tuple(table[i].tolist()) for i in sorted(order) if counts[i] >= FEWEST_ROWS
        },
        missing=tuple(table[levels].tolist()),
        other=tuple(overall.tolist()),
    )
    return _Fitted(plan, [Output(column=name, kind="lookup")] * crossed.shape[1], crossed)


def _fit_date(name: str, values: pa.ChunkedArray) -> list[_Fitted]:
    """Keep the parts whose cycle the training rows have seen, and that vary over them."""
    days = _values(DatePlan(column=name, parts=("days",)), values)[:, 0]
    known = days[np.isfinite(days)]
    span = float(np.ptp(known)) if len(known) else 0.0
    parts = [part for part, cycle in CYCLE_DAYS.items() if span >= SEEN_CYCLES * cycle]
    if not parts:
        return []
    encoded = _values(DatePlan(column=name, parts=tuple(parts)), values)
    kept = [i for i in range(len(parts)) if _varies(encoded[:, i])]
    if not kept:
        return []
    plan = DatePlan(column=name, parts=tuple(parts[i] for i in kept))
    return [_Fitted(plan, [Output(column=name, kind="date")] * len(kept), encoded[:, kept])]


def _fit_text(
    name: str, values: pa.ChunkedArray, target: EncodingTarget, settings: EncodingSettings
) -> list[_Fitted]:
    """Score texts by a linear model of their words, cross-fitted; no plan where words are few."""
    fit: Callable[[np.ndarray], TextPlan | None] = lambda rows: fit_text(  # noqa: E731 - names the five fixed arguments
        name, values.take(pa.array(rows)), target.truth[rows], target.task, settings.terms
    )
    whole = fit(np.arange(len(target.truth)))
    if whole is None:
        return []
    crossed = np.zeros((len(target.truth), len(whole.bias)))
    for fold in range(target.folds):
        held = np.flatnonzero(target.fold == fold)
        plan = fit(np.flatnonzero(target.fold != fold))
        if plan is not None and len(plan.bias) == len(whole.bias):
            crossed[held] = _values(plan, values.take(pa.array(held)))
    return [_Fitted(whole, [Output(column=name, kind="text")] * crossed.shape[1], crossed)]
