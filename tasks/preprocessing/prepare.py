"""Make the one table that models learn from: joined in time, cleaned, labelled, sorted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from contract.errors import InvalidRequest, Refused
from contract.messages import no_such_column
from contract.problem import Problem
from methods.columns.schema import is_feature, key_columns
from methods.tables import sql as duck
from tasks.preprocessing.blocked import NO_FAULTS, KnownFaults, outside_days
from tasks.preprocessing.clean import cleaned
from tasks.preprocessing.joins import joined


@dataclass(frozen=True)
class PreparedRows:
    """The labelled rows, and what was left out of them."""

    table: pa.Table
    unlabelled: int
    """Rows without a label, or whose label is not final yet."""
    left_out: list[str]
    """Columns of a type that no model reads."""
    blocked: int = 0
    """Labelled rows of the days in `faults`."""
    faults: KnownFaults = NO_FAULTS
    """Days and columns that monitoring knows of."""


def prepare(
    connection: duckdb.DuckDBPyConnection,
    paths: Mapping[str, Path],
    problem: Problem,
    window_end: datetime,
    faults: KnownFaults = NO_FAULTS,
) -> PreparedRows:
    """Join, clean and sort; return labelled rows of whole days only.

    Args:
        connection: DuckDB's, empty.
        paths: a Parquet file a source, rows already deduplicated.
        problem: what to join, to drop and to predict.
        window_end: labels that are not final by then do not count.
        faults: days and columns that are left out.

    Raises:
        InvalidRequest: a column that the problem names is not there.
        Refused: no row is labelled, or all that are belong to blocked days.
    """
    for name, path in paths.items():
        view = f"CREATE VIEW {duck.name(name)} AS SELECT * FROM read_parquet({duck.text(path)})"  # noqa: S608 - quoted
        duck.run(connection, view)
    query = joined(connection, problem.main_source_name, problem.source, problem.features.join)
    kinds = duck.columns(connection, query)
    _check_drops(problem, kinds)
    terms, left_out = cleaned(kinds, problem)
    target = problem.target.column
    if target not in terms:
        raise InvalidRequest(
            no_such_column("The joined table", target, kinds, named_by="target.column")
        )
    learnt = _without(problem, faults)
    kept = {name: term for name, term in terms.items() if _is_kept(name, learnt)}
    select = ", ".join(f"{term} AS {duck.name(name)}" for name, term in kept.items())
    order = duck.names([*filter(None, [problem.main_source.event_time]), *key_columns(problem)])
    duck.run(connection, f"CREATE TEMP VIEW prepared AS SELECT {select} FROM ({query})")  # noqa: S608 - quoted
    final = _final(problem, window_end)
    total = int(duck.rows(connection, "SELECT count(*) FROM prepared")[0][0])
    table = duck.stream(
        connection,
        f"SELECT * FROM prepared WHERE {final} ORDER BY {order}",  # noqa: S608 - quoted
    ).read_all()
    if table.num_rows == 0:
        sentence = (
            f"None of the {total} rows has a label in {target!r} by {window_end.isoformat()}; "
            "wait for labels, or choose a later `window_end`."
        )
        raise Refused(sentence)
    whole = table.filter(outside_days(table, problem, faults.days))
    if whole.num_rows == 0:
        sentence = (
            f"All {table.num_rows} labelled rows happened on the {len(faults.days)} days whose data "
            f"monitoring blocked; wait for others, or accept them: `perennial adopt {problem.name} "
            "--all --reason TEXT`."
        )
        raise Refused(sentence)
    blocked = table.num_rows - whole.num_rows
    return PreparedRows(whole, total - table.num_rows, left_out, blocked, faults)


def _without(problem: Problem, faults: KnownFaults) -> Problem:
    """Return the problem without the columns that no longer come with requests."""
    dropped = [*problem.features.drop, *sorted(faults.retired - set(problem.features.drop))]
    features = problem.features.model_copy(update={"drop": dropped})
    return problem.model_copy(update={"features": features})


def _is_kept(name: str, problem: Problem) -> bool:
    """Tell whether the prepared table has a column: a feature, or what a row is ordered and split by."""
    source = problem.main_source
    needed = {*key_columns(problem), source.event_time, problem.split.group}
    return name == problem.target.column or name in needed or is_feature(name, problem)


def _final(problem: Problem, window_end: datetime) -> str:
    """Return the condition under which a label counts.

    A row without `known_at` does not say when its label came; where the problem says how long
    labels take, younger rows wait.
    """
    conditions = [f"{duck.name(problem.target.column)} IS NOT NULL"]
    source, labels = problem.main_source, problem.target.labels
    if labels is not None and source.event_time and source.known_at is None:
        moment = duck.text((window_end - labels.horizon).isoformat())
        conditions.append(f"{duck.name(source.event_time)} <= CAST({moment} AS TIMESTAMPTZ)")
    return " AND ".join(conditions)


def _check_drops(problem: Problem, kinds: Mapping[str, str]) -> None:
    for name in problem.features.drop:
        if name not in kinds:
            raise InvalidRequest(
                no_such_column("The joined table", name, kinds, named_by="features.drop")
            )
