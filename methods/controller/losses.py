"""Days of losses: how far apart they lie by themselves, how sure a mean is, since when it is higher.

Rows of one day share its weather, its campaign, its mood: they are no independent draws, and an
error that takes them as such sounds an alarm every few weeks in a world that stands still. A day's
mean therefore varies by its rows and by itself; what it varies by itself is estimated by the method
of moments. Sources: DerSimonian and Laird, "Meta-analysis in clinical trials", Controlled Clinical
Trials 7(3), 1986; Cameron and Miller, "A Practitioner's Guide to Cluster-Robust Inference",
Journal of Human Resources 50(2), 2015.
"""

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from contract.decision import Decision
from contract.performance import DayLoss
from methods.controller.policy import Policy


class MeanLoss(Protocol):
    """What is known of the losses of one day, or of another block of rows."""

    @property
    def rows(self) -> int:
        """At least one."""

    @property
    def mean(self) -> float:
        """Per row."""

    @property
    def deviation(self) -> float:
        """Standard deviation over the rows."""


def day_variance(*series: Sequence[MeanLoss]) -> float:
    """Return the variance of days' means beyond what their rows explain, >= 0.

    Args:
        series: each of days that are alike but for the day itself; a change between one series and
            another does not count.
    """
    excess, weight = 0.0, 0.0
    for days in series:
        weights = [1 / _row_variance(day) for day in days if _row_variance(day) > 0]
        means = [day.mean for day in days if _row_variance(day) > 0]
        total = sum(weights)
        if len(means) < 2:  # noqa: PLR2004 - one day does not vary
            continue
        centre = sum(w * mean for w, mean in zip(weights, means, strict=True)) / total
        spread = sum(w * (mean - centre) ** 2 for w, mean in zip(weights, means, strict=True))
        excess += spread - (len(means) - 1)
        weight += total - sum(w**2 for w in weights) / total
    return max(0.0, excess / weight) if weight else 0.0


def usual_variance(before: Sequence[MeanLoss], now: Sequence[MeanLoss], policy: Policy) -> float:
    """Return the variance of days, of those `before` alone where they are enough.

    A change within the days of `now` would make them look restless, and hide itself.
    """
    if len(before) >= policy.min_blocks:
        return day_variance(before)
    return day_variance(before, now)


def mean_of(days: Sequence[MeanLoss]) -> float:
    """Return the mean loss per row over all days."""
    return sum(day.rows * day.mean for day in days) / sum(day.rows for day in days)


def error_of(days: Sequence[MeanLoss], variance: float) -> float:
    """Return the standard error of `mean_of`, where days vary by `variance`."""
    rows = sum(day.rows for day in days)
    square = sum((day.rows / rows) ** 2 * (_row_variance(day) + variance) for day in days)
    return float(square**0.5)


def paired_z(days: Sequence[MeanLoss]) -> float:
    """Return the mean of paired differences in standard errors, days as blocks; 0 without any error.

    Used for what a refit saves, and for what a promotion saved: the days stand for themselves,
    since a saving may well differ by day.
    """
    error = error_of(days, day_variance(days))
    return mean_of(days) / error if error else 0.0


def find_onset(
    days: Sequence[DayLoss], baseline: float, variance: float, policy: Policy
) -> date | None:
    """Return the first day from which on losses have been above `baseline`; None: they are not.

    The likelihood ratio of a step to an unknown level, from a known one, at its best day: the
    estimate that goes with the CUSUM test. Sources: Page, "Continuous Inspection Schemes",
    Biometrika 41, 1954; Siegmund and Venkatraman, "Using the Generalized Likelihood Ratio Statistic
    for Sequential Detection of a Change-Point", Annals of Statistics 23(1), 1995.

    Args:
        days: oldest first.
        baseline: mean loss per row before any change.
        variance: of days, as in `usual_variance`.
        policy: from which statistic on a change is believed.
    """
    best, onset = policy.onset_z, None
    rise, weight = 0.0, 0.0
    for day in reversed(days):
        square = _row_variance(day) + variance
        if not square:
            continue
        rise += (day.mean - baseline) / square
        weight += 1 / square
        statistic = rise / weight**0.5
        if statistic >= best:
            best, onset = statistic, day.day
    return onset


def level_of(decision: Decision) -> float | None:
    """Return the loss of the world that a decision was made in; None where it was not measured.

    Since the change began, where it did: a window that begins before it is of two worlds.
    """
    performance, onset = decision.performance, decision.onset
    if performance is None:
        return None
    since = [day for day in performance.days if onset is not None and day.day >= onset]
    return mean_of(since) if since else performance.cur


def _row_variance(day: MeanLoss) -> float:
    return day.deviation**2 / day.rows
