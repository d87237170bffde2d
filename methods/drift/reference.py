"""What training writes of the held-out rows: the profile that later days are compared with."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import JsonValue

from bundle.arrays import Floats
from methods.drift.baseline import measure_noise
from methods.drift.counting import count_rows
from methods.drift.histograms import Kind, count, count_singles, finite, fit_grid, to_numbers
from methods.drift.profile import (
    BlockLosses,
    ColumnReference,
    Losses,
    ReferenceProfile,
    score_columns,
)
from methods.drift.relations import Relations, learn_relations, level_ranks
from methods.drift.summaries import QUANTILES, significant

WEEKDAYS = 7
THURSDAY = 3  # 1970-01-01, from which days are numbered


def reference_profile(  # noqa: PLR0917 - everything that a profile describes
    table: pa.Table,
    scores: Floats,
    losses: Floats,
    columns: Mapping[str, Kind],
    importance: Mapping[str, float],
    blocks: NDArray[np.integer],
    forward_loss: Sequence[tuple[int, int, float, float]],
    *,
    are_days: bool = False,
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
        are_days: True where `blocks` are calendar days, whose weekdays mean something.

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
    described = {
        name: _column(table.column(name), kind, numbered, weights[name] / total)
        for name, kind in columns.items()
    }
    profile = ReferenceProfile(
        rows=rows,
        columns=described,
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
        relations=_relations(table, scores, described, numbered),
        weekdays=_weekdays(numbered) if are_days else (),
    )
    content: dict[str, JsonValue] = profile.model_dump(mode="json", exclude_defaults=True)
    return content | {"profile": profile.profile}


def _column(
    values: pa.ChunkedArray, kind: Kind, blocks: NDArray[np.int64], importance: float
) -> ColumnReference:
    grid = fit_grid(values, kind)
    numbers = finite(to_numbers(values, kind)) if grid.is_numeric else np.empty(0)
    known = numbers.size > 0
    histogram = count(values, grid)
    if kind == "category":
        histogram = histogram.model_copy(update={"singles": count_singles(values)})
    return ColumnReference(
        grid=grid,
        histogram=histogram,
        importance=significant(importance),
        calm=measure_noise(values, grid, blocks),
        minimum=significant(numbers.min()) if known else None,
        maximum=significant(numbers.max()) if known else None,
        mean=significant(numbers.mean()) if known else None,
        deviation=significant(numbers.std()) if known else None,
        tails=_quantiles(numbers, (0.001, 0.005, 0.995, 0.999)),
        quantiles=_quantiles(numbers, QUANTILES),
    )


def _relations(
    table: pa.Table,
    scores: Floats,
    columns: Mapping[str, ColumnReference],
    blocks: NDArray[np.int64],
) -> Relations | None:
    """Learn how the columns move together; a category's levels by the score's largest part."""
    plain = scores if scores.ndim == 1 else scores[:, int(np.argmax(scores.std(axis=0)))]
    levels = {
        name: level_ranks(table.column(name), column.grid, plain)
        for name, column in columns.items()
        if column.grid.kind in {"category", "boolean"} and len(column.grid.levels) > 1
    }
    counted = count_rows(
        table,
        {name: (column.grid, column.histogram) for name, column in columns.items()},
        levels,
    )
    importance = {name: column.importance for name, column in columns.items()}
    return learn_relations(counted.ranks, importance, blocks, levels)


def _weekdays(days: NDArray[np.int64]) -> tuple[int, ...]:
    """Count the days with rows by weekday, Monday first."""
    found = np.bincount((np.unique(days) + THURSDAY) % WEEKDAYS, minlength=WEEKDAYS)
    return tuple(found.tolist())


def _losses(losses: Floats) -> Losses:
    return Losses(
        rows=len(losses), mean=significant(losses.mean()), deviation=significant(losses.std())
    )


def _quantiles(numbers: Floats, shares: Sequence[float]) -> tuple[float, ...]:
    return (
        tuple(significant(value) for value in np.quantile(numbers, shares)) if numbers.size else ()
    )
