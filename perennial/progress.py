"""A run before a person's eyes: a table that changes on a terminal, a line an end elsewhere."""

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from perennial.console import Console, plain
from perennial.runs import TASK_ENDED, TaskProgress

if TYPE_CHECKING:
    from rich.table import Table

COLOURS = {"success": "green", "failed": "red", "running": "cyan", "up_for_retry": "yellow"}
MADE = {"", "made"}  # outcomes that say nothing
WORDS = {"success": "done", "up_for_retry": "tries again"}
NOT_RUN = {"skipped", "upstream_failed", "removed"}
MOST_FACTS = 4  # arbitrary: what fits into a line
LOOKS_A_SECOND = 4


@contextlib.contextmanager
def shown(speech: Console) -> Iterator[Callable[[list[TaskProgress]], None]]:
    """Yield what `following.follow` shows its steps to."""
    if not speech.progress.is_terminal:
        yield _lines(speech)
        return
    from rich.live import Live  # noqa: PLC0415 - only a terminal pays

    with Live(console=speech.progress, refresh_per_second=LOOKS_A_SECOND) as live:
        yield lambda steps: live.update(_table(steps))


def fact_line(step: TaskProgress) -> str:
    """Return what a step has to say in one line.

    >>> fact_line(TaskProgress("collection", "success", 1.0, 1, facts={"rows": 336776, "new_rows": 10}))
    'rows 336,776 · new rows 10'
    """
    if step.why:
        return step.why
    words = [] if step.outcome in MADE else [step.outcome]
    simple = {k: v for k, v in step.facts.items() if isinstance(v, str | int | float)}
    words += [f"{name.replace('_', ' ')} {plain(value)}" for name, value in simple.items()]
    return " · ".join(words[:MOST_FACTS])


def _lines(speech: Console) -> Callable[[list[TaskProgress]], None]:
    said: set[tuple[str, int, str]] = set()

    def look(steps: list[TaskProgress]) -> None:
        for step in steps:
            mark = (step.name, step.tries, step.state)
            is_news = step.state in TASK_ENDED - NOT_RUN or step.state == "up_for_retry"
            if step.is_stage and is_news and mark not in said:
                said.add(mark)
                word = WORDS.get(step.state, step.state.replace("_", " "))
                speech.say(f"{step.name:<14}{word:<12}{step.seconds:7.1f} s  {fact_line(step)}")

    return look


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
        word = WORDS.get(step.state, step.state.replace("_", " "))
        seconds = f"{step.seconds:.1f} s"
        table.add_row(step.name, Text(word, style=colour), seconds, Text(fact_line(step)))
    return table
