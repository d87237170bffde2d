"""The three ways in which a task may end other than well; each carries its exit code.

Anything that is not one of these is a bug and keeps its traceback.
A message is one sentence: what was found, what was expected, what to do.
"""

from typing import ClassVar


class PerennialError(Exception):
    """An end that a person or a scheduler can act on."""

    exit_code: ClassVar[int] = 1


class AskedWrongly(PerennialError):
    """The inputs, parameters or problem file do not validate; asking again changes nothing."""

    exit_code = 2


class NotFound(AskedWrongly):
    """A named object is not in the store."""


class Refused(PerennialError):
    """The data or the model is not good enough to go on with."""

    exit_code = 3


class TryAgain(PerennialError):
    """Storage or network is away for now (EX_TEMPFAIL of sysexits.h)."""

    exit_code = 75


class Conflict(TryAgain):
    """A compare-and-swap lost against another writer; read again, then decide."""
