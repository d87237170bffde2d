"""The page that shows the training, validation and hold-out rows."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from contract.run import Run
from methods.split.assignment import Assignment
from methods.split.event_times import MICROSECONDS, microseconds
from methods.split.parts import TRAIN, VALIDATION, VAULT
from methods.split.rule import SplitRule
from pages import (
    Facts,
    PageSection,
    Paragraph,
    Status,
    TableBlock,
    format_share,
    format_value,
    render,
)
from pages.blocks import Block

_EXPLANATION = {
    "time": "Cut by time: a model is evaluated on rows later than those it was trained on.",
    "hash": "Cut by a hash of the key: a row keeps its part in every later run.",
    "group": "Cut by a hash of the group: no group stands in two parts.",
}
_PURPOSE = {
    TRAIN: "training",
    VALIDATION: "validation: settings, calibration, threshold",
    VAULT: "hold-out for the gate, used once a run",
}


def page(
    run: Run,
    table: pa.Table,
    rule: SplitRule,
    assignment: Assignment,
    means: dict[str, float | None],
) -> str:
    """Return the page; where there are event times, with the first and the last of each part."""
    rows = assignment.rows()
    times = microseconds(table[rule.event_time]) if rule.event_time else None
    lines = [
        [
            name,
            _PURPOSE[name],
            count,
            format_share(count / len(assignment.part)),
            means[name],
            *_first_and_last(times, assignment.part == name),
            len(np.unique(assignment.block[assignment.part == name])),
        ]
        for name, count in rows.items()
    ]
    time_columns = ["from", "to"] if times is not None else []
    names = ["part", "purpose", "rows", "share", "mean of the target", *time_columns, "blocks"]
    in_gaps = len(assignment.part) - sum(rows.values())
    blocks: list[Block] = [TableBlock(names, lines), Paragraph(_EXPLANATION[rule.by])]
    if in_gaps:
        blocks.append(
            Paragraph(
                f"{format_value(in_gaps)} rows lie in the gaps before the cuts and are not used."
            )
        )
    folds = {
        f"fold {n}": int((assignment.fold == n).sum())
        for n in range(int(assignment.fold.max()) + 1)
    }
    return render(
        f"Split of {run.name}",
        status=Status("good", rule.by),
        lead=f"{format_value(rows[TRAIN])} training rows, {format_value(rows[VALIDATION])} validation rows, "
        f"{format_value(rows[VAULT])} hold-out rows.",
        sections=[
            PageSection("The parts", *blocks, note="Only the gate reads the vault."),
            PageSection("Folds inside train", Facts(folds)),
        ],
        footer={"problem": run.name, "run": run.run_id, "known by": run.window_end},
    )


def _first_and_last(times: np.ndarray | None, mask: np.ndarray) -> list[object]:
    if times is None:
        return []
    part = times[mask]
    return [
        datetime.fromtimestamp(int(end) / MICROSECONDS, UTC) for end in (part.min(), part.max())
    ]
