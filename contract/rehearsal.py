"""What `perennial rehearse` asks of a rehearsal, and what comes of it: two documents of one folder."""

from datetime import date
from typing import Any

from pydantic import AwareDatetime, Field, NonNegativeInt, PositiveInt

from contract.strict import Strict

FIRST_REFUSED = "The gate refused the first model, which serves here all the same:"


class RehearsalRequest(Strict):
    """`request.json`: written by the command, read by `python -m rehearsal`."""

    problem: dict[str, Any]
    """The effective problem file."""
    suite: str
    """The path of its expectations; need not be there."""
    landed: str
    """The folder with a folder a source, which hold its landed parts."""
    until: AwareDatetime
    """The end of the landed data."""
    scenario: str
    days: PositiveInt
    """That a model serves."""
    history: PositiveInt | None = None
    """Days that the first model learns from; None: as many as have landed, at most 120."""
    policy: dict[str, Any] = Field(default_factory=dict)
    """Dotted keys of the retrain controller's policy and their values; the others are the product's."""
    seed: NonNegativeInt = 0
    """Of everything drawn."""
    budget: str = "20s"
    """CPU time of each search, as the problem file's `models.budget`: of the model that is the
    truth of the rehearsed world, and of the first one. Arbitrary; retrainings search nothing."""


class RehearsedRun(Strict):
    """A lifecycle that monitoring asked for."""

    day: date
    reason: str
    outcome: str
    sentence: str


class RehearsalResult(Strict):
    """`result.json`: what would have happened."""

    problem: str
    scenario: str
    says: str
    """The scenario in words."""
    first: date
    last: date
    days: int
    rows: int
    """That were answered."""
    refused_rows: int
    """That were answered 422."""
    verdicts: dict[str, int]
    """Days by verdict."""
    asked: tuple[RehearsedRun, ...]
    """In their order, with what came of each."""
    first_refused: str | None = None
    """Why the gate refused the first model, which serves in the rehearsal all the same; None: it was
    accepted."""
    missed: int
    """Days whose loss was clearly above the usual, and that were called well."""
    faults: dict[str, int]
    """Days by fault of the data."""
    told: dict[str, int] = Field(default_factory=dict)
    """Messages to the owner, by event and finding."""
    metric: str
    """The proper loss."""
    loss: float | None
    """Mean over all answered rows."""
    first_loss: float | None
    """The same, had the first model gone on serving."""
    best_loss: float | None
    """The same of the truth that labels were drawn from; None: nobody knows it."""
    value: float | None
    """What the decisions earned in all, in the unit of `metric.value`; None: none is declared."""
    first_value: float | None
    """The same, had the first model gone on serving."""
    page: str
    """The path of the page."""
    cpu_seconds: float

    @property
    def promoted(self) -> int:
        """How many of the models asked for were promoted."""
        return sum(run.outcome == "deployed" for run in self.asked)

    @property
    def sentence(self) -> str:
        """What came of it, in words."""
        asked = len(self.asked)
        first = "" if self.first_refused is None else f"{FIRST_REFUSED} {self.first_refused} "
        told = (
            f"{first}In {self.days} days {asked} retrainings would have been asked for, {self.promoted} "
            f"promoted and {asked - self.promoted} refused; {self.missed} days were clearly worse "
            f"than usual and called well; {self.verdicts.get('blocked_data_quality', 0)} were "
            "blocked for broken data."
        )
        if self.value is not None and self.first_value is not None:
            gain = self.value - self.first_value
            return f"{told} The decisions earned {self.value:,.0f}, which is {gain:+,.0f} against never retraining."
        if self.loss is not None and self.first_loss:
            change = self.loss / self.first_loss - 1
            return f"{told} The mean {self.metric} was {self.loss:.4g}, which is {change:+.1%} against never retraining."
        return told
