"""A stage as a fork of the machine's prefork server, which saves it every import."""

import logging
import os
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from contract.runtime.prefork.fork_client import Fork, NotForked, fork
from contract.runtime.prefork.protocol import VARIABLE


class TaskLog(Protocol):
    """What is used of the log of a task in Airflow."""

    def log(self, level: int, event: str, /, *args: Any) -> Any:  # noqa: ANN401 - as Airflow types it
        """Write one message."""


def fork_stage(
    arguments: Sequence[str], environment: Mapping[str, str], log: TaskLog
) -> Fork | None:
    """Return a process of the server at `$PERENNIAL_WARM`; None where none is to be had.

    The task's log says why there is none: as a warning where it is a fault that makes every
    stage slower.
    """
    path = os.environ.get(VARIABLE)
    if not path:
        return None
    try:
        return fork(path, arguments, environment, environment["PYTHONPATH"])
    except NotForked as why:
        level = logging.WARNING if why.is_fault else logging.INFO
        log.log(level, "This stage starts an interpreter of its own: %s", why)
        return None
