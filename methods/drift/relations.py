"""Do the columns still move together as they did? Rank correlations with the reference, by day.

A sign that turned, two columns exchanged, rows put together wrongly and noise leave every column's
own distribution as it was; what they change is how columns move together. Each pair is compared on
ranks in the reference, as whole numbers, so that the sums of days and of parts of days add up.
A column's answer is its *kept* share: the slope of the day's correlations on the reference's, 1 on
a quiet day, 0 where rows are mixed or another column stands in its place, -1 where its sign turned,
and below 1 where noise was added. Its limit rests on what the reference's own days did.
The score is no partner: it is computed from the broken columns themselves and goes along with them.

Source: Spearman, "The Proof and Measurement of Association between Two Things", 1904; the standard
error of a correlation as by Fisher, "On the Probable Error of a Coefficient of Correlation", 1921.
"""

from collections.abc import Collection, Mapping, Sequence
from itertools import combinations
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import Field

from bundle.arrays import Floats
from contract.strict import Strict
from methods.drift.histograms import Grid, Histogram, to_texts

Ranks = NDArray[np.int16]
Sums: TypeAlias = tuple[int, int, int, int, int, int]
"""Of a pair's rows with both values: rows, x, y, xx, yy, xy, in whole ranks."""

HIGHEST = 127  # ranks run from -127 to 127
NO_RANK = -32_768
WEAKEST = 0.15  # rank correlation in the reference below which a pair tells too little
PARTNERS = 5  # of a column, its strongest
MOST_COLUMNS = 64  # by importance; 2,016 pairs are looked at once, at training
LEARNED_ROWS = 50_000  # of the reference, from which pairs are chosen
PAIR_ROWS = 100  # with both values, below which a day's correlation is too uncertain
FEWEST_LEVEL_ROWS = 10  # of a category, below which the mean of its scores is chance
_CHUNK = 65_536  # rows whose columns fit a processor's cache


class RelatedPair(Strict):
    """Two columns that move together in the reference."""

    one: str
    other: str
    correlation: float
    """Of their ranks, in [-1, 1]."""


class Steadiness(Strict):
    """What a column's kept share did on the reference's own days."""

    days: int
    """That could be looked at."""
    lowest: float
    """The lowest of a day."""
    wobble: float
    """Standard deviation between days beyond what their rows explain."""


class Relations(Strict):
    """How the columns of the reference move together."""

    rows: int
    pairs: tuple[RelatedPair, ...]
    levels: dict[str, tuple[int, ...]] = Field(default_factory=dict)
    """Of categories in pairs: the rank of each level, by its mean score, in the grid's order."""
    days: dict[str, Steadiness] = Field(default_factory=dict)
    """By column; empty where the reference has no days."""

    @property
    def columns(self) -> set[str]:
        """The columns in pairs."""
        return {name for pair in self.pairs for name in (pair.one, pair.other)}


def ranks_of_bins(bins: NDArray[np.int16], histogram: Histogram) -> Ranks:
    """Return the rank of each value in the reference, (n,), from its bin (`bin_numbers`)."""
    counts = np.array(histogram.counts, dtype=np.float64)
    middle = (np.cumsum(counts) - counts / 2) / max(counts.sum(), 1.0)
    ranks = np.rint((2 * middle - 1) * HIGHEST).astype(np.int16)
    # The special bins are negative, and so count from the table's end.
    table = np.concatenate([ranks, [HIGHEST, -HIGHEST, NO_RANK]]).astype(np.int16)
    found: Ranks = table[bins]
    return found


def ranks_of_levels(values: pa.ChunkedArray, grid: Grid, levels: Sequence[int]) -> Ranks:
    """Return the rank of each category, (n,); of an unknown one none."""
    codes = pc.index_in(to_texts(values), value_set=pa.array(grid.levels, pa.string()))
    table = np.array([*levels, NO_RANK], dtype=np.int16)
    found: Ranks = table[pc.fill_null(codes, len(levels)).to_numpy()]
    return found


def level_ranks(values: pa.ChunkedArray, grid: Grid, scores: Floats) -> tuple[int, ...]:
    """Return a rank for each level of the grid: of the mean score of its rows; `NO_RANK` if rare."""
    codes = pc.index_in(to_texts(values), value_set=pa.array(grid.levels, pa.string()))
    known = pc.is_valid(codes).to_numpy()
    numbers = codes.drop_null().to_numpy()
    rows = np.bincount(numbers, minlength=len(grid.levels))
    sums = np.bincount(numbers, weights=scores[known], minlength=len(grid.levels))
    usable = rows >= FEWEST_LEVEL_ROWS
    ranks = np.full(len(grid.levels), NO_RANK)
    if usable.any():
        order = np.argsort(np.where(usable, sums / np.maximum(rows, 1), np.inf), kind="stable")
        order = order[: usable.sum()]
        counts = rows[order]
        middle = (np.cumsum(counts) - counts / 2) / counts.sum()
        ranks[order] = np.rint((2 * middle - 1) * HIGHEST)
    return tuple(ranks.tolist())


