"""What the laptop's service should serve, and where it listens: two small documents in the store.

`PROBLEM/rollout.json` is moved by compare-and-swap, by deployment and by `perennial rollback`; the
service follows it. It says what should serve; `PROBLEM/champion.json` moves only once it does.
"""

from typing import Annotated

from pydantic import AwareDatetime, NonNegativeInt, PositiveInt, StringConstraints

from contract.artifacts import Sha256
from contract.strict import Strict


class Rollout(Strict):
    """`PROBLEM/rollout.json`: the model that the service should take."""

    digest: Sha256 | None
    """None: no model at all, as before the first deployment."""
    nonce: str
    """New at every write, so that a compare-and-swap never meets an equal body."""
    at: AwareDatetime
    """The run's `window_end`, or the moment of a rollback by hand."""


class ServiceAddress(Strict):
    """`PROBLEM/service.json`: written by the service when it listens."""

    url: Annotated[str, StringConstraints(pattern=r"^https?://[^/]+$")]
    pid: PositiveInt
    started: AwareDatetime


class Tally(Strict):
    """What a service process has answered the world with one model since it began.

    Part of what `/info` tells; a deployment's own requests are left out.
    """

    statuses: dict[int, NonNegativeInt]
    """Answers by HTTP status: 200, 422 for rows that do not fit, 500 and 503 for its own failures."""
    edges: tuple[float, ...]
    """Seconds, ascending; k edges make k + 1 buckets, and an edge belongs to the one before it."""
    seconds: tuple[NonNegativeInt, ...]
    """Answers in each bucket of time."""
    scores: dict[int, NonNegativeInt]
    """Scores in each cell; cells are numbered in the order of the scores, or of the classes."""
