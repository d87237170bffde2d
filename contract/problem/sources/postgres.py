"""A query on a PostgreSQL database."""

from typing import Annotated, ClassVar, Literal

from pydantic import StringConstraints

from contract.problem.sources.base import Egress, EnvironmentName, SourceBase, mentioned


class PostgresSource(SourceBase):
    """A query on a PostgreSQL database."""

    egress: ClassVar[Egress | None] = Egress("a database", 5432)

    kind: Literal["postgres"]
    query: Annotated[str, StringConstraints(min_length=1)]
    """One SELECT without a semicolon."""
    connection: EnvironmentName
    """The environment's name that holds the connection string."""

    def environment_names(self) -> frozenset[str]:
        """Return the name of the connection string, and any that the query mentions."""
        return mentioned(self.query) | {self.connection}

    def describe(self) -> str:
        """Name the variable and not what it holds: a connection string has a password in it."""
        return f"PostgreSQL at ${self.connection}"
