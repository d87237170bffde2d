"""One pass over a part's columns: counts on the grid, ranks in the reference, digests of the rows."""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from bundle.arrays import Floats
from methods.drift.histograms import (
    Grid,
    Histogram,
    bin_numbers,
    count,
    count_bins,
    empty,
    to_numbers,
    to_texts,
)
from methods.drift.relations import Ranks, ranks_of_bins, ranks_of_levels
from methods.drift.row_digests import Digests, digest_columns

# A date moves on by itself, and rows that come again with another one are still the same rows.
_DIGESTED = {"number", "category", "boolean", "text"}


@dataclass(frozen=True)
class CountedRows:
    """What the columns of a part of a day hold."""

    columns: dict[str, Histogram]
    absent: tuple[str, ...]
    """Columns that the reference has and the part has not."""
    ranks: dict[str, Ranks]
    """(n,) of the columns that have ranks."""
    digests: Digests
    """(n,) of the rows."""


def count_rows(
    table: pa.Table,
    columns: Mapping[str, tuple[Grid, Histogram]],
    levels: Mapping[str, tuple[int, ...]],
) -> CountedRows:
    """Count the columns of `table`, n rows.

    Args:
        table: the features under their own names.
        columns: grid and counts of the reference.
        levels: the ranks of a category's levels, where it has some.
    """
    counts: dict[str, Histogram] = {}
    absent: list[str] = []
    ranks: dict[str, Ranks] = {}
    digested: dict[str, Floats | pa.ChunkedArray] = {}
    for name, (grid, reference) in columns.items():
        if name not in table.column_names:
            absent.append(name)
            counts[name] = empty(grid, missing=table.num_rows)
            continue
        values = table.column(name)
        if grid.is_numeric:
            numbers = to_numbers(values, grid.kind)
            bins = bin_numbers(numbers, grid)
            counts[name] = count_bins(bins, grid)
            if grid.kind == "number":
                digested[name] = numbers
                if reference.present:
                    ranks[name] = ranks_of_bins(bins, reference)
                continue
        else:
            counts[name] = count(values, grid)
            if name in levels:
                ranks[name] = ranks_of_levels(values, grid, levels[name])
        if grid.kind in _DIGESTED:
            digested[name] = to_texts(values)
    return CountedRows(
        columns=counts,
        absent=tuple(absent),
        ranks=ranks,
        digests=digest_columns(digested, table.num_rows),
    )
