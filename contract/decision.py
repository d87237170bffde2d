"""The decision of a day: is the model still good, did the world change, what should happen.

Written once a day by monitoring (`PROBLEM/monitoring/YYYY-MM-DD/decision.json`), read by the DAG,
the command, the pages, and by monitoring itself on later days. Three questions stay apart: did the
data change (drift), is the data broken (quality), would a new model be better (performance, probe).
"""

from datetime import date
from typing import Literal

from pydantic import AwareDatetime, Field

from contract.artifacts import Sha256
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
Cause = Literal["missing", "unseen", "out_of_range", "distribution"]
Check = Literal[
    "absent",
    "null",
    "missing",
    "unseen",
    "out_of_range",
    "spike",
    "constant",
    "unit",
    "rows",
    "duplicates",
    "respelt",
    "renamed",
    "vanished",
    "relabelled",
    "filled",
    "clipped",
    "coarse",
    "relation",
    "stale",
    "repeated",
]


class ColumnDrift(Strict):
    """How far one column, or the model's score, is from the reference."""

    name: str
    type: str
    psi: float
    """Population stability index, as it is commonly reported."""
    psi_corrected: float
    """Without the bias of small samples; what is decided on."""
    limit: float
    """From which on the column counts as drifted."""
    p: float
    q: float
    """`p` adjusted for the number of columns (Benjamini and Hochberg)."""
    js: float
    """Jensen-Shannon distance, in [0, 1]."""
    ks: float | None
    """Kolmogorov-Smirnov distance; of numbers only."""
    w1: float | None
    """Wasserstein distance in reference standard deviations; of numbers only."""
    missing_delta: float
    """Share missing now minus then."""
    unseen: float
    """Share of the present values in categories that the reference never had, beyond chance."""
    out_of_range: float
    importance: float
    """Share of the model's own importance, in [0, 1]."""
    impact: float
    """importance x min(1, psi_corrected / `drift.major` of the policy): names the cause best."""
    rank: int
    """By impact; 1 is the greatest."""
    cause: Cause
    drifted: bool
    warned: bool
    """Significant, but not drifted."""


class Multivariate(Strict):
    """Can a small classifier tell today's rows from the reference's?"""

    auc: float
    limit: float
    """From which on the rows count as different."""
    top: str | None
    """The column that tells them apart best."""


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


class LabelHealth(Strict):
    """How labels arrive: how late, how many, and what is wrong with them, as of the day's end."""

    curve: dict[int, float] = Field(default_factory=dict)
    """Share of the finally known labels that is known at an age of so many days, in [0, 1]."""
    mature_days: int | None = None
    """Age in days from which on a day's labels count as complete; None: it is not known yet."""
    coverage: float | None = None
    """Labelled share of the rows of the mature days that were looked at; None: there are none."""
    expected: float = 0.0
    """Labels that the curve says should have arrived in the verdict window."""
    arrived: int = 0
    """Labels that did."""
    contradicting: int = 0
    """Rows with two different labels that were known at the same time."""
    unknown_class: int = 0
    """Labels that the model does not know: of another class, or no number."""
    unmatched: int = 0
    """Labels of the looked-at days for which nothing was served."""
    stopped: bool = False
    """True where labels should have arrived and hardly any did."""
    suspect: bool = False
    """True where too many labels are contradicting or unknown to measure a loss by them."""
    newest_mature: date | None = None
    """The newest day whose labels count as complete."""
    sentences: tuple[str, ...] = ()
    """What a person should know: found, expected, what to do."""


class LossEstimate(Strict):
    """The loss that the scores of unlabelled rows let expect; shown, never decided on.

    Blind to a changed concept by construction: it takes the scores' calibration as given.
    """

    metric: Literal["log_loss", "squared_error"]
    method: Literal["cbpe", "dle"]
    value: float
    """Mean per row, over the newest days whether labelled or not."""
    rows: int
    first: date
    last: date
    tracked_error: float | None = None
    """Mean absolute error of the same estimate on days whose labels came later; None: none came."""
    tracked_days: int = 0


class SegmentLoss(Strict):
    """The champion's loss in one category of one column, beside its loss on all labelled rows."""

    column: str
    value: str
    rows: int
    loss: float
    expected: float
    """The loss that the model's own scores let expect there: hard rows are no news."""
    change: float
    """loss / expected - 1."""
    q: float
    """That it is no worse than the other rows against what was expected; adjusted for the number of
    segments (Benjamini and Hochberg)."""
    is_worse: bool
    """Surely, and by as much as a rise of the whole loss must have."""


class Fault(Strict):
    """A check of the data that did not pass."""

    check: Check
    column: str | None
    found: float
    limit: float
    sentence: str

    @property
    def subject(self) -> str:
        """What is broken: the column, or the check where it is about all rows."""
        return self.check if self.column is None else f"column {self.column}"


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
