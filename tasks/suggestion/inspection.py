"""Infer from a file what its owner would declare: the key, the event time, the learning task."""

import re
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from contract.errors import InvalidRequest, Refused, is_disk_full
from contract.learning_task import LearningTask
from contract.messages import no_such_column
from contract.problem import Problem, read_problem_text
from methods.columns.roles import Feature, column_of
from methods.columns.schema import is_feature
from methods.columns.targets import classes_of, labelled, task_of
from methods.tables import sql as duck
from methods.tables.files import common_columns, scan, sniff
from tasks.suggestion.render import problem_text

SAMPLE = 200_000  # rows whose columns are inspected; keys and counts are of all rows
_TIME_NAMES = re.compile(
    r"(time|date|_at$|day|stamp|created|ordered|scheduled|arriv|start)", re.IGNORECASE
)
# Times that are about the row's subject, or that change later: none of them is when it happened.
_OTHER_TIMES = re.compile(r"(birth|dob|expir|due|updat|modif|delet|end)", re.IGNORECASE)
FEW_TIMES = 30  # with fewer different times a cut by time leaves a part without rows


@dataclass(frozen=True)
class DataSummary:
    """What was inferred from a file."""

    path: Path
    rows: int
    key: str | None
    event_time: str | None
    table: pa.Table
    """Labelled rows, at most SAMPLE of them, evenly spaced."""
    columns: tuple[Feature, ...]
    """Of the features."""
    task: LearningTask
    classes: tuple[str, ...]


def summarise(
    connection: duckdb.DuckDBPyConnection, path: Path, target: str, task: str | None
) -> DataSummary:
    """Read the file and infer what a person would have to declare.

    Raises:
        InvalidRequest: the file or its target is not there.
        Refused: the file cannot be read, or nothing can be learned from it.
    """
    _load(connection, path)
    kinds = duck.columns(connection, "SELECT * FROM data")
    if target not in kinds:
        raise InvalidRequest(no_such_column(path.name, target, kinds, advice="Name one of them."))
    rows = int(duck.rows(connection, "SELECT count(*) FROM data")[0][0])
    step = max(1, rows // SAMPLE)
    table = duck.stream(
        connection,
        f"SELECT * EXCLUDE (perennial_place) FROM data WHERE perennial_place % {step} = 0 "  # noqa: S608 - a number
        "ORDER BY perennial_place",
    ).read_all()
    table = table.filter(labelled(table[target]))
    key = _key(connection, table, target, rows)
    event_time = _event_time(connection, kinds, target)
    draft = read_problem_text(_draft(target, task, key, event_time), "the suggested problem")
    learning_task = task_of(table[target], draft)
    columns = tuple(
        column_of(name, table[name]) for name in table.column_names if is_feature(name, draft)
    )
    return DataSummary(
        path=path,
        rows=rows,
        key=key,
        event_time=event_time,
        table=table,
        columns=columns,
        task=learning_task,
        classes=classes_of(table[target], learning_task, draft),
    )


def _load(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    if not path.is_file():
        raise InvalidRequest(f"There is no file {str(path)!r}; check the path.")
    try:
        form = sniff(connection, path)
        types = common_columns(connection, [form])
        rows = f"SELECT * FROM {scan(form, types)}"  # noqa: S608 - quoted
        numbered = f"SELECT *, row_number() OVER () - 1 AS perennial_place FROM ({rows})"  # noqa: S608 - quoted
        duck.run(connection, f"CREATE TABLE data AS {numbered}")
    except duckdb.Error as error:
        if is_disk_full(error):  # our own, not the file's fault
            raise
        reason = " ".join(str(error).split())[:300]
        sentence = (
            f"{path.name} cannot be read: {reason}; a CSV, JSON lines or Parquet file is expected."
        )
        raise Refused(sentence) from error


def _key(
    connection: duckdb.DuckDBPyConnection, table: pa.Table, target: str, rows: int
) -> str | None:
    """Return the first column that only names its row, in every row of the file."""
    for name in table.column_names:
        if name == target or column_of(name, table[name]).role != "id":
            continue
        column = duck.name(name)
        query = f"SELECT count(DISTINCT {column}) FROM data"  # noqa: S608 - quoted
        if "[" not in str(table[name].type) and duck.rows(connection, query)[0][0] == rows:
            return str(name)
    return None


def _event_time(
    connection: duckdb.DuckDBPyConnection, kinds: dict[str, str], target: str
) -> str | None:
    """Return the time column that says when a row happened, or None where none clearly does."""
    times = [
        name
        for name, kind in kinds.items()
        if kind.startswith(("TIMESTAMP", "DATE"))
        and name != target
        and not _OTHER_TIMES.search(name)
    ]
    times.sort(key=lambda name: _TIME_NAMES.search(name) is None)
    for name in times:
        column = duck.name(name)
        query = f"SELECT count(*) - count({column}), count(DISTINCT {column}) FROM data"  # noqa: S608 - quoted
        missing, distinct = duck.rows(connection, query)[0]
        if missing == 0 and distinct >= FEW_TIMES:
            return name
    return None


def _draft(target: str, task: str | None, key: str | None, event_time: str | None) -> str:
    return problem_text(
        name="draft",
        path=Path("/draft.csv"),
        target=target,
        task=task,
        key=key,
        event_time=event_time,
        by_hash=False,
    )


def problem_of(text: str) -> Problem:
    """Read a suggested problem file back."""
    return read_problem_text(text, "the suggested problem")
