"""What a task's process shares with its caller: the result's file, moments in the log, SIGTERM."""

import os
import signal
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from contract.canonical_json import canonical_json

RESULT_VARIABLE = "STAGE_RESULT"
RESULT_BYTES = 3_000  # a pod's termination message holds 4,096 bytes


def write_result(value: dict[str, Any]) -> None:
    """Write `value` as JSON to the file `$STAGE_RESULT`, where the caller has named one."""
    path = os.environ.get(RESULT_VARIABLE)
    if path:
        Path(path).write_bytes(canonical_json(value))


def now() -> str:
    """Return the time in UTC: whoever carries the log line on may stamp it seconds later."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def end_with_the_group() -> None:
    """On SIGTERM end the whole process group: a task may be PID 1, and may have children."""

    def end(_signal: int, _frame: FrameType | None) -> NoReturn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if os.getpgrp() == os.getpid():
            os.killpg(0, signal.SIGTERM)
        raise SystemExit(128 + signal.SIGTERM)

    signal.signal(signal.SIGTERM, end)
