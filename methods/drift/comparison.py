"""Which columns moved, how far, and how much it can matter to the model.

A column is drifted where the move is both significant (Benjamini and Hochberg, over all columns and
the score) and large (corrected stability index above the column's limit). Neither suffices alone:
at 100,000 rows everything is significant, at 500 rows noise is large.
A column's limit is raised to what the reference's own windows reached, up to a cap: without it a
reference of unlike weeks would hide every drift. The numbers: `methods.drift.limits.DriftLimits`.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np

from contract.drift import Cause, ColumnDrift
from contract.strict import Strict
from methods.drift.bins import bins, cells, unseen_share
from methods.drift.divergence import (
    false_discovery,
    jensen_shannon,
    kolmogorov_smirnov,
    stability_index,
    two_sample_p,
    wasserstein,
)
from methods.drift.histograms import Histogram
from methods.drift.limits import DriftLimits
from methods.drift.profile import ColumnReference, DayProfile, ReferenceProfile


@dataclass(frozen=True)
class Comparison:
    """Today's window against the reference."""

    columns: tuple[ColumnDrift, ...]
    """By impact."""
    scores: tuple[ColumnDrift, ...]
    """By corrected stability index; the first moved most."""
    is_score_drifted: bool
    """True where the model answers differently than it did on the reference."""
    unseen: float
    """The largest share of unseen categories in a column that matters, in [0, 1]."""

    @property
    def drifted(self) -> tuple[ColumnDrift, ...]:
        """The drifted columns, by impact."""
        return tuple(column for column in self.columns if column.drifted)

    @property
    def impact(self) -> float:
        """The importance of the drifted columns together, in [0, 1]."""
        return min(1.0, sum(column.importance for column in self.drifted))


class _Measured(Strict):
    """What the histograms say of one column before the columns are compared with one another."""

    name: str
    psi: float
    corrected: float
    p: float
    js: float
    ks: float | None
    w1: float | None
    missing_delta: float
    unseen: float
    out_of_range: float


def column_limit(column: ColumnReference, limits: DriftLimits) -> float:
    """Return the corrected stability index from which on a column counts as drifted."""
    return max(limits.drifted, min(limits.major, limits.block_factor * column.calm.psi))


def compare_profiles(
    reference: ReferenceProfile,
    window: DayProfile,
    before: Collection[str] = (),
    *,
    limits: DriftLimits,
) -> Comparison:
    """Compare the merged days of a window with the reference.

    Args:
        reference: of the champion.
        window: on the same grids.
        before: columns that were drifted the day before: they stay so above a share of their limit,
            so that a verdict does not flicker.
        limits: of the retrain controller's policy.

    Raises:
        ValueError: the window was counted on other grids.
    """
    if window.reference != reference.name:
        raise ValueError("The window was counted on the grids of another reference.")
    measured = [
        _measure(name, column, window.columns[name]) for name, column in reference.all.items()
    ]
    adjusted = false_discovery([each.p for each in measured])
    drifts = [
        _column_drift(each, reference.all[each.name], q, limits, was_drifted=each.name in before)
        for each, q in zip(measured, adjusted, strict=True)
    ]
    columns = [column for column in drifts if column.name in reference.columns]
    scores = [column for column in drifts if column.name in reference.scores]
    return Comparison(
        columns=_ranked(columns, lambda c: (-c.impact, -c.psi_corrected, c.name)),
        scores=_ranked(scores, lambda c: (-c.psi_corrected, c.name)),
        is_score_drifted=any(
            score.psi_corrected >= max(limits.drifted, score.limit) and score.p < limits.score_p
            for score in scores
        ),
        unseen=max((c.unseen for c in columns if c.importance > limits.matters), default=0.0),
    )


def distance(
    reference: ReferenceProfile, one: DayProfile, other: DayProfile, names: Collection[str]
) -> float:
    """Return the largest corrected stability index between two windows over the named columns."""
    return max(
        (
            stability_index(
                *cells(reference.all[name].grid, one.columns[name], other.columns[name])
            )[1]
            for name in names
            if name in reference.all
        ),
        default=0.0,
    )


def _measure(name: str, column: ColumnReference, current: Histogram) -> _Measured:
    before, now = cells(column.grid, column.histogram, current)
    psi, corrected = stability_index(before, now)
    ks = w1 = None
    if column.grid.is_numeric:
        fine = bins(column.histogram), bins(current)
        ks = _rounded(kolmogorov_smirnov(*fine))
        if column.deviation and column.tails:
            edges = np.asarray(column.grid.edges)
            area = wasserstein(*fine, edges, column.tails[0], column.tails[-1])
            w1 = _rounded(area / column.deviation)
    present = max(current.present, 1)
    return _Measured(
        name=name,
        psi=_rounded(psi),
        corrected=_rounded(corrected),
        p=float(f"{two_sample_p(before, now):.3g}"),
        js=_rounded(jensen_shannon(before, now)),
        ks=ks,
        w1=w1,
        missing_delta=_rounded(_missing(current) - _missing(column.histogram)),
        unseen=_rounded(max(0.0, unseen_share(column.histogram, current))),
        out_of_range=_rounded((current.below + current.above) / present),
    )


def _column_drift(
    measured: _Measured,
    column: ColumnReference,
    q: float,
    limits: DriftLimits,
    *,
    was_drifted: bool,
) -> ColumnDrift:
    is_significant = q <= limits.false_discoveries
    limit = column_limit(column, limits)
    share = limits.stays if was_drifted else 1.0
    drifted = is_significant and measured.corrected >= limit * share
    return ColumnDrift(
        name=measured.name,
        type=column.grid.kind,
        psi=measured.psi,
        psi_corrected=measured.corrected,
        limit=_rounded(limit),
        p=measured.p,
        q=float(f"{q:.3g}"),
        js=measured.js,
        ks=measured.ks,
        w1=measured.w1,
        missing_delta=measured.missing_delta,
        unseen=measured.unseen,
        out_of_range=measured.out_of_range,
        importance=column.importance,
        impact=_rounded(column.importance * min(1.0, measured.corrected / limits.major)),
        rank=1,
        cause=_cause(measured, limits),
        drifted=drifted,
        warned=is_significant and not drifted and measured.corrected >= limits.warned,
    )


def _cause(measured: _Measured, limits: DriftLimits) -> Cause:
    """Name what moved the column: the largest special cell, if it is large, else its values."""
    shares: dict[Cause, float] = {
        "missing": abs(measured.missing_delta),
        "unseen": measured.unseen,
        "out_of_range": measured.out_of_range,
    }
    largest = max(shares, key=lambda cause: shares[cause])
    return largest if shares[largest] >= limits.cause else "distribution"


def _missing(histogram: Histogram) -> float:
    return histogram.missing / max(histogram.rows, 1)


def _ranked(
    columns: list[ColumnDrift], by: Callable[[ColumnDrift], tuple[float | str, ...]]
) -> tuple[ColumnDrift, ...]:
    ordered = sorted(columns, key=by)
    return tuple(
        column.model_copy(update={"rank": rank}) for rank, column in enumerate(ordered, start=1)
    )


def _rounded(value: float) -> float:
    return round(float(value), 5)
