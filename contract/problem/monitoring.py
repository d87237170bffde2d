"""When the served model is monitored, and what may start a retraining."""

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, NonNegativeInt, PositiveInt

from contract.messages import unexpected
from contract.problem.section import Section
from contract.problem.units import Duration, Share


def _clock(value: str) -> str:
    if re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value) is None:
        raise ValueError(unexpected(value, "a time of day", example='"06:00"'))
    return value


Clock = Annotated[str, AfterValidator(_clock)]


class Monitoring(Section):
    """When and how the served model is monitored."""

    at: Clock = "06:00"
    """Time of day in the problem's time zone: before people come to work."""
    verdict_window: Duration = timedelta(days=7)
    """Days that are evaluated together; seven take out the weekdays."""


class MinimumLabels(Section):
    """How many new labelled rows make a retraining worthwhile."""

    rows: NonNegativeInt = 1_000
    """At least so many."""
    share: Share = 0.05
    """And at least this share of the rows the champion was trained on; the larger counts."""


class Retraining(Section):
    """What may start a retraining, and how often."""

    mode: Literal["off", "suggest", "approve", "auto"] = "auto"
    """`auto` starts it; `approve` waits for a person; `suggest` tells the owner and starts nothing;
    `off` is silent."""
    cooldown: Duration = timedelta(days=7)
    """After any retraining: one verdict window, so that its effect can be seen."""
    max_per_30d: PositiveInt = 4
    """A ceiling against storms: one a week."""
    min_new_labels: MinimumLabels = MinimumLabels()
    """Fewer add too little to learn from."""
    max_age: Duration = timedelta(days=56)
    """An older model whose loss cannot be measured is refreshed: eight verdict windows."""
    age_with_labels: bool = False
    """Whether one whose loss is measured is refreshed, too; the loss says it better than age."""
