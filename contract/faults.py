"""What is broken in a day's data: the checks that did not pass."""

from typing import Literal

from contract.strict import Strict

Check = Literal[
    "absent",
    "null",
    "missing",
    "unseen",
    "out_of_range",
    "spike",
    "constant",
    "unit",
    "rows",
    "duplicates",
    "respelt",
    "renamed",
    "vanished",
    "relabelled",
    "filled",
    "clipped",
    "coarse",
    "relation",
    "stale",
    "repeated",
]


class Fault(Strict):
    """A check of the data that did not pass."""

    check: Check
    column: str | None
    found: float
    limit: float
    sentence: str

    @property
    def subject(self) -> str:
        """What is broken: the column, or the check where it is about all rows."""
        return self.check if self.column is None else f"column {self.column}"
