"""The champion of a problem: the model that serves, and what let it in."""

from pydantic import AwareDatetime

from contract.artifacts import Sha256
from contract.strict import Strict


class Champion(Strict):
    """The pointer `PROBLEM/champion.json`: the model that serves."""

    digest: Sha256
    run: str
    """The run that made it."""
    verdict: Sha256 | None
    """The verdict that let it in; None after a rollback by hand."""
    since: AwareDatetime
    """`window_end` of the run that deployed it."""
    nonce: str
    """New at every write, so that a compare-and-swap never meets an equal body."""
