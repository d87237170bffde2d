"""What a stage's pod asks of its node; on one machine a stage takes what is there."""

from typing import Annotated

from pydantic import Field, PositiveFloat, StringConstraints

from contract.stages import STAGES, Stage
from contract.strict import Section

Memory = Annotated[
    str, StringConstraints(pattern=r"^[1-9]\d*(Mi|Gi)$"), Field(examples=["512Mi", "4Gi"])
]
# These hold whole tables or many models at once; the others a column or a few files.
_LARGE: frozenset[Stage] = frozenset(
    {"validation", "exploration", "selection", "tuning", "training", "evaluation"}
)


class Resources(Section):
    """What one stage's pod is given."""

    cpu: PositiveFloat = 0.25
    """Cores that are kept for it; a whole number above 1 lets its libraries use as many threads."""
    memory: Memory = "2Gi"
    """The limit at which it is ended; a tenth of it is kept. Where whole tables are held: `4Gi`."""


DEFAULTS: dict[Stage, Resources] = {
    stage: Resources(memory="4Gi" if stage in _LARGE else "2Gi") for stage in STAGES
}
