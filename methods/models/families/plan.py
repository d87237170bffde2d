"""The plan: everything that training needs to fit a model again, and nothing that it would search.

A plan is found once by tuning under a budget of time, which is not reproducible; replaying it is.
Iterations belong to the number of rows they were found on and grow with its root.
"""

from math import isclose
from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from contract.learning_task import LearningTask
from contract.strict import Strict
from methods.models.calibration import CalibrationKind
from methods.models.encoders.column import EncodingSettings
from methods.models.families.family import Setting
from methods.split.weights import TrainingWindow

# Twice the rows want about 1.4 times the rounds; a plan from far less data is not stretched further.
_MOST_GROWTH = 3.0


class PlannedMember(Strict):
    """One member: how it is fitted and how much it counts."""

    family: str
    settings: dict[str, Setting]
    iterations: NonNegativeInt
    """Trees, epochs or steps on `TrainingPlan.rows` rows; 0 where the family has none."""
    seed: NonNegativeInt
    weight: Annotated[float, Field(gt=0.0, le=1.0)]

    def iterations_for(self, rows: int, planned_rows: int, *, grow: bool) -> int | None:
        """Return the iterations on so many rows; None where the family has none.

        `grow` is the family's `iterations_grow`.
        """
        if self.iterations == 0:
            return None
        if not grow:
            return self.iterations
        growth = min(_MOST_GROWTH, max(1.0 / _MOST_GROWTH, rows / planned_rows))
        return max(1, round(self.iterations * float(growth**0.5)))


class TrainingPlan(Strict):
    """A model that can be fitted without any search."""

    version: Literal[1] = 1
    task: LearningTask
    classes: tuple[str, ...]
    metric: str
    members: Annotated[tuple[PlannedMember, ...], Field(min_length=1)]
    encoding: EncodingSettings
    window: TrainingWindow
    calibration: CalibrationKind
    """Chosen on validation; its numbers are fitted in training, on the rows of that day."""
    threshold: Annotated[float, Field(ge=0.0, le=1.0)] | None
    """Binary: the one found on validation, for the page; training finds its own by the same rule."""
    rows: PositiveInt
    """Rows that the iterations belong to."""
    seed: NonNegativeInt
    score: float
    """On the rows that selected the plan (validation; of small data also train's folds): optimistic."""

    @model_validator(mode="after")
    def _weights_sum_to_one(self) -> Self:
        total = sum(member.weight for member in self.members)
        if not isclose(total, 1.0, abs_tol=1e-9):
            message = f"the members' weights sum to {total!r}; 1 is needed"
            raise ValueError(message)
        return self
