"""The command of every stage: `python -m tasks STAGE …`."""

import sys
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from contract.errors import InvalidRequest
from contract.runtime.command import run_task
from contract.runtime.exit import FastExit
from contract.runtime.task import Task
from contract.stages import TASKS


def find(name: str) -> Task[Any, Any, Any]:
    """Import one stage and nothing of the others.

    Raises:
        InvalidRequest: there is no such stage.
    """
    names = [spec.name for spec in TASKS]
    if name not in names:
        close = get_close_matches(name, names, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise InvalidRequest(f"There is no stage {name!r}; {hint}Stages: {', '.join(names)}.")
    task: Task[Any, Any, Any] = import_module(f"tasks.{name}.task").task
    return task


if __name__ == "__main__":
    sys.exit(FastExit().run(lambda: run_task(sys.argv[1:], find)))
