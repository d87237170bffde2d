"""Profiles of the champion's held-out rows and of a day's requests.

The reference profile lies in the bundle (`profile.json`) and holds counts, never rows. A day's
profile holds counts on the reference's own grids, so that days and parts of days add up exactly.
Both are in one module, since a day is counted on the grids of the reference.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field, JsonValue

from bundle.arrays import Floats
from contract.canonical_json import canonical_json, sha256
from contract.strict import Strict
from methods.drift.baseline import BaselineNoise, measure_noise
from methods.drift.histograms import (
    Grid,
    Histogram,
    Kind,
    count,
    count_numbers,
    empty,
    finite,
    fit_grid,
    merge,
    to_numbers,
)
from methods.drift.summaries import QUANTILES, Summary, significant, summarise

SCORE = "score"


class ColumnReference(Strict):
    """One column, or the score, over the reference's rows."""

    grid: Grid
    histogram: Histogram
    importance: float = 0.0
    """Permutation importance, normalised to sum to 1 over the columns."""
    calm: BaselineNoise
    """What the reference's own blocks did; stored as `calm` since `reference/1`."""
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    deviation: float | None = None
    tails: tuple[float, ...] = ()
    """Quantiles .001, .005, .995, .999."""
    quantiles: tuple[float, ...] = ()
    """Quantiles .1, .25, .5, .75, .9: a wrong unit moves all of them by one factor."""


class Losses(Strict):
    """Mean loss per row and its standard deviation over rows."""

    rows: int
    mean: float
    deviation: float


class BlockLosses(Losses):
    """The same for one block of the forward backtest: trained before the block, evaluated on it."""

    block: int


class ReferenceProfile(Strict):
    """The held-out rows of the champion, as monitoring compares later days with them."""

    profile: str = "reference/1"
    rows: int
    columns: dict[str, ColumnReference]
    scores: dict[str, ColumnReference]
    """`score`; with several classes `score.0`, `score.1`, …"""
    losses: Losses
    """On the held-out rows."""
    forward: tuple[BlockLosses, ...]
    """By block; empty where the problem has no time."""

    @property
    def name(self) -> str:
        """The digest of the grids: day profiles of another name do not add up with these."""
        grids = {name: column.grid.model_dump(mode="json") for name, column in self.all.items()}
        return sha256(canonical_json(grids))

    @property
    def all(self) -> dict[str, ColumnReference]:
        """Columns and scores."""
        return self.columns | self.scores


class DayProfile(Strict):
    """Counts of served rows on a reference's grids; several add up to one."""

    profile: str = "day/1"
    reference: str
    parts: tuple[str, ...]
    """Names of the parts that were counted, sorted; no part is counted twice."""
    rows: int
    columns: dict[str, Histogram]
    """Columns and scores."""
    absent: tuple[str, ...] = ()
    """Columns that at least one part did not have."""
    summaries: dict[str, Summary] = Field(default_factory=dict)
    """Of numbers; of a single part only, or set by `summarised`: they do not add up."""


def reference_profile(  # noqa: PLR0917 - everything that a profile describes
    table: pa.Table,
    scores: Floats,
    losses: Floats,
    columns: Mapping[str, Kind],
    importance: Mapping[str, float],
    blocks: NDArray[np.integer],
    forward_loss: Sequence[tuple[int, int, float, float]],
) -> dict[str, JsonValue]:
    """Describe the held-out rows as the JSON that lies in the bundle as `profile.json`.

    Called by training on the held-out (validation) rows, with scores from before the refit: a
    model that has seen the rows is over-confident on them, and every later day looks like drift.

    Args:
        table: n held-out rows with at least `columns`; further columns are ignored.
        scores: what the service would answer before any threshold: (n,) the probability of the
            positive class or the predicted value, (n, classes) for several classes.
        losses: (n,) per row, log loss or squared error (`methods.models.metrics.row_losses`' meaning).
        columns: the features and how to count them; a `binary` role is `boolean`; `id` and
            `constant` roles are left out.
        importance: permutation importance by column, any scale; negative and absent count as 0.
        blocks: (n,) integers that ascend in time: the calendar day of the row's event time where
            the problem declares one (days since 1970), else the split's block. Days show
            what a normal day does, as opposed to a fault.
        forward_loss: (block, rows, mean loss, standard deviation of the loss over rows) of each
            block of the forward backtest; empty where there is no time.

    Returns:
        JSON, at most about 120 KB for 30 columns; it holds no row and no key.

    Raises:
        ValueError: lengths differ, or there is no row.
    """
    rows = table.num_rows
    if not rows or not len(scores) == len(losses) == len(blocks) == rows:
        sentence = (
            f"The held-out part has {rows} rows, {len(scores)} scores, {len(losses)} losses and "
            f"{len(blocks)} blocks; at least one row and equal lengths are expected."
        )
        raise ValueError(sentence)
    weights = {name: max(0.0, float(importance.get(name, 0.0))) for name in columns}
    total = sum(weights.values()) or 1.0
    numbered = np.asarray(blocks, dtype=np.int64)
    profile = ReferenceProfile(
        rows=rows,
        columns={
            name: _column(table.column(name), kind, numbered, weights[name] / total)
            for name, kind in columns.items()
        },
        scores={
            name: _column(pa.chunked_array([pa.array(values)]), "number", numbered, 0.0)
            for name, values in score_columns(scores).items()
        },
        losses=_losses(losses),
        forward=tuple(
            BlockLosses(
                block=int(block), rows=int(n), mean=significant(mean), deviation=significant(sd)
            )
            for block, n, mean, sd in forward_loss
        ),
    )
    content: dict[str, JsonValue] = profile.model_dump(mode="json", exclude_defaults=True)
    return content | {"profile": profile.profile}


