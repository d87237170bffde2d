"""How good the champion is on labelled rows, and what another model would do, or did, better."""

from datetime import date
from typing import Literal

from pydantic import AwareDatetime

from contract.artifacts import Sha256
from contract.strict import Strict


class DayLoss(Strict):
    """The loss per row on the labelled rows of one day."""

    day: date
    rows: int
    mean: float
    deviation: float
    """Standard deviation over the day's rows."""


class Performance(Strict):
    """The champion's loss on rows whose label is known, against its own forward backtest."""

    metric: Literal["log_loss", "squared_error"]
    ref: float
    cur: float
    low: float
    """95 % interval of `cur`."""
    high: float
    change: float
    """cur / ref - 1."""
    z: float
    z_limit: float
    """From which `z` on a rise counts; higher where there is a held-out part only."""
    n_labelled: int
    coverage: float
    """Labelled share of the rows that were served in the same days."""
    first: date
    last: date
    days: tuple[DayLoss, ...] = ()
    """Oldest first; days as blocks are the unit of the errors behind `low`, `high` and `z`."""


class Effect(Strict):
    """Did the newest promotion help? Both models on the same rows, served on the days after it."""

    digest: Sha256
    """Of the model that was promoted."""
    previous: Sha256
    """Of the model that served before; it scored the same rows once more."""
    promoted: AwareDatetime
    first: date
    last: date
    rows: int
    metric: Literal["log_loss", "squared_error"]
    before: float
    """Mean loss per row of the model before."""
    after: float
    """The same of the promoted model."""
    z: float
    """Of what was saved, in standard errors; days are the blocks."""
    helped: bool
    """True where the saving of loss, or the gain in value, is sure."""
    is_final: bool
    """True once a whole verdict window was measured: later days take it over."""
    sentence: str
    earned: float | None = None
    """What a decision of the promoted model was worth more than one of the model before, on average,
    in `unit`; None where the problem declares no value of a decision."""
    earned_low: float | None = None
    earned_high: float | None = None
    """Its interval of 95 %; days are the blocks."""
    unit: str | None = None
    """Of `earned`; "" where the problem names none."""


class Probe(Strict):
    """Would a model that has seen the newest labels be better? A cheap refit, on paired rows."""

    day: date
    """When it was tried; a probe serves the days of its verdict window."""
    gain: float | None
    """Share of the champion's loss that the refit saves; None where it was skipped."""
    z: float | None
    rows: int
    skipped: str | None
    """Why it was not tried."""
