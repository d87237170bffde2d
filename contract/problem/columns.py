"""Which columns a model may see, and what a person knows better of them than the inference."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from contract.problem.section import Section
from contract.problem.sources.base import ColumnName
from contract.problem.units import Duration

SourceName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class Join(Section):
    """How a further source is joined to the main one: at most one row, never from the future."""

    on: tuple[ColumnName, ...]
    """Columns that must be equal."""
    as_of: ColumnName | None = None
    """A time column of the main source: take the other's newest row at or before it."""
    tolerance: Duration | None = None
    """How old that row may be; absent: any age."""


class Features(Section):
    """Which columns a model may see."""

    join: dict[SourceName, Join] = Field(default_factory=dict)
    """One entry for each further source."""
    drop: tuple[ColumnName, ...] = ()
    """Columns that are known only after the event, or that must not be used."""


class ColumnOverride(Section):
    """What a person knows better than the inference."""

    role: Literal["number", "binary", "category", "date", "text", "id", "drop"] | None = None
    """How the column is used."""
    unit: str | None = None
    """For pages and the service's documentation."""
    range: tuple[float, float] | None = None
    """Values outside are set aside by validation and counted by monitoring."""
    required: bool | None = None
    """A request without it is answered 422; default: required where no row lacked it."""
