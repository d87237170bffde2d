"""Where is the loss worse? The champion's loss by category of the columns that matter most.

A change in one kind of row may hide in the mean, or be all of its rise. Hard rows are no news, so a
segment is compared with the loss that its own scores let expect (`expected_loss`), and that
difference with the other rows'. A segment names the cause and the place to look; it starts nothing by
itself, since of twenty segments one is always worst: the p-values are adjusted for their number
(Benjamini and Hochberg, JRSS B 57(1), 1995). Of classes only: a regression's score expects no loss.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bundle.arrays import Floats
from contract.labels import SegmentLoss
from methods.controller.policy import Policy
from methods.drift.divergence import false_discovery
from methods.drift.histograms import to_texts
from methods.models.metrics import row_losses
from tasks.monitoring.evidence.champions import MonitoredModel
from tasks.monitoring.evidence.expected_loss import expected_losses
from tasks.monitoring.evidence.performance import LabelledDay

KINDS = frozenset({"category", "boolean"})


def segment_losses(
    model: MonitoredModel, days: Sequence[LabelledDay], window: int, policy: Policy
) -> tuple[SegmentLoss, ...]:
    """Return the segments whose loss is worst against what was expected, most first.

    Args:
        model: the champion of all of `days`.
        days: newest first; the newest `window` labelled ones are looked at.
        window: days of the verdict.
        policy: how many columns, categories and rows.
    """
    if model.contract.task == "regression":
        return ()
    names = [
        name
        for name, column in sorted(
            model.reference.columns.items(), key=lambda item: -item[1].importance
        )
        if column.grid.kind in KINDS and column.importance > 0
    ][: policy.segment_columns]
    values, losses, expected = _rows(model, days, window, names)
    found = list(_segments(values, losses, expected, policy))
    adjusted = false_discovery([p for _, p in found])
    segments = [
        segment.model_copy(
            update={
                "q": float(f"{q:.3g}"),
                "is_worse": q <= policy.drift.false_discoveries
                and segment.change >= policy.loss_worse,
            }
        )
        for (segment, _), q in zip(found, adjusted, strict=True)
    ]
    segments.sort(key=lambda segment: (not segment.is_worse, -segment.change))
    return tuple(segments[: policy.segments_shown])


def _rows(
    model: MonitoredModel, days: Sequence[LabelledDay], window: int, names: Sequence[str]
) -> tuple[dict[str, NDArray[np.object_]], Floats, Floats]:
    """Return the categories, the loss and the expected loss of the sampled labelled rows."""
    values: dict[str, list[object]] = {name: [] for name in names}
    losses, expected = [np.empty(0)], [np.empty(0)]
    taken = 0
    for day, labels in days:
        truth = model.truth(labels)[day.sampled]
        known = ~np.isnan(truth)
        if not known.any() or taken >= window:
            continue
        taken += 1
        scores = day.lines.scores[day.sampled][known]
        losses.append(row_losses(model.contract.task, truth[known], scores))
        expected.append(expected_losses(scores))
        rows = day.sample.filter(pa.array(known))
        for name in names:
            is_there = name in rows.column_names
            words = to_texts(rows.column(name)).to_pylist() if is_there else [None] * rows.num_rows
            values[name].extend(words)
    by_name = {name: np.array(words, dtype=object) for name, words in values.items()}
    return by_name, np.concatenate(losses), np.concatenate(expected)


def _segments(
    values: dict[str, NDArray[np.object_]], losses: Floats, expected: Floats, policy: Policy
) -> Iterator[tuple[SegmentLoss, float]]:
    """Yield each segment and its one-sided p-value, unadjusted."""
    excess = losses - expected
    for name, words in values.items():
        levels = {word for word in words.tolist() if word is not None}
        counts = {level: int((words == level).sum()) for level in levels}
        largest = sorted(counts, key=lambda level: (-counts[level], level))
        for level in largest[: policy.segment_levels]:
            inside = words == level
            rows, rest = counts[level], len(words) - counts[level]
            if min(rows, rest) < policy.segment_rows:
                continue
            gap = float(excess[inside].mean() - excess[~inside].mean())
            error = (excess[inside].var() / rows + excess[~inside].var() / rest) ** 0.5
            loss, usual = float(losses[inside].mean()), float(expected[inside].mean())
            segment = SegmentLoss(
                column=name,
                value=level,
                rows=rows,
                loss=float(f"{loss:.5g}"),
                expected=float(f"{usual:.5g}"),
                change=float(f"{loss / usual - 1:.4g}") if usual else 0.0,
                q=1.0,
                is_worse=False,
            )
            yield segment, math.erfc(gap / error / 2**0.5) / 2 if error else 1.0
