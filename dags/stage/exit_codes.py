"""What the end of a stage means: the exit codes' whole language, in one place.

Retried: 75, and a process or pod that was killed from outside. Not retried: what would end the
same way again. Nothing here knows Airflow.
"""

import signal
from enum import Enum

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
MEANING = {2: "asked wrongly", 3: "refused", 75: "try again"}


class Fate(Enum):
    """What Airflow does next."""

    SUCCESS = "success"
    FAIL = "fail"
    RETRY = "retry"


class Ending(Strict):
    """How a stage ended."""

    fate: Fate
    sentence: str
    """For a person; empty where all went well."""
    result: Result | None = None
    """Of a success."""


class _Why(Strict):
    why: str


def settle(code: int, written: bytes, last_line: str) -> Ending:
    """Tell what an exit code means.

    `written` is what the stage left in `$STAGE_RESULT`, `last_line` the last words of its log.
    An exit 0 without a result that can be read is a failure: what is not proved did not happen.
    """
    if code == 0:
        return _success(written)
    why = _why(written) or last_line[:WHY_CHARACTERS] or "it said nothing; see the log"
    if code in KILLED:
        return Ending(
            fate=Fate.RETRY,
            sentence=f"killed by {KILLED[code]} (out of memory, or a lost worker?): {why}",
        )
    meaning = MEANING.get(code, "a bug, with its traceback in the log")
    fate = Fate.RETRY if code == 75 else Fate.FAIL  # noqa: PLR2004 - EX_TEMPFAIL of sysexits.h
    return Ending(fate=fate, sentence=f"exit {code}, {meaning}: {why}")


def _success(written: bytes) -> Ending:
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
    return Ending(fate=Fate.SUCCESS, sentence="", result=result)


def _unproved(what: str) -> Ending:
    return Ending(
        fate=Fate.FAIL,
        sentence=f"exit 0, but it {what}; a stage must write its manifest's URI and sha256.",
    )


def _why(written: bytes) -> str:
    try:
        return _Why.model_validate_json(written).why[:WHY_CHARACTERS]
    except ValidationError:
        return ""
