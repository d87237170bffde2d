"""Profiles of the champion's held-out rows and of a day's requests.

The reference profile lies in the bundle (`profile.json`) and holds counts, never rows. A day's
profile holds counts on the reference's own grids, so that days and parts of days add up exactly.
Both are in one module, since a day is counted on the grids of the reference.
"""

from collections.abc import Sequence
from functools import reduce

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from bundle.arrays import Floats
from contract.canonical_json import canonical_json, sha256
from contract.strict import Strict
from methods.drift.baseline import BaselineNoise
from methods.drift.counting import count_rows
from methods.drift.histograms import (
    Grid,
    Histogram,
    count_numbers,
    empty,
    merge,
    to_numbers,
)
from methods.drift.relations import (
    Relations,
    Sums,
    add_sums,
    sums_of,
)
from methods.drift.row_digests import (
    RowSample,
    digest_columns,
    merge_samples,
    sample_rows,
)
from methods.drift.summaries import Summary, summarise

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
    relations: Relations | None = None
    """How the columns move together; None where none do, and in profiles of earlier versions."""
    weekdays: tuple[int, ...] = ()
    """Days with rows by weekday, Monday first; empty where the problem has no time."""

    @property
    def name(self) -> str:
        """The digest of the grids: day profiles of another name do not add up with these."""
        grids = {name: column.grid.model_dump(mode="json") for name, column in self.all.items()}
        return sha256(canonical_json(grids))

    @property
    def baseline(self) -> Losses:
        """What a later loss is compared with: all blocks of the forward backtest as one, else `losses`."""
        rows = sum(block.rows for block in self.forward)
        if not rows:
            return self.losses
        mean = sum(block.rows * block.mean for block in self.forward) / rows
        square = (
            sum(block.rows * (block.deviation**2 + block.mean**2) for block in self.forward) / rows
        )
        return Losses(rows=rows, mean=mean, deviation=max(0.0, square - mean**2) ** 0.5)

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
    relations: tuple[Sums, ...] = ()
    """How the columns moved together, in the order of the reference's pairs."""
    features: RowSample | None = None
    """Of the rows by their features: which came before? None in profiles of earlier versions."""
    whole_rows: RowSample | None = None
    """Of the rows by key, time and features; None where no key is logged."""


def day_profile(
    table: pa.Table,
    scores: Floats | None,
    reference: ReferenceProfile,
    part: str,
    identity: pa.Table | None = None,
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
        identity: key and time of the rows, (n,), by which a row that was logged twice is known; None
            where there is no key.
        summaries: False leaves them to `summarised`, where the part is not the whole day.
    """
    relations = reference.relations
    counted = count_rows(
        table,
        {name: (column.grid, column.histogram) for name, column in reference.columns.items()},
        {} if relations is None else relations.levels,
    )
    counts = dict(counted.columns)
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
        absent=counted.absent,
        relations=() if relations is None else sums_of(relations, counted.ranks),
        features=sample_rows(counted.digests),
        whole_rows=None if identity is None else _whole_rows(identity, counted.digests),
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
        relations=reduce(add_sums, [profile.relations for profile in profiles]),
        features=_merged([profile.features for profile in profiles]),
        whole_rows=_merged([profile.whole_rows for profile in profiles]),
    )


def score_columns(scores: Floats) -> dict[str, Floats]:
    """Name the columns of the scores: `score`, or `score.0` … for several classes."""
    if scores.ndim == 1:
        return {SCORE: scores}
    return {f"{SCORE}.{index}": scores[:, index] for index in range(scores.shape[1])}


def _whole_rows(identity: pa.Table, features: NDArray[np.uint64]) -> RowSample:
    """Sample the rows by key, time and features."""
    keys = {name: identity.column(name) for name in identity.column_names}
    return sample_rows(digest_columns(keys, identity.num_rows) ^ features)


def _merged(samples: Sequence[RowSample | None]) -> RowSample | None:
    """Merge samples; None where a part has none."""
    known = [sample for sample in samples if sample is not None]
    return merge_samples(known) if len(known) == len(samples) else None
