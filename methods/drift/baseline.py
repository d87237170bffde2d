"""Baseline noise: how far the blocks of the reference differ from one another, column by column.

A month that advances, weather that differs from week to week, a flag that is constant on most days:
a limit that the healthy past itself exceeds gives false alarms every day. So every limit of the
drift rule and of the quality gate is raised to what the held-out rows did among themselves.
"""

from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from contract.strict import Strict
from methods.drift.bins import cells
from methods.drift.divergence import stability_index
from methods.drift.histograms import Grid, Histogram, count, finite, fit_grid, to_numbers
from methods.drift.summaries import (
    FEWEST_ROWS,
    Summary,
    is_constant,
    misfit,
    spike,
    summarise,
    top_gain,
)

MOST_BLOCKS = 56  # eight weeks of days
WINDOW_BLOCKS = 7  # blocks that are compared together, as the days of a verdict window are
MONOTONE_BLOCKS = 6  # fewer only rise, or only fall, by chance in too many columns
EXPECTED_ROWS = 10  # of a category, none of which came: by chance exp(-10)
WINDOW_ROWS = 500  # fewer say little of a distribution
DIGITS = 4  # of a share or an index in the JSON


class BaselineNoise(Strict):
    """The largest value among the reference's own blocks, each against the whole or the past."""

    psi: float = 0.0
    """Corrected stability index of a window of blocks against the whole."""
    spike: float = 0.0
    """Share of a single value in a block, where its bin holds next to nothing in the whole."""
    misfit: float = 0.0
    """Of a block's quantiles to their shares in the whole."""
    missing: float = 0.0
    """Share missing in a block minus that of the whole."""
    out_of_range: float = 0.0
    """Share of a block of the second half beyond the limits that the first half gives; 1 where the
    column only moves in one direction, as a month does."""
    unseen: float = 0.0
    """Share of a block of the second half in categories that the first half never had."""
    is_constant: bool = False
    """True where a block held one value only."""
    # Profiles of earlier versions do not know these; what needs them is then not checked.
    gain: float | None = None
    """Share of a known value in a block minus its share in the whole."""
    vanished: float | None = None
    """Share of the whole in categories of which a block had none, though ten rows were expected."""
    distinct: int | None = None
    """The fewest distinct numbers of a block: the only smallest value among these."""
    block_rows: int | None = None
    """Present values of that block."""


def measure_noise(values: pa.ChunkedArray, grid: Grid, blocks: NDArray[np.int64]) -> BaselineNoise:
    """Measure the noise of a column among its own blocks.

    Args:
        values: (n,) the reference's values.
        grid: fitted to all of them.
        blocks: (n,) integers that ascend in time; neighbours are merged beyond 56 blocks.
    """
    order = np.argsort(blocks, kind="stable")
    ordered = values.take(pa.array(order))
    lengths = _lengths(blocks[order])
    starts = np.concatenate([[0], np.cumsum(lengths)])
    summaries = _summaries(ordered, grid, starts)
    parts = [
        count(ordered.slice(start, length), grid)
        for start, length in zip(starts[:-1].tolist(), lengths, strict=True)
    ]
    whole = _sum(parts, grid)
    large = [part for part in parts if part.rows >= FEWEST_ROWS]
    both = list(zip(parts, summaries, strict=True))
    share = whole.missing / max(whole.rows, 1)
    rich = [summary for summary in summaries if summary and summary.rows >= FEWEST_ROWS]
    fewest = min(rich, key=lambda summary: summary.distinct, default=None)
    outside, unseen = _second_half(ordered, grid, starts)
    return BaselineNoise(
        psi=_rounded(
            max((_psi(grid, whole, window) for window in _windows(parts, grid)), default=0)
        ),
        spike=_rounded(max((spike(grid, whole, summary) for summary in summaries), default=0)),
        misfit=_rounded(
            max((misfit(grid, whole, each.quantiles) for each in summaries if each), default=0)
        ),
        missing=_rounded(max((part.missing / part.rows - share for part in large), default=0)),
        out_of_range=_rounded(outside),
        unseen=_rounded(unseen),
        is_constant=any(is_constant(grid, part, summary) for part, summary in both),
        gain=_rounded(max((_gain(grid, whole, *each) for each in both), default=0)),
        vanished=_rounded(max((vanished_share(whole, part) for part in large), default=0)),
        distinct=fewest.distinct if fewest else None,
        block_rows=fewest.rows if fewest else None,
    )