def day_profile(
    table: pa.Table,
    scores: Floats | None,
    reference: ReferenceProfile,
    part: str,
    *,
    summaries: bool = True,
) -> DayProfile:
    """Count one part of a day's served rows on the reference's grids.

    Args:
        table: the features under their own names. A column that the reference has and `table`
            has not is counted as missing and named in `absent`.
        scores: as in `reference_profile`; None counts no score.
        reference: of the champion that served the rows.
        part: what makes the part itself, such as the key of a log file and its digest.
        summaries: False leaves them to `summarised`, where the part is not the whole day.
    """
    counts: dict[str, Histogram] = {}
    absent = []
    for name, column in reference.columns.items():
        if name not in table.column_names:
            absent.append(name)
            counts[name] = empty(column.grid, missing=table.num_rows)
            continue
        counts[name] = count(table.column(name), column.grid)
    by_name = {} if scores is None else score_columns(scores)
    for name, column in reference.scores.items():
        counts[name] = (
            count_numbers(by_name[name], column.grid)
            if name in by_name
            else empty(column.grid, missing=table.num_rows)
        )
    profile = DayProfile(
        reference=reference.name,
        parts=(part,),
        rows=table.num_rows,
        columns=counts,
        absent=tuple(absent),
    )
    return summarised(profile, table, reference) if summaries else profile


def summarised(profile: DayProfile, rows: pa.Table, reference: ReferenceProfile) -> DayProfile:
    """Add the summaries of a whole day's numbers to its counts; `rows` may be a sample of them."""
    summaries = {
        name: summarise(to_numbers(rows.column(name), "number"))
        for name, column in reference.columns.items()
        if column.grid.kind == "number" and name in rows.column_names
    }
    known = {name: summary for name, summary in summaries.items() if summary is not None}
    return profile.model_copy(update={"summaries": known})


def merge_profiles(profiles: Sequence[DayProfile]) -> DayProfile:
    """Add day profiles; any order and grouping give the same counts.

    Raises:
        ValueError: none is given, they stand on different grids, or a part is in two of them.
    """
    if not profiles:
        raise ValueError("No day profile was given; at least one is expected.")
    if len({profile.reference for profile in profiles}) > 1:
        raise ValueError("The day profiles stand on grids of different references.")
    parts = sorted(part for profile in profiles for part in profile.parts)
    if len(set(parts)) < len(parts):
        twice = next(part for part in parts if parts.count(part) > 1)
        raise ValueError(f"The part {twice!r} was counted twice.")
    first, *others = profiles
    columns = dict(first.columns)
    for profile in others:
        columns = {name: merge(columns[name], profile.columns[name]) for name in columns}
    return DayProfile(
        reference=first.reference,
        parts=tuple(parts),
        rows=sum(profile.rows for profile in profiles),
        columns=columns,
        absent=tuple(sorted({name for profile in profiles for name in profile.absent})),
        summaries={} if others else first.summaries,
    )


def score_columns(scores: Floats) -> dict[str, Floats]:
    """Name the columns of the scores: `score`, or `score.0` … for several classes."""
    if scores.ndim == 1:
        return {SCORE: scores}
    return {f"{SCORE}.{index}": scores[:, index] for index in range(scores.shape[1])}


def _column(
    values: pa.ChunkedArray, kind: Kind, blocks: NDArray[np.int64], importance: float
) -> ColumnReference:
    grid = fit_grid(values, kind)
    numbers = finite(to_numbers(values, kind)) if grid.is_numeric else np.empty(0)
    known = numbers.size > 0
    return ColumnReference(
        grid=grid,
        histogram=count(values, grid),
        importance=significant(importance),
        calm=measure_noise(values, grid, blocks),
        minimum=significant(numbers.min()) if known else None,
        maximum=significant(numbers.max()) if known else None,
        mean=significant(numbers.mean()) if known else None,
        deviation=significant(numbers.std()) if known else None,
        tails=_quantiles(numbers, (0.001, 0.005, 0.995, 0.999)),
        quantiles=_quantiles(numbers, QUANTILES),
    )


def _losses(losses: Floats) -> Losses:
    return Losses(
        rows=len(losses), mean=significant(losses.mean()), deviation=significant(losses.std())
    )


def _quantiles(numbers: Floats, shares: Sequence[float]) -> tuple[float, ...]:
    return (
        tuple(significant(value) for value in np.quantile(numbers, shares)) if numbers.size else ()
    )
