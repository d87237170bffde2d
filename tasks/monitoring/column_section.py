"""The section of monitoring's page on which columns moved, and by how much."""

from collections.abc import Sequence

from contract.drift import ColumnDrift
from pages import Chart, Details, PageSection, Status, TableBlock, bars, format_share

COLUMNS_IN_CHART = 15


def column_section(columns: Sequence[ColumnDrift]) -> PageSection:
    """Draw the impact of each column, and list its figures."""
    shown = columns[:COLUMNS_IN_CHART]
    drifted = [index for index, column in enumerate(shown) if column.drifted]
    rows = [
        [
            column.name,
            _state(column),
            column.psi_corrected,
            column.limit,
            format_share(column.importance),
            column.impact,
            column.cause.replace("_", " "),
            format_share(column.missing_delta, signed=True),
        ]
        for column in columns
    ]
    head = ["column", "state", "PSI*", "limit", "importance", "impact", "cause", "missing"]
    return PageSection(
        "Which columns moved",
        Chart(
            bars(
                [column.name for column in shown],
                [column.impact for column in shown],
                title="Impact of each column",
                highlight=drifted,
            ),
            caption="Impact is importance times drift; the columns in colour have drifted.",
        ),
        Details("Every column", TableBlock(head, rows, highlight=drifted)),
    )


def _state(column: ColumnDrift) -> Status:
    if column.drifted:
        return Status("bad", "drifted")
    return Status("warn", "warned") if column.warned else Status("good", "steady")
