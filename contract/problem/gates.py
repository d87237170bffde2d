"""What a model must fulfil before it serves."""

import math
import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from contract.messages import unexpected
from contract.problem.metric import MetricName
from contract.problem.section import Section
from contract.problem.sources.base import ColumnName
from contract.problem.units import PERCENTAGE, Duration, Share, Size, share

DEFAULT_MARGIN = "10%"


def _margin(value: object) -> str | float:
    """Read `10%`, a share, or a number in the metric's unit as earlier versions had it."""
    if isinstance(value, str) and re.fullmatch(PERCENTAGE, value):
        share(value)
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf:
        return float(value)
    raise ValueError(unexpected(value, "a share of the champion's gain", example="10%"))


Margin = Annotated[
    str | float,
    BeforeValidator(_margin),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": PERCENTAGE},
                {"type": "number", "minimum": 0, "deprecated": True},
            ],
            "examples": ["10%"],
        }
    ),
]


class BeatsChampion(Section):
    """Promote what is surely better, on hold-out rows that neither model has seen."""

    margin: Margin = DEFAULT_MARGIN
    """By how much a refresh for age may be worse, or a model that answers an alarm by its loss:
    as a share of the champion's gain over a constant answer. Arbitrary: nine tenths of what the
    champion is for stay. A number is of earlier versions, in the metric's unit."""
    confidence: Share = 0.975
    """Of each question, one in forty may be luck. After an alarm two are asked, and one sure answer is
    enough: one promotion in twenty."""

    @property
    def margin_share(self) -> float:
        """The share of the champion's gain over a constant; the default's for a margin by number."""
        return share(self.margin if isinstance(self.margin, str) else DEFAULT_MARGIN)

    @property
    def metric_margin(self) -> float | None:
        """The margin in the metric's unit, as earlier versions had it; None: a share is declared."""
        return self.margin if isinstance(self.margin, float) and self.margin > 0.0 else None

    @property
    def notice(self) -> str | None:
        """What the owner of a file of an earlier version is told, in one sentence; None: nothing."""
        if self.metric_margin is None:
            return None
        return (
            f"gates.beats.champion.margin is {self.margin:g}, a number in the metric's unit as earlier "
            "versions had it; write a share of the champion's gain over a constant answer, "
            f"such as {DEFAULT_MARGIN}."
        )


class Beats(Section):
    """Whom a challenger must beat."""

    dummy: bool = True
    """True: a model that is no better than a constant is refused."""
    skill: Share = 0.01
    """How far from the best constant (0) to a perfect answer (1) a model must be by the yardstick: a
    first one surely, a challenger more likely than not. Arbitrary: below one part in a hundred there
    is nothing to keep alive."""
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
