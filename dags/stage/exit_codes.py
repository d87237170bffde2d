"""What the end of a stage means: the exit codes' whole language, in one place.

Retried: 75, and a process or pod that was killed from outside. Not retried: what would end the
same way again. Nothing here knows Airflow.
"""

import signal
from enum import Enum
from typing import Self

from pydantic import ValidationError

from contract.manifest import Result
from contract.runtime.process import RESULT_BYTES
from contract.strict import Strict

WHY_CHARACTERS = 600
KILLED = {
    -signal.SIGKILL: "SIGKILL",
    -signal.SIGTERM: "SIGTERM",
    128 + signal.SIGKILL: "SIGKILL",
    128 + signal.SIGTERM: "SIGTERM",
}
MEANING = {2: "invalid request", 3: "refused", 75: "try again"}


class NextState(Enum):
    """What Airflow does next."""

    SUCCESS = "success"
    FAIL = "fail"
    RETRY = "retry"


class StageResult(Strict):
    """How a stage ended."""

    next_state: NextState
    sentence: str
    """For a person; empty where all went well."""
    result: Result | None = None
    """Of a success."""

    @classmethod
    def failed(cls, sentence: str) -> Self:
        """Return one that is not tried again."""
        return cls(next_state=NextState.FAIL, sentence=sentence)

    @classmethod
    def retried(cls, sentence: str) -> Self:
        """Return one that is tried again."""
        return cls(next_state=NextState.RETRY, sentence=sentence)


class _Why(Strict):
    why: str


def interpret_exit(code: int, written: bytes, last_line: str) -> StageResult:
    """Return what an exit code means.

    `written` is the content of `$STAGE_RESULT`, `last_line` the last line of the stage's log.
    An exit 0 without a result that can be read is a failure: what is not proved did not happen.
    """
    if code == 0:
        return _success(written)
    why = _why(written) or last_line[:WHY_CHARACTERS] or "it wrote no message; see the log"
    if code in KILLED:
        return StageResult.retried(
            f"killed by {KILLED[code]} (out of memory, or a lost worker?): {why}"
        )
    meaning = MEANING.get(code, "a bug, with its traceback in the log")
    sentence = f"exit {code}, {meaning}: {why}"
    is_temporary = code == 75  # noqa: PLR2004 - EX_TEMPFAIL of sysexits.h
    return StageResult.retried(sentence) if is_temporary else StageResult.failed(sentence)


def _success(written: bytes) -> StageResult:
    if not written:
        return _unproved("left no result")
    if len(written) > RESULT_BYTES:
        return _unproved(
            f"left a result of {len(written)} bytes or more, {RESULT_BYTES} are let in"
        )
    try:
        result = Result.model_validate_json(written)
    except ValidationError:
        return _unproved("left a result that cannot be read")
    return StageResult(next_state=NextState.SUCCESS, sentence="", result=result)


def _unproved(what: str) -> StageResult:
    return StageResult.failed(
        f"exit 0, but it {what}; a stage must write its manifest's URI and sha256."
    )


def _why(written: bytes) -> str:
    try:
        return _Why.model_validate_json(written).why[:WHY_CHARACTERS]
    except ValidationError:
        return ""
