"""What is said between a task of Airflow and the warm interpreter, which forks its stage for it.

One machine only. Over a socket of `$PERENNIAL_WARM`: the interpreter greets; the task answers with
`ForkRequest` and the end of a pipe for both streams of the stage; the interpreter tells the pid or why
it will not, and in the end the exit code. Whoever goes away ends the stage.
"""

from contract.strict import Strict

VARIABLE = "PERENNIAL_WARM"
MESSAGE_BYTES = 131_072  # below what Linux lets a message of a socket have (net.core.wmem_default)


class ForkRequest(Strict):
    """A process that is asked for."""

    words: tuple[str, ...]
    """Those behind `python -m tasks`."""
    environment: dict[str, str]
    """All of its environment."""
    folder: str
    """The folder that it stands in."""


class ForkReply(Strict):
    """What the interpreter says: nothing in its greeting, else one of these."""

    pid: int | None = None
    """Of the stage, which leads a session of its own."""
    code: int | None = None
    """The stage's exit code; minus the signal's number where one killed it."""
    refused: str | None = None
    """Why nothing was started."""
