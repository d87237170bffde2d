"""What a model must fulfil before it serves."""

from datetime import timedelta
from typing import Literal

from pydantic import Field, NonNegativeFloat

from contract.problem.metric import MetricName
from contract.problem.section import Section
from contract.problem.sources.base import ColumnName
from contract.problem.units import Duration, Share, Size


class BeatsChampion(Section):
    """Promote when P(gain > margin) >= confidence, on hold-out rows that neither model has seen."""

    margin: NonNegativeFloat = 0.0
    """In the metric's unit; 0: any real gain counts."""
    confidence: Share = 0.95
    """One promotion in twenty may be luck."""


class Beats(Section):
    """Whom a challenger must beat."""

    dummy: bool = True
    """True: a model that is no better than a constant is refused."""
    champion: BeatsChampion = BeatsChampion()
    """The model that serves."""


class Gates(Section):
    """What a model must fulfil before it serves; a gate that cannot be judged refuses."""

    beats: Beats = Beats()
    """Whom it must beat."""
    minimum: dict[MetricName, float] = Field(default_factory=dict)
    """For each metric the worst value that passes (for losses: the largest)."""
    slices: tuple[ColumnName, ...] = ()
    """No value of these columns may get worse, beyond its own uncertainty."""
    latency_p99: Duration = timedelta(milliseconds=20)
    """Of one row; a page waits no longer."""
    size: Size = 200_000_000
    """Of the bundle; what a small pod holds in memory."""
    approval: Literal["none", "manual"] = "none"
    """`manual`: a person presses a button in Airflow before the deployment."""
