"""Where the rows come from."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from contract.problem.section import Section
from contract.problem.units import Duration

ColumnName = Annotated[str, StringConstraints(min_length=1)]
EnvironmentName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$")]


class _Source(Section):
    key: tuple[ColumnName, ...] = ()
    """What names a row; a source without one gets a hash of the row's content."""
    event_time: ColumnName | None = None
    """When the event happened; with it, parts and folds are cut by time."""
    known_at: ColumnName | None = None
    """When the row was known; rows count only where it is at or before the window's end."""
    cursor: ColumnName | None = None
    """What grows from load to load, to read only what is new; absent: everything is read."""
    lag: Duration = timedelta(days=2)
    """How far back is read again for late rows; two days outlast a failed night."""


class FilesSource(_Source):
    """Files on a disk: CSV, JSON lines or Parquet, plain or compressed."""

    kind: Literal["files"]
    path: Annotated[str, StringConstraints(min_length=1)]
    """A pattern such as `${LANDING}/flights/*.csv.gz`; names come from the environment."""


class PostgresSource(_Source):
    """A query on a PostgreSQL database."""

    kind: Literal["postgres"]
    query: Annotated[str, StringConstraints(min_length=1)]
    """One SELECT without a semicolon."""
    connection: EnvironmentName
    """The environment's name that holds the connection string."""


Source = Annotated[FilesSource | PostgresSource, Field(discriminator="kind")]
