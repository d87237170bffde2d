"""The families of models that compete for a problem; each becomes a member of a bundle."""

from methods.models.families.boosting import Boosting
from methods.models.families.dummy import Dummy
from methods.models.families.family import (
    EncodedRows,
    Family,
    FitLimits,
    Fitted,
    Setting,
    Settings,
    Shape,
)
from methods.models.families.linear import Linear
from methods.models.families.neural import Neural
from methods.models.families.plan import PlannedMember, TrainingPlan
from methods.models.families.trees import ExtraTrees, SingleTree

# In the order in which they are fitted: the cheap ones first, so that no budget leaves a problem
# without an answer.
FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (Dummy(), Linear(), SingleTree(), Boosting(), Neural(), ExtraTrees())
}

__all__ = [
    "FAMILIES",
    "EncodedRows",
    "Family",
    "FitLimits",
    "Fitted",
    "PlannedMember",
    "Setting",
    "Settings",
    "Shape",
    "TrainingPlan",
]
