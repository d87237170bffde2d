"""Join further sources to the main one, point in time: at most one row, never from the future.

The other's event time decides, as it does for a client who asks at that moment. When a row reached
the warehouse (`known_at`) does not: history is loaded in batches, and a night's load would hide the
weather that everybody saw. A source whose event time is not when it could be seen must say so there.

Source: Kaufman et al., "Leakage in Data Mining", ACM TKDD 6(4), 2012, section 4.1 (no time machine).
"""

from collections.abc import Mapping

import duckdb

from contract.errors import InvalidRequest
from contract.messages import no_such_column
from contract.problem import Join
from contract.problem.sources.base import SourceBase
from methods.tables import sql


def joined(
    connection: duckdb.DuckDBPyConnection,
    main: str,
    sources: Mapping[str, SourceBase],
    joins: Mapping[str, Join],
) -> str:
    """Return the query of the main table with each joined source's columns behind its own.

    A joined column keeps its name, or is called `SOURCE_COLUMN` where that name is taken. The columns
    joined on and the other's times stay behind. The tables are relations of the connection, named as the sources are.

    Raises:
        InvalidRequest: a column is not there, or a join could find more than one row.
    """
    own = sql.columns(connection, f"SELECT * FROM {sql.name(main)}")  # noqa: S608 - quoted
    terms = [f"main.{sql.name(column)}" for column in own]
    clauses = []
    taken = set(own)
    for name, join in joins.items():
        other = sql.columns(connection, f"SELECT * FROM {sql.name(name)}")  # noqa: S608 - quoted
        _check(name, join, sources[name], own, other)
        if join.as_of is None:
            _check_single(connection, name, join)
        relation, condition = _relation(name, join, sources[name])
        clauses.append(f"{'ASOF ' if join.as_of else ''}LEFT JOIN {relation} ON {condition}")
        terms += _terms(name, join, sources[name], other, taken)
    return f"SELECT {', '.join(terms)} FROM {sql.name(main)} AS main {' '.join(clauses)}"  # noqa: S608 - quoted


def _relation(name: str, join: Join, source: SourceBase) -> tuple[str, str]:
    """Return the right side of a join and its condition."""
    alias = sql.name(name)
    equal = [f"main.{sql.name(column)} = {alias}.{sql.name(column)}" for column in join.on]
    if join.as_of is None or source.event_time is None:
        return alias, " AND ".join(equal)
    on, happened = sql.names(join.on), sql.name(source.event_time)
    order = f"ORDER BY {sql.names(source.key)}" if source.key else ""
    # Of rows at one moment one is taken, always the same.
    relation = f"""(
        SELECT *, {happened} AS perennial_happened FROM {alias} WHERE {happened} IS NOT NULL
        QUALIFY row_number() OVER (PARTITION BY {on}, {happened} {order}) = 1
    ) AS {alias}"""  # noqa: S608 - quoted
    condition = " AND ".join([*equal, f"main.{sql.name(join.as_of)} >= {alias}.{happened}"])
    return relation, condition


def _terms(
    name: str, join: Join, source: SourceBase, other: Mapping[str, str], taken: set[str]
) -> list[str]:
    """Return the columns that a join adds, null where the row is older than the tolerance."""
    hidden = {*join.on, source.event_time, source.known_at, source.cursor}
    terms = []
    for column in other:
        if column in hidden:
            continue
        written = f"{name}_{column}" if column in taken else column
        if written in taken:
            sentence = (
                f"The column {column!r} of the source {name!r} would be called {written!r}, which "
                "is there already; rename one of them."
            )
            raise InvalidRequest(sentence)
        taken.add(written)
        term = f"{sql.name(name)}.{sql.name(column)}"
        if join.as_of is not None and join.tolerance is not None:
            age = f"main.{sql.name(join.as_of)} - {sql.name(name)}.perennial_happened"
            seconds = join.tolerance.total_seconds()
            term = f"CASE WHEN {age} <= to_seconds({seconds!r}) THEN {term} END"
        terms.append(f"{term} AS {sql.name(written)}")
    return terms


def _check(
    name: str, join: Join, source: SourceBase, own: Mapping[str, str], other: Mapping[str, str]
) -> None:
    for column in join.on:
        for side, columns in (("The main source", own), (f"The source {name!r}", other)):
            if column not in columns:
                raise InvalidRequest(
                    no_such_column(side, column, columns, named_by=f"features.join.{name}.on")
                )
        if ("VARCHAR" in own[column]) != ("VARCHAR" in other[column]):
            sentence = (
                f"features.join.{name}.on: {column!r} is {own[column]} in the main source and "
                f"{other[column]} in {name!r}; one type is expected. Cast one of them."
            )
            raise InvalidRequest(sentence)
    if join.as_of is None:
        return
    if not own.get(join.as_of, "").startswith(("TIMESTAMP", "DATE")):
        sentence = f"features.join.{name}.as_of names {join.as_of!r}, which is no time of the main source; name one."
        raise InvalidRequest(sentence)
    if source.event_time is None:
        sentence = f"features.join.{name}.as_of needs source.{name}.event_time; declare it."
        raise InvalidRequest(sentence)


def _check_single(connection: duckdb.DuckDBPyConnection, name: str, join: Join) -> None:
    """Refuse a join without a time that could find more than one row."""
    on = sql.names(join.on)
    query = f"SELECT count(*) FROM {sql.name(name)} GROUP BY {on} ORDER BY 1 DESC LIMIT 1"  # noqa: S608 - quoted
    found = sql.rows(connection, query)
    if found and found[0][0] > 1:
        sentence = (
            f"features.join.{name} finds up to {found[0][0]} rows for one {', '.join(join.on)}; at "
            f"most one is expected. Add as_of, or join on the source's whole key."
        )
        raise InvalidRequest(sentence)
