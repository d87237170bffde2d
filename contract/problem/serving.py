"""How a model is served on a cluster, and how the next one takes over."""

import itertools
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    PositiveInt,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from contract.messages import unexpected
from contract.problem.section import Section
from contract.problem.units import Duration, Share, write_duration

LONGEST_CANARY = timedelta(hours=20)  # a run is ended after 24, and the other stages need some


class Canary(Section):
    """The new model answers a share of the requests first, and is judged by its own answers.

    On a cluster; where one process serves, and for a first model, the rollout is `rolling`.
    """

    steps: Annotated[tuple[Share, ...], Field(min_length=1, max_length=10)] = (0.25, 0.5)
    """Shares of the requests, ascending: a quarter shows what breaks, a half what is slow.

    Pods part them, so the smallest share is 1 of `replicas` + 1; a Gateway parts them exactly.
    """
    bake: Duration = timedelta(minutes=10)
    """How long a step lasts at least; ten minutes show a leak or a slow path."""
    min_requests: PositiveInt = 500
    """Of the canary in a step, else it holds; 500 show an error in a hundred with 99 % certainty."""
    max_hold: Duration = timedelta(hours=2)
    """How long it may hold in all; then the champion serves alone, as nobody knows more by then."""

    @property
    def longest(self) -> timedelta:
        """How long it may take from its first pod to the last step's end."""
        return len(self.steps) * self.bake + self.max_hold

    @model_validator(mode="after")
    def _agree(self) -> Self:
        ascending = (0.0, *self.steps, 1.0)
        if any(low >= high for low, high in itertools.pairwise(ascending)):
            shown = ", ".join(f"{100 * step:g}%" for step in self.steps)
            sentence = f"steps are {shown}; shares that ascend between 0% and 100% are expected"
            raise ValueError(sentence)
        if self.longest > LONGEST_CANARY:
            sentence = (
                f"bake times steps, and max_hold, are {write_duration(self.longest)} together; "
                f"at most {write_duration(LONGEST_CANARY)} are expected, as a run has a day"
            )
            raise ValueError(sentence)
        return self


class CanaryRollout(Section):
    """A rollout in steps."""

    canary: Canary = Canary()
    """The new model answers a share of the requests first, and is judged by its own answers."""


def _rollout(value: object, read: ValidatorFunctionWrapHandler) -> object:
    """Read `rolling` or the section, so that an error names one of them and not both."""
    if isinstance(value, str) or value is None:
        if value != "rolling":
            raise ValueError(unexpected(value, "rolling, or canary with its steps,"))
        return read(value)
    return value if isinstance(value, CanaryRollout) else CanaryRollout.model_validate(value)


class Serving(Section):
    """How a model is served on a cluster; one machine has one process."""

    replicas: PositiveInt = 2
    """Pods; with two, one answers while the other's node is emptied."""
    rollout: Annotated[Literal["rolling"] | CanaryRollout, WrapValidator(_rollout)] = "rolling"
    """How a new model takes over; default `rolling`, pod by pod: most problems have too few
    requests an hour for a canary to show anything."""

    @property
    def canary(self) -> Canary | None:
        """The canary that is configured."""
        return None if self.rollout == "rolling" else self.rollout.canary
