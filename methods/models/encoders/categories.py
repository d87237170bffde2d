"""Encode categories: a code for each frequent level, and target means where there are many.

Sources: Micci-Barreca, "A preprocessing scheme for high-cardinality categorical attributes", SIGKDD
Explorations 3(1), 2001 (shrunken target means); Pargent et al., "Regularized target encoding
outperforms traditional methods", Computational Statistics 37, 2022 (cross-fitting).
"""

import numpy as np
import pyarrow as pa

from bundle.arrays import Floats
from bundle.plans import CategoryPlan, LookupPlan
from bundle.values import Unusable, key
from methods.models.encoders.column import (
    PAIR,
    EncodingSettings,
    EncodingTarget,
    FittedColumn,
    Output,
    encode_column,
)

FEWEST_ROWS = 2  # the mean of a level seen once is the row's own label
LOOKUP_CLASSES = 10  # more classes would make more lookup columns than there are columns


def canonical_codes(values: pa.ChunkedArray) -> tuple[np.ndarray, list[str]]:
    """Return each value's index among the sorted canonical words, (n,), -1 for missing.

    >>> codes, words = canonical_codes(pa.chunked_array([["b", None, "a", "b"]]))
    >>> codes.tolist(), words
    ([1, -1, 0, 1], ['a', 'b'])
    """
    encoded = values.combine_chunks().dictionary_encode()
    raw = [_word(value) for value in encoded.dictionary.to_pylist()]
    words = sorted({word for word in raw if word is not None})
    index = {word: code for code, word in enumerate(words)}
    of_raw = np.array([-1 if word is None else index[word] for word in raw] + [-1], dtype=np.int64)
    indices = encoded.indices.fill_null(len(raw)).to_numpy()
    return of_raw[indices], words


def _word(value: object) -> str | None:
    """Return the canonical word, None for a value that the encoder would count as missing."""
    try:
        return key(value)
    except Unusable:
        return None


def fit_category(
    name: str, values: pa.ChunkedArray, target: EncodingTarget, settings: EncodingSettings
) -> list[FittedColumn]:
    """Code the most frequent levels; from `settings.lookup_from` levels on add target means."""
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
    fitted = [FittedColumn(plan, [output], encode_column(plan, values))]
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
) -> FittedColumn:
    """Fit shrunken target means by level."""
    levels = len(words)

    def means(rows: np.ndarray) -> tuple[Floats, Floats]:
        """Return the means of levels and missing, (levels + 1, scores), and of all rows."""
        levels_of_rows = codes[rows] % (levels + 1)  # -1 becomes the last
        scores = target.scores[rows]
        overall = scores.mean(axis=0)
        rows_of = np.bincount(levels_of_rows, minlength=levels + 1)
        sums = np.column_stack(
            [np.bincount(levels_of_rows, weights=one, minlength=levels + 1) for one in scores.T]
        )
        shrunk = (sums + settings.shrinkage * overall) / (rows_of + settings.shrinkage)[:, None]
        return np.where((rows_of >= FEWEST_ROWS)[:, None], shrunk, overall), overall

    crossed = np.empty_like(target.scores)
    for fold in range(target.folds):
        left_out = target.fold == fold
        if left_out.any() and not left_out.all():
            crossed[left_out] = means(~left_out)[0][codes[left_out] % (levels + 1)]
        else:
            crossed[left_out] = target.scores.mean(axis=0)
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
    return FittedColumn(plan, [Output(column=name, kind="lookup")] * crossed.shape[1], crossed)
