"""Follows a run in Airflow: which stage is at work, how long, what it said when it ended."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from contract.stages import STAGES
from perennial.clients.airflow_api import ENDED, Airflow, DagRun, TaskInstance, patiently

LOOK_SECONDS = 1.0
LIST_EVERY = 3  # looks: a list of tasks costs the API server 30 ms of CPU, the run's state a few
TASK_ENDED = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})
_EXIT = re.compile(r"\bexit (\d+)\b")
BUG = 1


@dataclass(frozen=True)
class TaskProgress:
    """One task of a run, as far as it got."""

    name: str
    state: str
    seconds: float
    tries: int
    outcome: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    manifest: str = ""
    why: str = ""
    """Of a task that did not end well: its sentence."""

    @property
    def is_stage(self) -> bool:
        """Whether it is one of the twelve, and not the schedule's own."""
        return self.name in STAGES


@dataclass(frozen=True)
class Followed:
    """A run that ended."""

    dag: str
    run: str
    state: str
    seconds: float
    steps: tuple[TaskProgress, ...]

    @property
    def exit_code(self) -> int:
        """0 for a good end; else what the failed stage ended with, 1 where it cannot be told."""
        if self.state == "success":
            return 0
        return next((exit_code(step.why) for step in self.failed), BUG)

    @property
    def failed(self) -> list[TaskProgress]:
        """The tasks that failed by themselves."""
        return [step for step in self.steps if step.state == "failed"]

    def step(self, name: str) -> TaskProgress | None:
        """Return the task of that name that ended well."""
        found = (step for step in self.steps if step.name == name and step.state == "success")
        return next(found, None)


def exit_code(sentence: str) -> int:
    """Return the exit code that a failed stage's sentence tells.

    >>> exit_code("validation: exit 3, refused: 5 % of the rows are bad")
    3
    >>> exit_code("tuning: killed by SIGKILL (out of memory, or a lost worker?)")
    75
    """
    found = _EXIT.search(sentence)
    if found:
        return int(found[1])
    return 75 if "killed by" in sentence else BUG


def follow(
    airflow: Airflow,
    dag: str,
    run: str,
    look: Callable[[list[TaskProgress]], None],
    *,
    is_watched: bool = True,
) -> Followed:
    """Watch a run until it ends; `look` is shown the tasks that began, every few seconds.

    Where nobody watches it asks half as often: to be asked is a twentieth of what a run costs.

    Raises:
        TryAgain: Airflow stayed away.
    """
    told: dict[tuple[str, int, str], TaskProgress] = {}
    number = 0
    while True:
        state: DagRun = patiently(lambda: airflow.run(dag, run))
        has_ended = state.state in ENDED
        if has_ended or number % LIST_EVERY == 0:
            tasks: list[TaskInstance] = patiently(lambda: airflow.tasks(dag, run))
            steps = [_step(airflow, dag, run, task, told) for task in tasks if task.state]
            look(steps)
        if has_ended:
            seconds = _seconds(state.start_date, state.end_date)
            return Followed(dag, run, state.state, seconds, tuple(steps))
        number += 1
        time.sleep(LOOK_SECONDS if is_watched else 2 * LOOK_SECONDS)


def _step(
    airflow: Airflow,
    dag: str,
    run: str,
    task: TaskInstance,
    told: dict[tuple[str, int, str], TaskProgress],
) -> TaskProgress:
    """Return the task's step; what it said is asked once."""
    state = str(task.state)
    known = told.get((task.task_id, task.try_number, state))
    if known is not None:
        return known
    result: dict[str, Any] = {}
    why = ""
    if state == "success" and task.task_id in STAGES:
        found = patiently(lambda: airflow.xcom(dag, run, task.task_id))
        result = found if isinstance(found, dict) else {}
    elif state in {"failed", "up_for_retry"}:
        found = patiently(lambda: airflow.xcom(dag, run, task.task_id, "why"))
        why = str(found or "it said nothing; its log is in Airflow's pages")
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
        told[task.task_id, task.try_number, state] = step
    return step


def _seconds(start: datetime | None, end: datetime | None) -> float:
    if start is None:
        return 0.0
    return round(((end or datetime.now(UTC)) - start).total_seconds(), 2)
