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
Suppression = Literal["mode", "recent_block", "cooldown", "max_per_30d", "min_new_labels", "regime"]
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
    """Share of the present values in categories that the reference never had."""
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


class Fault(Strict):
    """A check of the data that did not pass."""

    check: Check
    column: str | None
    found: float
    limit: float
    sentence: str


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
    dq: tuple[Fault, ...] = ()
    window: Window
    thresholds: dict[str, float] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()
    """What could not be looked at, and why."""
