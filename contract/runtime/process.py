"""The process of a task, as its caller sees it.

    python -m tasks STAGE --take NAME=URI#OUTPUT@sha256:HEX … --params FILE|JSON --out URI

Exit codes are the whole language between a task and its caller: 0 made everything, 2 asked
wrongly, 3 refused, 75 try again; anything else is a bug with its traceback.
"""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

from contract.canonical_json import canonical_json
from contract.errors import AskedWrongly
from contract.log import configure, log

if TYPE_CHECKING:
    from contract.runtime.task import Task

RESULT_VARIABLE = "STAGE_RESULT"
RESULT_BYTES = 3_000  # a pod's termination message holds 4,096 bytes


def start(argv: Sequence[str], find: Callable[[str], "Task[Any, Any, Any]"]) -> int:
    """Run `STAGE …` of the command line; `find` imports a stage by name."""
    configure()
    if not argv or argv[0] in {"-h", "--help"}:
        sys.stdout.write((__doc__ or "") + "\n")
        return 0
    # The stage's libraries take seconds to import: whoever looks now should see that it has begun.
    log("tasks").info("task begins", task=argv[0], at=now())
    try:
        task = find(argv[0])
    except AskedWrongly as error:
        tell({"why": str(error)})
        log("tasks").error("task ended", exit=error.exit_code, why=str(error))
        return error.exit_code
    return task.main(argv[1:])


def tell(value: dict[str, Any]) -> None:
    """Leave `value` as JSON where the caller looks for it, if it said where."""
    path = os.environ.get(RESULT_VARIABLE)
    if path:
        Path(path).write_bytes(canonical_json(value))


def now() -> str:
    """Return the moment: whoever carries the line on may stamp it seconds later."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def end_with_the_group() -> None:
    """On SIGTERM end the whole process group: a task may be PID 1, and may have children."""

    def end(_signal: int, _frame: FrameType | None) -> NoReturn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if os.getpgrp() == os.getpid():
            os.killpg(0, signal.SIGTERM)
        raise SystemExit(128 + signal.SIGTERM)

    signal.signal(signal.SIGTERM, end)
