"""The record of a rehearsed day: what was served, what was decided, what was done about it."""

from datetime import date

from contract.artifacts import Sha256
from contract.strict import Strict


class LifecycleRun(Strict):
    """A run of the lifecycle that a day's decision has started."""

    run: str
    reason: str
    outcome: str
    """`deployed`, `returned`, `refused` (by the gate, or by a stage), or `failed`."""
    sentence: str
    """Why."""
    digest: Sha256 | None = None
    """The model that it made; None: it came not so far."""


class RehearsedDay(Strict):
    """One line of `days.jsonl`."""

    number: int
    day: date
    rows: int
    """Rows that were answered."""
    refused_rows: int = 0
    """Rows that were answered 422."""
    digest: Sha256 | None
    """The model at the day's end."""
    loss: float | None = None
    """Mean proper loss of the answered rows, by their truth; None: no truth is known."""
    first_loss: float | None = None
    """The same, had the first model gone on serving."""
    best_loss: float | None = None
    """The same of the true probabilities; of made-up worlds only."""
    value: float | None = None
    """Mean worth of a decision, in the unit of `metric.value`; None: it declares none."""
    first_value: float | None = None
    """The same, had the first model gone on serving."""
    verdict: str | None = None
    reason: str | None = None
    suppressed_by: str | None = None
    sentence: str = ""
    faults: tuple[str, ...] = ()
    """`CHECK COLUMN` of each fault of the data."""
    drifted: tuple[str, ...] = ()
    """Columns that were called drifted."""
    change: float | None = None
    """Measured rise of the loss above the baseline, as a share; None: no loss was measured."""
    told: tuple[str, ...] = ()
    """`EVENT FINDING` of each message that the owner got on the next morning."""
    run: LifecycleRun | None = None
    cpu_seconds: float = 0.0
    """Of all that the day cost, the lifecycle included."""
