"""What a day's verdict may rest on: counts and measures, nothing that has to be looked up."""

from datetime import date, timedelta
from typing import Literal

from pydantic import AwareDatetime, Field, NonNegativeInt, PositiveInt

from contract.artifacts import Sha256
from contract.decision import Window
from contract.drift import ColumnDrift, Multivariate
from contract.faults import Fault
from contract.labels import LabelHealth, LossEstimate, SegmentLoss
from contract.performance import DayLoss, Effect, Performance, Probe
from contract.strict import Strict
from methods.controller.policy import Policy


class RetrainingState(Strict):
    """What may hold a retraining back, as of the end of the day."""

    mode: Literal["off", "suggest", "approve", "auto"]
    cooldown_until: AwareDatetime | None
    """After the retraining before; later the more challengers in a row were refused."""
    retrains: NonNegativeInt
    """Asked for in the policy's `retrain_period` before."""
    max_retrains: PositiveInt
    new_labels: int | None
    """Labelled rows that the champion has not seen; None where it cannot be known."""
    min_new_labels: NonNegativeInt
    age: timedelta
    """Since the end of the champion's data."""
    max_age: timedelta
    age_with_labels: bool = False
    """True where `max_age` holds for a model whose loss is measured, too."""
    blocked_before: bool
    """True where one of the days before was blocked that must be in limits for a release."""
    in_flight: str | None = None
    """The key of another retraining that has not ended yet."""
    is_superseded: bool = False
    """True where a later day was decided already: this one was caught up out of turn."""
    useless: NonNegativeInt = 0
    """Retrains in a row that did not help."""
    useless_loss: float | None = None
    """Mean loss per row when the last of them was asked for; None where it was not measured."""
    replay: bool = True
    """Whether the next retraining replays the champion's plan; False: it searches."""


class Regime(Strict):
    """The day whose challenger was refused: its world is accepted until it changes again."""

    day: date
    distance: float
    """Largest corrected stability index of a drifted column between that window and this one."""
    loss: float | None
    """Mean loss per row at that time; None where it was not measured."""


class Evidence(Strict):
    """Everything that a day's verdict may rest on."""

    problem: str
    owner: str
    day: date
    at: AwareDatetime
    run: str
    digest: Sha256 | None
    window: Window
    shortage: str | None
    """Why there is too little data for a verdict, as a sentence; None: there is enough."""
    dq: tuple[Fault, ...] = ()
    columns: tuple[ColumnDrift, ...] = ()
    """By impact."""
    prediction: ColumnDrift | None = None
    is_score_drifted: bool = False
    impact: float = 0.0
    """Importance of the drifted columns together, in [0, 1]."""
    unseen: float = 0.0
    """Largest share of unseen categories in a column that matters, in [0, 1]."""
    multivariate: Multivariate | None = None
    performance: Performance | None = None
    """None: there are no labels yet, or too few."""
    probe: Probe | None = None
    labels: LabelHealth | None = None
    """How labels arrive; None: they cannot be joined."""
    estimate: LossEstimate | None = None
    """Shown only."""
    segments: tuple[SegmentLoss, ...] = ()
    """Shown, and named beside a rise of the loss; they trigger nothing."""
    alarms_before: tuple[bool, ...] = ()
    """Of the verdict windows before this one, newest first; fewer at the beginning."""
    onset: date | None = None
    """First day of the run of labelled days whose loss is above the baseline."""
    effect: Effect | None = None
    """Of the newest promotion."""
    further_findings: dict[str, str] = Field(default_factory=dict)
    """What else the owner should know, by id, each with its sentence; such as of late labels."""
    regime: Regime | None = None
    retraining: RetrainingState
    notes: tuple[str, ...] = ()

    @property
    def drifted(self) -> tuple[ColumnDrift, ...]:
        """The drifted columns, by impact."""
        return tuple(column for column in self.columns if column.drifted)

    @property
    def days_since_onset(self) -> tuple[DayLoss, ...]:
        """The labelled days since the change began; none where it has no first day."""
        days = () if self.performance is None else self.performance.days
        return tuple(day for day in days if self.onset is not None and day.day >= self.onset)

    def is_alarmed(self, policy: Policy) -> bool:
        """Return True where the unlabelled signals alone ask for a confirmation."""
        differs = self.multivariate is not None and self.multivariate.auc >= self.multivariate.limit
        return (
            self.is_score_drifted
            or self.impact >= policy.impact
            or self.unseen >= policy.unseen
            or differs
        )
