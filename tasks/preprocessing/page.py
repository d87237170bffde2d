"""The page that shows the role and the values of each column."""

import pyarrow as pa

from contract.run import Run
from methods.columns.schema import Schema
from pages import Alert, Facts, PageSection, Status, TableBlock, format_share, format_value, render
from pages.blocks import Block
from tasks.preprocessing.prepare import PreparedRows

EXAMPLE_CHARACTERS = 40
DAYS_NAMED = 7


def page(run: Run, prepared: PreparedRows, schema: Schema) -> str:
    """Return the page: roles, missing values, an example of each column."""
    table = prepared.table
    silent = [column.name for column in schema.columns if column.role in {"id", "constant"}]
    facts = {
        "rows": table.num_rows,
        "without a label": prepared.unlabelled,
        "features": len(schema.columns) - len(silent),
        "task": schema.task,
    }
    blocks: list[Block] = [Facts(facts)]
    if prepared.left_out:
        named = ", ".join(prepared.left_out)
        blocks.append(
            Alert("warn", f"No model reads the type of {named}; unfold it at the source.")
        )
    if prepared.faults.days:
        blocks.append(Alert("warn", _blocked(prepared)))
    if prepared.faults.retired:
        named = ", ".join(sorted(prepared.faults.retired))
        blocks.append(
            Alert(
                "neutral", f"{named} no longer comes with requests and was left out, as accepted."
            )
        )
    rows = [
        [
            column.name,
            column.role,
            column.type,
            column.unit or "",
            format_share(_missing(table[column.name])),
            "yes" if column.required else "no",
            _example(table[column.name]),
        ]
        for column in schema.columns
    ]
    names = ["column", "role", "type", "unit", "missing", "required", "example"]
    return render(
        f"Preprocessing of {run.name}",
        status=Status("warn" if prepared.left_out else "good", "prepared"),
        lead=f"{format_value(table.num_rows)} labelled rows with {facts['features']} features that a model can learn from.",
        sections=[
            PageSection("The table", *blocks),
            PageSection(
                "Its columns",
                TableBlock(
                    names, rows, highlight=[i for i, r in enumerate(rows) if r[0] in silent]
                ),
                note="Roles are inferred from development rows; columns of the problem file override.",
            ),
            PageSection(
                "What is predicted",
                Facts(
                    {"target": schema.target, "classes": ", ".join(schema.classes) or "a number"}
                ),
            ),
        ],
        footer={"problem": run.name, "run": run.run_id, "known by": run.window_end},
    )


def _blocked(prepared: PreparedRows) -> str:
    """Say which days are left out, and how many rows."""
    days = prepared.faults.days
    named = ", ".join(map(str, days[:DAYS_NAMED]))
    more = f" and {len(days) - DAYS_NAMED} more" if len(days) > DAYS_NAMED else ""
    return (
        f"{format_value(prepared.blocked)} labelled rows were left out: monitoring blocked the data "
        f"of {named}{more}."
    )


def _missing(column: pa.ChunkedArray) -> float:
    return float(column.null_count) / max(1, len(column))


def _example(column: pa.ChunkedArray) -> str:
    present = column.drop_null()
    return str(present[0].as_py())[:EXAMPLE_CHARACTERS] if len(present) else ""
