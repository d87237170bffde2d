"""What every kind of source has: which column names a row, when it happened, and what it needs."""

import re
from abc import abstractmethod
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import StringConstraints

from contract.problem.section import Section
from contract.problem.units import Duration

ColumnName = Annotated[str, StringConstraints(min_length=1)]
EnvironmentName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$")]
_MENTIONED = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")


@dataclass(frozen=True)
class Egress:
    """What the stages that read a source connect to, outside the machine or cluster."""

    service: str
    """With its article, for sentences: `a database`."""
    port: int
    """TCP; the component `database-sources` opens it on a cluster."""


class SourceBase(Section):
    """One kind of source; its reader is `tasks/collection/readers/KIND.py`.

    A kind adds its `kind`, a Literal of one word, and the keys that say where its rows are.
    """

    egress: ClassVar[Egress | None] = None
    """None: the rows are on a disk that the stages mount."""

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

    @abstractmethod
    def environment_names(self) -> frozenset[str]:
        """Return the names of the environment that its reader needs."""

    @abstractmethod
    def describe(self) -> str:
        """Say in a few words where the rows come from, without any secret."""

    @property
    def declared_columns(self) -> tuple[ColumnName, ...]:
        """The columns that the problem file names for this source, the key's first."""
        times = (self.event_time, self.known_at, self.cursor)
        return (*self.key, *(column for column in times if column))


def mentioned(text: str) -> frozenset[str]:
    """Return the names of the environment that a text mentions as `${NAME}`.

    >>> sorted(mentioned("${LANDING}/${DAY}/*.csv"))
    ['DAY', 'LANDING']
    """
    return frozenset(_MENTIONED.findall(text))
