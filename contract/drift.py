"""How far the served rows are from the reference, of one day: each column, and all together."""

from typing import Literal

from contract.strict import Strict

Cause = Literal["missing", "unseen", "out_of_range", "distribution"]


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
