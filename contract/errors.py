"""The three ways in which a task may end other than well; each carries its exit code.

Anything that is not one of these is a bug and keeps its traceback.
A message is one sentence: what was found, what was expected, what to do.
"""

import errno
import os
from typing import ClassVar

_SPACE = (errno.ENOSPC, errno.EDQUOT)


class PerennialError(Exception):
    """An end that a person or a scheduler can act on."""

    exit_code: ClassVar[int] = 1


class InvalidRequest(PerennialError):
    """The inputs, parameters or problem file do not validate; asking again changes nothing."""

    exit_code = 2


class NotFound(InvalidRequest):
    """A named object is not in the store."""


class Refused(PerennialError):
    """The data or the model is not good enough to go on with."""

    exit_code = 3


class TryAgain(PerennialError):
    """Storage or network is away for now (EX_TEMPFAIL of sysexits.h)."""

    exit_code = 75


class Conflict(TryAgain):
    """A compare-and-swap lost against another writer; read again, then decide."""


def is_disk_full(error: BaseException) -> bool:
    """Tell whether there was no space left, as the system says it or a library in its words.

    >>> is_disk_full(OSError(errno.ENOSPC, "any")), is_disk_full(ValueError("a disk"))
    (True, False)
    >>> is_disk_full(RuntimeError("IO Error: cannot write: No space left on device"))
    True
    """
    if isinstance(error, OSError) and error.errno in _SPACE:
        return True
    return any(os.strerror(number) in str(error) for number in _SPACE)