def learn_relations(
    ranks: Mapping[str, Ranks],
    importance: Mapping[str, float],
    blocks: NDArray[np.int64],
    levels: Mapping[str, tuple[int, ...]],
) -> Relations | None:
    """Choose the pairs that move together and measure what their days do; None where none do.

    Args:
        ranks: (n,) of the reference's rows by column.
        importance: by column; of very many columns the most important are looked at.
        blocks: (n,) integers that ascend in time: days.
        levels: ranks of the categories' levels, kept for the columns in pairs.
    """
    names = sorted(ranks, key=lambda name: (-importance.get(name, 0.0), name))[:MOST_COLUMNS]
    chosen = {name: ranks[name][_evenly(len(blocks))] for name in names}
    candidates = list(combinations(names, 2))
    found = correlations(pair_sums(chosen, candidates))
    strong = sorted(
        (
            (abs(value), one, other, value)
            for (one, other), value in zip(candidates, found, strict=True)
            if value is not None and abs(value) >= WEAKEST
        ),
        key=lambda each: (-each[0], each[1], each[2]),
    )
    partners = dict.fromkeys(names, 0)
    pairs = []
    for _, one, other, value in strong:
        if min(partners[one], partners[other]) < PARTNERS:
            partners[one] += 1
            partners[other] += 1
            pairs.append(RelatedPair(one=one, other=other, correlation=round(value, 3)))
    if not pairs:
        return None
    relations = Relations(rows=len(blocks), pairs=tuple(pairs))
    used = relations.columns
    return relations.model_copy(
        update={
            "levels": {name: value for name, value in levels.items() if name in used},
            "days": _steadiness(relations, {name: ranks[name] for name in used}, blocks),
        }
    )


def sums_of(relations: Relations, ranks: Mapping[str, Ranks]) -> tuple[Sums, ...]:
    """Return the sums of a part of a day, a pair each; a column that did not come has no rank."""
    rows = max((len(values) for values in ranks.values()), default=0)
    known = {name: ranks.get(name, np.full(rows, NO_RANK, np.int16)) for name in relations.columns}
    return tuple(pair_sums(known, [(pair.one, pair.other) for pair in relations.pairs]))


def add_sums(one: Sequence[Sums], other: Sequence[Sums]) -> tuple[Sums, ...]:
    """Add the sums of two parts; nothing where one of them has none."""
    if len(one) != len(other):
        return ()
    return tuple(
        (a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3], a[4] + b[4], a[5] + b[5])
        for a, b in zip(one, other, strict=True)
    )


def pair_sums(ranks: Mapping[str, Ranks], pairs: Sequence[tuple[str, str]]) -> list[Sums]:
    """Return for each pair the sums over rows with both values; exact, in any order of rows."""
    totals = np.zeros((len(pairs), 6))
    rows = len(next(iter(ranks.values()), ()))
    used = {name for pair in pairs for name in pair}
    for start in range(0, rows, _CHUNK):
        # Products of 65,536 ranks stay below 2 ** 53, so that floats are exact.
        parts = {name: ranks[name][start : start + _CHUNK].astype(np.float64) for name in used}
        present = {name: values != NO_RANK for name, values in parts.items()}
        whole = {name: bool(mask.all()) for name, mask in present.items()}
        single = {name: (values.sum(), values @ values) for name, values in parts.items()}
        for index, (one, other) in enumerate(pairs):
            x, y = parts[one], parts[other]
            if whole[one] and whole[other]:
                (sx, sxx), (sy, syy) = single[one], single[other]
                totals[index] += (len(x), sx, sy, sxx, syy, x @ y)
                continue
            both = present[one] & present[other]
            x, y = x[both], y[both]
            totals[index] += (len(x), x.sum(), y.sum(), x @ x, y @ y, x @ y)
    return [tuple(map(int, total)) for total in totals.tolist()]  # type: ignore[misc] # six of them


def correlations(sums: Sequence[Sums]) -> list[float | None]:
    """Return the rank correlation of each pair; None where its rows cannot tell."""
    found: list[float | None] = []
    for rows, x, y, xx, yy, xy in sums:
        spread = (rows * xx - x * x) * (rows * yy - y * y)
        is_known = rows >= PAIR_ROWS and spread > 0
        found.append((rows * xy - x * y) / spread**0.5 if is_known else None)
    return found


def kept_share(
    relations: Relations, sums: Sequence[Sums], column: str, without: Collection[str] = ()
) -> tuple[float, float] | None:
    """Return how much of a column's relations is kept, and its standard error from the rows alone.

    None where it has no partner that can be compared.

    Args:
        relations: of the reference.
        sums: of the day, in the order of the pairs.
        column: whose pairs count.
        without: partners that are left out, since they are broken themselves.
    """
    weight = product = variance = 0.0
    for pair, now, its in zip(relations.pairs, correlations(sums), sums, strict=True):
        if now is None or column not in {pair.one, pair.other}:
            continue
        if (pair.other if pair.one == column else pair.one) in without:
            continue
        before = pair.correlation
        weight += before**2
        product += before * now
        variance += before**2 * (1 - before**2) ** 2 * (1 / its[0] + 1 / relations.rows)
    if not weight:
        return None
    return product / weight, float(variance**0.5) / weight


def _steadiness(
    relations: Relations, ranks: Mapping[str, Ranks], blocks: NDArray[np.int64]
) -> dict[str, Steadiness]:
    """Measure the kept share of each column on each day of the reference."""
    shares: dict[str, list[tuple[float, float]]] = {name: [] for name in sorted(ranks)}
    for block in np.unique(blocks):
        of_block = blocks == block
        sums = sums_of(relations, {name: values[of_block] for name, values in ranks.items()})
        for name, found in shares.items():
            share = kept_share(relations, sums, name)
            if share is not None:
                found.append(share)
    days = {}
    for name, found in shares.items():
        if not found:
            continue
        share, error = np.array(found).T
        beyond = float(((share - 1) ** 2).mean() - (error**2).mean())
        days[name] = Steadiness(
            days=len(share),
            lowest=round(float(share.min()), 3),
            wobble=round(max(0.0, beyond) ** 0.5, 3),
        )
    return days


def _evenly(rows: int) -> NDArray[np.int64]:
    """Return at most 50,000 positions, evenly spaced."""
    return np.unique(np.linspace(0, rows - 1, min(rows, LEARNED_ROWS)).astype(np.int64))
