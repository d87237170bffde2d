"""Progress of a run: a live table on a terminal, else one line for each stage that ends."""

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from contract.facts import describe_facts
from contract.formatting import plain_text
from perennial.console import Console
from perennial.runs import TASK_ENDED, TaskProgress

if TYPE_CHECKING:
    from rich.table import Table

COLOURS = {"success": "green", "failed": "red", "running": "cyan", "up_for_retry": "yellow"}
USUAL_OUTCOMES = {"", "made"}  # not worth showing
STATE_LABELS = {"success": "done", "up_for_retry": "tries again"}
NOT_RUN = {"skipped", "upstream_failed", "removed"}
MAX_FACTS = 4  # arbitrary: what fits into a line
REFRESHES_PER_SECOND = 4


@contextlib.contextmanager
def live_progress(console: Console) -> Iterator[Callable[[list[TaskProgress]], None]]:
    """Yield the function that `runs.follow` calls with its steps."""
    if not console.progress.is_terminal:
        yield _lines(console)
        return
    from rich.live import Live  # noqa: PLC0415 - only a terminal pays

    with Live(console=console.progress, refresh_per_second=REFRESHES_PER_SECOND) as live:
        yield lambda steps: live.update(_table(steps))


def fact_line(step: TaskProgress) -> str:
    """Return a step's error, or its outcome and first facts, as one line.

    >>> fact_line(TaskProgress("collection", "success", 1.0, 1, facts={"rows": 336776, "new_rows": 10}))
    'rows 336,776 · new rows 10'
    """
    if step.why:
        return step.why
    parts = [] if step.outcome in USUAL_OUTCOMES else [step.outcome]
    parts += describe_facts(step.facts)
    return plain_text(" · ".join(parts[:MAX_FACTS]))


def _lines(console: Console) -> Callable[[list[TaskProgress]], None]:
    live_progress: set[tuple[str, int, str]] = set()

    def show(steps: list[TaskProgress]) -> None:
        for step in steps:
            key = (step.name, step.tries, step.state)
            has_changed = step.state in TASK_ENDED - NOT_RUN or step.state == "up_for_retry"
            if step.is_stage and has_changed and key not in live_progress:
                live_progress.add(key)
                label = STATE_LABELS.get(step.state, step.state.replace("_", " "))
                console.print(f"{step.name:<14}{label:<12}{step.seconds:7.1f} s  {fact_line(step)}")

    return show


def _table(steps: list[TaskProgress]) -> "Table":
    from rich.table import Table  # noqa: PLC0415 - only a terminal pays
    from rich.text import Text  # noqa: PLC0415 - as above

    table = Table(box=None, pad_edge=False, show_header=False)
    for _ in range(4):
        table.add_column(overflow="fold")
    table.columns[2].justify = "right"
    for step in steps:
        if not step.is_stage or step.state in NOT_RUN:
            continue
        colour = COLOURS.get(step.state, "dim")
        label = STATE_LABELS.get(step.state, step.state.replace("_", " "))
        seconds = f"{step.seconds:.1f} s"
        table.add_row(step.name, Text(label, style=colour), seconds, Text(fact_line(step)))
    return table
