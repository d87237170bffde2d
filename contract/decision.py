"""The decision of a day: is the model still good, did the world change, what should happen.

Written once a day by monitoring (`PROBLEM/monitoring/YYYY-MM-DD/decision.json`), read by the DAG,
the command, the pages, and by monitoring itself on later days. Three questions stay apart: did the
data change (drift), is the data broken (quality), would a new model be better (performance, probe).
"""

from datetime import date
from typing import Literal

from pydantic import AwareDatetime, Field

from contract.artifacts import Sha256
from contract.drift import ColumnDrift, Multivariate
from contract.faults import Fault
from contract.labels import LabelHealth, LossEstimate, SegmentLoss
from contract.performance import Effect, Performance, Probe
from contract.strict import Strict

Outcome = Literal["ok", "watch", "warn", "retrain", "blocked_data_quality", "insufficient_data"]
Reason = Literal["performance", "benefit", "drift", "age"]
Suppression = Literal[
    "mode",
    "recent_block",
    "cooldown",
    "max_per_30d",
    "min_new_labels",
    "regime",
    "breaker",  # retrainings in a row did not help
    "in_flight",  # another retraining has not ended yet
    "superseded",  # a later day was decided already
    "judged_days",  # the change has too few labelled days yet to judge a new model by
]


class Window(Strict):
    """The served rows that the decision rests on."""

    days: tuple[date, ...]
    rows: int
    rows_of_day: int
    excluded: tuple[date, ...] = ()
    """Days whose data were blocked."""


class Decision(Strict):
    """What monitoring decided for one day, and everything that it was decided on."""

    schema_version: Literal[1] = 1
    problem: str
    day: date
    at: AwareDatetime
    """The end of the day: nothing later was looked at."""
    run: str
    """The monitoring run that decided; it may decide several days."""
    digest: Sha256 | None
    """The champion of the day."""
    verdict: Outcome
    reason: Reason | None
    sentence: str
    """Why, for the person who reads it at 06:00."""
    next: str
    """What happens now."""
    retrain: bool
    suppressed_by: Suppression | None
    key: str | None
    """The name of the retraining that this decision asks for: the same day, the same name."""
    drift_detected: bool
    alarm: bool
    """True where the unlabelled signals alone would ask for a confirmation."""
    drifted_columns: tuple[ColumnDrift, ...] = ()
    """By impact."""
    other_columns: tuple[ColumnDrift, ...] = ()
    prediction: ColumnDrift | None = None
    """Of the score; of several classes' scores the one that moved most."""
    impact: float = 0.0
    """Sum of the importance of the drifted columns."""
    multivariate: Multivariate | None = None
    performance: Performance | None = None
    probe: Probe | None = None
    labels: LabelHealth | None = None
    """None where labels cannot be joined, or in records of earlier versions."""
    estimate: LossEstimate | None = None
    segments: tuple[SegmentLoss, ...] = ()
    """The worst ones, most changed first; they name a cause and trigger nothing."""
    dq: tuple[Fault, ...] = ()
    window: Window
    thresholds: dict[str, float] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()
    """What could not be looked at, and why."""
    finding: str | None = None
    """What the owner should know, by an id that stays the same as long as it lasts: `retrain:REASON`
    (wanted, also while something holds it back), `approve:REASON`, `suggest:REASON`,
    `breaker:REASON`, `blocked:SUBJECT` (a column, or a check of all rows), `no_rows`, `few_rows`,
    `drift` (an alarm without labels, or a large drift that labels do not clear); None: nothing."""
    further_findings: dict[str, str] = Field(default_factory=dict)
    """Further ones of the day, by id, each with its sentence."""
    impact_value: float | None = None
    """What the finding costs a row, in the unit of `performance`: loss above the baseline."""
    onset: date | None = None
    """First day of the change, as labelled days show it; None: no change is seen."""
    replay: bool | None = None
    """Whether the retraining fits the champion's plan anew (True) or searches; None: none asked."""
    effect: Effect | None = None
    """Of the newest promotion; None before labels of the days after it are known."""
    useless: int = 0
    """Retrainings in a row that did not help, as of the day."""
    is_brief: bool = False
    """True where the day was too long ago to be looked at: the record only says so."""
