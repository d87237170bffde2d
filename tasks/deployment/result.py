"""What a deployment observed and decided, as the later reader of the run's artifacts gets it."""

from typing import Literal

from contract.artifacts import Sha256
from contract.strict import Strict
from tasks.deployment.canary.comparison import Step
from tasks.deployment.latency import Latency
from tasks.deployment.verification import GoldenRowCheck


class ServiceObservations(Strict):
    """What was observed while a model came into service, as far as it came."""

    url: str | None = None
    canary: GoldenRowCheck | None = None
    """None: it did not come so far."""
    latency_p99: float | None = None
    """Seconds, measured at the service; None as above."""
    latency: Latency | None = None
    """Beside empty requests; None as above, and in documents of earlier versions."""
    steps: tuple[Step, ...] = ()
    """Of a canary, as far as this try saw them; none: it was rolled out at once."""


class Deployed(ServiceObservations):
    """The document `deployed`."""

    digest: Sha256
    previous: Sha256 | None
    """Who served before; None at the first deployment."""
    outcome: Literal["deployed", "returned"]
    """`returned`: the service went back to `previous`."""
    reason: str
