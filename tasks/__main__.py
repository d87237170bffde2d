"""The command of every stage: `python -m tasks STAGE …`."""

import sys
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from contract.errors import AskedWrongly
from contract.runtime.exit import Leave
from contract.runtime.process import start
from contract.runtime.task import Task
from contract.stages import STAGES

# Not a stage of the cycle: it writes the first problem file from a person's data.
OTHERS = ("suggestion",)


def find(name: str) -> Task[Any, Any, Any]:
    """Import one stage and nothing of the others.

    Raises:
        AskedWrongly: there is no such stage.
    """
    known = (*STAGES, *OTHERS)
    if name not in known:
        close = get_close_matches(name, known, n=1)
        meant = f"did you mean {close[0]!r}? " if close else ""
        raise AskedWrongly(f"There is no stage {name!r}; {meant}Stages: {', '.join(known)}.")
    task: Task[Any, Any, Any] = import_module(f"tasks.{name}.task").task
    return task


if __name__ == "__main__":
    sys.exit(Leave().run(lambda: start(sys.argv[1:], find)))
