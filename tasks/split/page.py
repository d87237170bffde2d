"""The page that shows which rows teach, choose and judge."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from contract.run import Run
from methods.split.assignment import Assignment
from methods.split.parts import MICROSECONDS, TRAIN, VALIDATION, VAULT, SplitRule, microseconds
from pages import Facts, PageSection, Paragraph, Status, TableBlock, render, share
from pages.blocks import Block

_WORDS = {
    "time": "Cut by time: a model is judged on rows later than those it has learned from.",
    "hash": "Cut by a hash of the key: a row keeps its part in every later run.",
    "group": "Cut by a hash of the group: no group stands in two parts.",
}
_PURPOSE = {TRAIN: "teaches", VALIDATION: "chooses", VAULT: "judges, once a run"}


def split_page(
    run: Run, table: pa.Table, rule: SplitRule, made: Assignment, means: dict[str, float | None]
) -> str:
    """Return the page; for times, from when to when each part reaches."""
    rows = made.rows()
    times = microseconds(table[rule.event_time]) if rule.event_time else None
    lines = [
        [
            name,
            _PURPOSE[name],
            count,
            share(count / len(made.part)),
            means[name],
            *_reach(times, made.part == name),
            len(np.unique(made.block[made.part == name])),
        ]
        for name, count in rows.items()
    ]
    reach = ["from", "to"] if times is not None else []
    names = ["part", "purpose", "rows", "share", "mean of the target", *reach, "blocks"]
    resting = len(made.part) - sum(rows.values())
    blocks: list[Block] = [TableBlock(names, lines), Paragraph(_WORDS[rule.by])]
    if resting:
        blocks.append(Paragraph(f"{resting} rows rest in the gaps before the cuts."))
    folds = {f"fold {n}": int((made.fold == n).sum()) for n in range(int(made.fold.max()) + 1)}
    return render(
        f"Split of {run.name}",
        status=Status("good", rule.by),
        lead=f"{rows[TRAIN]} rows teach, {rows[VALIDATION]} choose, {rows[VAULT]} judge.",
        sections=[
            PageSection("The parts", *blocks, note="Nothing looks at the vault before the gate."),
            PageSection("Folds inside train", Facts(folds)),
        ],
        footer={"problem": run.name, "run": run.run_id, "known by": run.window_end},
    )


def _reach(times: np.ndarray | None, mask: np.ndarray) -> list[object]:
    if times is None:
        return []
    found = times[mask]
    ends = (int(found.min()), int(found.max()))
    return [
        datetime.fromtimestamp(end / MICROSECONDS, UTC).isoformat(" ", "minutes") for end in ends
    ]
