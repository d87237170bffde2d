"""The resources of a stage's pod; on one machine a stage takes what is there."""

from typing import Annotated

from pydantic import Field, PositiveFloat, StringConstraints

from contract.problem.section import Section
from contract.stages import CYCLE, Stage

Memory = Annotated[
    str, StringConstraints(pattern=r"^[1-9]\d*(Mi|Gi)$"), Field(examples=["512Mi", "4Gi"])
]


class Resources(Section):
    """The resources of one stage's pod."""

    cpu: PositiveFloat = 0.25
    """Cores that are kept for it; a whole number above 1 lets its libraries use as many threads."""
    memory: Memory = "2Gi"
    """The limit at which it is ended; a tenth of it is kept. Where whole tables are held: `4Gi`."""


DEFAULTS: dict[Stage, Resources] = {spec.name: Resources(memory=spec.memory) for spec in CYCLE}
