"""The messages between a task of Airflow and the server that forks the stage's process for it.

One machine only. Over the socket at `$PERENNIAL_WARM`: the server greets with an empty `ForkReply`;
the client sends a `ForkRequest` and the writing end of a pipe for both streams of the stage; the
server replies with the pid or a refusal, and at the end with the exit code. Where client or server
ends first, the stage is ended.
"""

from contract.strict import Strict

VARIABLE = "PERENNIAL_WARM"
MESSAGE_BYTES = 131_072  # below what Linux lets a message of a socket have (net.core.wmem_default)


class ForkRequest(Strict):
    """A process that is requested."""

    arguments: tuple[str, ...]
    """Those behind `python -m tasks`."""
    environment: dict[str, str]
    """All of its environment."""
    folder: str
    """Its working directory."""


class ForkReply(Strict):
    """A message of the server: empty as its greeting, else one of these."""

    pid: int | None = None
    """Of the stage, which leads a session of its own."""
    code: int | None = None
    """The stage's exit code; minus the signal's number where one killed it."""
    refused: str | None = None
    """Why nothing was started."""
    is_stale: bool = False
    """It is refused because code was edited, which is usual: the server ends and is started anew."""
