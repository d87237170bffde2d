"""The families of models that compete for a problem; each becomes a member of a bundle."""

from methods.candidates.boosting import Boosting
from methods.candidates.dummy import Dummy
from methods.candidates.family import Effort, Family, Fitted, Part, Setting, Settings, Shape
from methods.candidates.linear import Linear
from methods.candidates.neural import Neural
from methods.candidates.plan import Plan, PlannedMember
from methods.candidates.trees import Forest, Tree

# In the order in which they are fitted: the cheap ones first, so that no budget leaves a problem
# without an answer.
FAMILIES: dict[str, Family] = {
    family.name: family for family in (Dummy(), Linear(), Tree(), Boosting(), Neural(), Forest())
}

__all__ = [
    "FAMILIES",
    "Effort",
    "Family",
    "Fitted",
    "Part",
    "Plan",
    "PlannedMember",
    "Setting",
    "Settings",
    "Shape",
]
