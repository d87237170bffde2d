"""The section of monitoring's page that draws the columns' distributions, in the reference and now."""

from collections.abc import Sequence

from contract.drift import ColumnDrift
from methods.drift.bins import bins
from methods.drift.divergence import group
from methods.drift.profile import ColumnReference, DayProfile, ReferenceProfile
from pages import BlockGrid, Chart, PageSection, format_value, histogram_pair

PICTURES = 6  # columns whose distribution is drawn
LEVELS_DRAWN = 10  # categories in a picture


def picture_section(
    columns: Sequence[ColumnDrift], reference: ReferenceProfile, window: DayProfile
) -> PageSection:
    """Draw the first columns' distributions, each beside the reference's."""
    charts = []
    for column in columns[:PICTURES]:
        names, before, now = _cells(reference.columns[column.name], window, column.name)
        charts.append(Chart(histogram_pair(names, before, now, title=column.name)))
    return PageSection("Reference and now", BlockGrid(*charts))


def _cells(
    column: ColumnReference, window: DayProfile, name: str
) -> tuple[list[str], list[float], list[float]]:
    """Return names and counts of at most a dozen cells, missing last."""
    before, now = column.histogram, window.columns[name]
    if column.grid.is_numeric:
        groups = group(bins(before).astype(int))
        size = int(groups.max()) + 1
        names = [_lower_edge(column, groups.tolist(), index) for index in range(size)]
        counts = [
            [float(bins(each)[groups == index].sum()) for index in range(size)]
            for each in (before, now)
        ]
    else:
        kept = len(column.grid.levels[:LEVELS_DRAWN])
        names = [*column.grid.levels[:kept], "others"] if column.grid.levels else ["present"]
        counts = [
            [
                *map(float, each.counts[:kept]),
                float(sum(each.counts[kept:]) + each.rare + each.unseen),
            ]
            for each in (before, now)
        ]
    return (
        [*names, "missing"],
        [*counts[0], float(before.missing)],
        [*counts[1], float(now.missing)],
    )


def _lower_edge(column: ColumnReference, groups: Sequence[int], index: int) -> str:
    """Name a group of bins by its lower edge."""
    first = groups.index(index)
    return "least" if first == 0 else format_value(column.grid.edges[first - 1])
