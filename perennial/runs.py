"""Follows a run in Airflow: its stages, how long each took, and what each reported."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from contract.stages import STAGES
from perennial.clients.airflow_api import ENDED, Airflow, DagRun, TaskInstance, retry_while_away

LIST_EVERY = 3  # polls: a list of tasks costs the API server 30 ms of CPU, the run's state a few
TASK_ENDED = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})
_EXIT = re.compile(r"\bexit (\d+)\b")
BUG = 1


@dataclass(frozen=True)
class TaskProgress:
    """State of one task of a run."""

    name: str
    state: str
    seconds: float
    tries: int
    outcome: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    manifest: str = ""
    why: str = ""
    """Of a task that failed: its message."""

    @property
    def is_stage(self) -> bool:
        """Whether it is a stage of the lifecycle, and not a helper task of the DAG."""
        return self.name in STAGES


@dataclass(frozen=True)
class FinishedRun:
    """A run that ended."""

    dag: str
    run: str
    state: str
    seconds: float
    steps: tuple[TaskProgress, ...]

    @property
    def exit_code(self) -> int:
        """0 for success; else the exit code of the failed stage, 1 where it is not known."""
        if self.state == "success":
            return 0
        return next((exit_code(step.why) for step in self.failed), BUG)

    @property
    def failed(self) -> list[TaskProgress]:
        """The tasks that failed by themselves."""
        return [step for step in self.steps if step.state == "failed"]

    @property
    def results(self) -> dict[str, TaskProgress]:
        """The stages that reported an outcome, by name."""
        return {step.name: step for step in self.steps if step.outcome}

    def step(self, name: str) -> TaskProgress | None:
        """Return the task of that name that succeeded; None without one."""
        matching = (s for s in self.steps if s.name == name and s.state == "success")
        return next(matching, None)


def exit_code(sentence: str) -> int:
    """Return the exit code that a failed stage's message contains.

    >>> exit_code("validation: exit 3, refused: 5 % of the rows are bad")
    3
    >>> exit_code("tuning: killed by SIGKILL (out of memory, or a lost worker?)")
    75
    """
    match = _EXIT.search(sentence)
    if match:
        return int(match[1])
    return 75 if "killed by" in sentence else BUG


def follow(
    airflow: Airflow,
    dag: str,
    run: str,
    show: Callable[[list[TaskProgress]], None],
    *,
    is_interactive: bool = True,
) -> FinishedRun:
    """Poll a run until it ends; `show` gets the tasks that have started, every few seconds.

    Without a terminal it polls half as often: answering costs a twentieth of a run's CPU.

    Raises:
        TryAgain: Airflow was unreachable for too long.
    """
    ended_steps: dict[tuple[str, int, str], TaskProgress] = {}
    number = 0
    while True:
        state: DagRun = retry_while_away(lambda: airflow.run(dag, run))
        has_ended = state.state in ENDED
        if has_ended or number % LIST_EVERY == 0:
            tasks: list[TaskInstance] = retry_while_away(lambda: airflow.tasks(dag, run))
            steps = [_step(airflow, dag, run, task, ended_steps) for task in tasks if task.state]
            show(steps)
        if has_ended:
            seconds = _seconds(state.start_date, state.end_date)
            return FinishedRun(dag, run, state.state, seconds, tuple(steps))
        number += 1
        time.sleep(airflow.waits.poll if is_interactive else 2 * airflow.waits.poll)


def _step(
    airflow: Airflow,
    dag: str,
    run: str,
    task: TaskInstance,
    ended_steps: dict[tuple[str, int, str], TaskProgress],
) -> TaskProgress:
    """Return the task's progress; the result of a task that ended is fetched once."""
    state = str(task.state)
    known = ended_steps.get((task.task_id, task.try_number, state))
    if known is not None:
        return known
    result: dict[str, Any] = {}
    why = ""
    if state == "success" and task.task_id in STAGES:
        value = retry_while_away(lambda: airflow.xcom(dag, run, task.task_id))
        result = value if isinstance(value, dict) else {}
    elif state in {"failed", "up_for_retry"}:
        message = retry_while_away(lambda: airflow.xcom(dag, run, task.task_id, "why"))
        why = str(message or "it left no message; its log is in Airflow's pages")
    step = TaskProgress(
        name=task.task_id,
        state=state,
        seconds=_seconds(task.start_date, task.end_date),
        tries=task.try_number,
        outcome=str(result.get("outcome", "")),
        facts=dict(result.get("facts", {})),
        manifest=str(result.get("manifest", "")),
        why=why,
    )
    if state in TASK_ENDED:
        ended_steps[task.task_id, task.try_number, state] = step
    return step


def _seconds(start: datetime | None, end: datetime | None) -> float:
    if start is None:
        return 0.0
    return round(((end or datetime.now(UTC)) - start).total_seconds(), 2)