def vanished_share(whole: Histogram, part: Histogram) -> float:
    """Return the share of the whole in categories that are not in the part, though expected in it."""
    if not whole.present or not part.present:
        return 0.0
    shares = np.array(whole.counts) / whole.present
    is_gone = (shares * part.present >= EXPECTED_ROWS) & (np.array(part.counts) == 0)
    return float(shares[is_gone].sum())


def _gain(grid: Grid, whole: Histogram, part: Histogram, summary: Summary | None) -> float:
    """Return the gain in share of the known value that gained most."""
    if grid.is_numeric:
        return top_gain(grid, whole, summary)
    if part.present < FEWEST_ROWS or not whole.present or not part.counts:
        return 0.0
    shares = np.array(part.counts) / part.present - np.array(whole.counts) / whole.present
    return max(0.0, float(shares.max()))


def _summaries(
    ordered: pa.ChunkedArray, grid: Grid, starts: NDArray[np.int64]
) -> list[Summary | None]:
    """Summarise the numbers of each block; None for other columns."""
    if grid.kind != "number":
        return [None] * (len(starts) - 1)
    numbers = to_numbers(ordered, "number")
    return [summarise(numbers[start:end]) for start, end in pairwise(starts.tolist())]


def _lengths(ordered: NDArray[np.int64]) -> list[int]:
    """Return the rows of each block, neighbours merged until at most 56 blocks remain."""
    lengths = np.unique(ordered, return_counts=True)[1]
    merged = np.array_split(lengths, min(len(lengths), MOST_BLOCKS))
    return [int(part.sum()) for part in merged]


def _windows(parts: list[Histogram], grid: Grid) -> list[Histogram]:
    """Merge neighbours to windows of at least 7 blocks and 500 rows; a short rest is left out."""
    windows, current = [], []
    for part in parts:
        current.append(part)
        if len(current) >= WINDOW_BLOCKS and sum(each.rows for each in current) >= WINDOW_ROWS:
            windows.append(_sum(current, grid))
            current = []
    return windows


def _psi(grid: Grid, whole: Histogram, window: Histogram) -> float:
    return stability_index(*cells(grid, whole, window))[1]


def _second_half(
    ordered: pa.ChunkedArray, grid: Grid, starts: NDArray[np.int64]
) -> tuple[float, float]:
    """Compare each block of the second half with a grid that is fitted to the first half only."""
    middle = len(starts) // 2
    if middle < 1 or len(starts) <= middle + 1 or grid.kind == "date":
        return 0.0, 0.0
    if grid.kind == "number" and _moves_with_time(ordered, starts):
        return 1.0, 0.0
    past = fit_grid(ordered.slice(0, int(starts[middle])), grid.kind)
    outside = unseen = 0.0
    for start, end in zip(starts[middle:-1].tolist(), starts[middle + 1 :].tolist(), strict=True):
        part = count(ordered.slice(start, end - start), past)
        if part.present >= FEWEST_ROWS:
            outside = max(outside, (part.below + part.above) / part.present)
            unseen = max(unseen, part.unseen / part.present)
    return outside, unseen


def _moves_with_time(ordered: pa.ChunkedArray, starts: NDArray[np.int64]) -> bool:
    """Tell whether the blocks' means only rise, or only fall: a month, a week, a counter.

    Six blocks do so by chance in 0.3 % of the columns, which then lose their range check.
    """
    numbers = to_numbers(ordered, "number")
    means = np.array(
        [
            part.mean()
            for start, end in pairwise(starts.tolist())
            if (part := finite(numbers[start:end])).size
        ]
    )
    steps = np.diff(means)
    return bool(
        len(means) >= MONOTONE_BLOCKS and steps.any() and ((steps >= 0).all() or (steps <= 0).all())
    )


def _sum(parts: list[Histogram], grid: Grid) -> Histogram:
    columns = np.array([part.counts for part in parts], dtype=np.int64).reshape(
        len(parts), grid.size
    )
    return Histogram(
        counts=tuple(columns.sum(axis=0).tolist()),
        below=sum(part.below for part in parts),
        above=sum(part.above for part in parts),
        rare=sum(part.rare for part in parts),
        unseen=sum(part.unseen for part in parts),
        missing=sum(part.missing for part in parts),
    )


def _rounded(value: float) -> float:
    return round(float(value), DIGITS)
