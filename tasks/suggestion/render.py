"""The three files of a new problem, as text."""

import glob
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from contract.learning_task import LearningTask
from methods.columns.roles import Feature
from methods.tables import sql as duck

LEVELS = 50  # values of a text that a suite lists
MAX_LEVEL_SHARE = 0.02  # of the rows; with more levels than that, new ones keep coming
MORE_MISSING = 0.1  # how much more may be missing next week, as a share of the rows
MARGIN_IQRS = 3.0  # interquartile ranges beyond what was seen; next week's extremes lie within
MOSTLY = 0.99


def problem_text(
    *,
    name: str,
    path: Path,
    target: str,
    task: str | None,
    key: str | None,
    event_time: str | None,
    by_hash: bool,
) -> str:
    """Return a problem file; every name is quoted as JSON, which YAML reads as it stands.

    Args:
        name: of the problem.
        path: of the data, absolute.
        target: the column to predict.
        task: binary, multiclass or regression; None: left to the values.
        key: the column that names a row, if any.
        event_time: when a row happened, if any column says so.
        by_hash: True: although there is an event time, parts are cut by hash.
    """
    # A `$` begins a name of the environment, and glob has its own signs.
    pattern = glob.escape(str(path)).replace("$", "$$")
    lines = [
        "apiVersion: perennial/v1",
        "kind: Problem",
        f"name: {name}",
        f"question: {json.dumps(f'What is the {target} of a row of {path.name}?')}",
        "",
        "target:",
        f"  column: {json.dumps(target)}",
        *([f"  task: {task}"] if task else []),
        "",
        "source:",
        f"  {source_name(path)}:",
        "    kind: files",
        f"    path: {json.dumps(pattern)}",
        *([f"    key: [{json.dumps(key)}]"] if key else []),
        *([f"    event_time: {json.dumps(event_time)}"] if event_time else []),
    ]
    if by_hash:
        lines += ["", "split: { by: hash } # too few different times for parts in time"]
    return "\n".join(lines) + "\n"


def source_name(path: Path) -> str:
    """Return a source's name from a file's.

    >>> source_name(Path("2026 Orders (final).csv.gz"))
    'orders_final'
    """
    words = re.findall(r"[a-z][a-z0-9]*", path.name.split(".")[0].lower())
    return "_".join(words)[:40].rstrip("_") or "rows"


def suite_of(
    connection: duckdb.DuckDBPyConnection, columns: Sequence[Feature], rows: int
) -> list[dict[str, Any]]:
    """Return expectations that next week's data fulfil unless something is wrong: warnings only.

    Args:
        connection: with the table `data`.
        columns: the features.
        rows: of the table.
    """
    suite = [_expect("table_row_count_to_be_between", min_value=max(1, rows // 2))]
    for column in columns:
        name = duck.name(column.name)
        missing = rows - int(duck.rows(connection, f"SELECT count({name}) FROM data")[0][0])  # noqa: S608 - quoted
        share = missing / max(1, rows) + MORE_MISSING
        if share < 1.0 and column.role != "constant":
            suite.append(
                _expect(
                    "column_values_to_not_be_null", column=column.name, mostly=round(1 - share, 2)
                )
            )
        if column.role == "number":
            suite += _limits(connection, column)
        elif column.role in {"category", "binary"} and column.type == "string":
            suite += _levels(connection, column, rows)
    return suite


def _limits(connection: duckdb.DuckDBPyConnection, column: Feature) -> list[dict[str, Any]]:
    name = f"CAST({duck.name(column.name)} AS DOUBLE)"
    query = (
        f"SELECT min(x), max(x), quantile_cont(x, 0.25), quantile_cont(x, 0.75) "  # noqa: S608 - quoted
        f"FROM (SELECT {name} AS x FROM data) WHERE isfinite(x)"
    )
    least, greatest, low, high = duck.rows(connection, query)[0]
    if least is None:
        return []
    margin = MARGIN_IQRS * max(high - low, (greatest - least) / 10, abs(greatest) * 1e-6)
    limits = {"min_value": _rounded(least - margin), "max_value": _rounded(greatest + margin)}
    return [_expect("column_values_to_be_between", column=column.name, mostly=MOSTLY, **limits)]


def _levels(
    connection: duckdb.DuckDBPyConnection, column: Feature, rows: int
) -> list[dict[str, Any]]:
    name = duck.name(column.name)
    query = (
        f"SELECT DISTINCT {name} FROM data WHERE {name} IS NOT NULL ORDER BY 1 LIMIT {LEVELS + 1}"  # noqa: S608 - quoted
    )
    levels = [row[0] for row in duck.rows(connection, query)]
    if not levels or len(levels) > min(LEVELS, max(2, MAX_LEVEL_SHARE * rows)):
        return []
    return [
        _expect("column_values_to_be_in_set", column=column.name, value_set=levels, mostly=0.95)
    ]


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")


def _expect(kind: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"type": f"expect_{kind}", "kwargs": arguments, "severity": "warning", "meta": {}}


def readme_text(
    *,
    name: str,
    path: Path,
    target: str,
    task: LearningTask,
    classes: Sequence[str],
    rows: int,
    key: str | None,
    event_time: str | None,
    by_hash: bool,
    columns: Sequence[Feature],
    suspects: Sequence[str],
) -> str:
    """Return a README that says what was inferred and what only the owner knows."""
    split = "by a hash of the key"
    if event_time and not by_hash:
        split = f"by time, `{event_time}`"
    task_text = f"{task}" + (f" ({', '.join(classes)})" if classes else "")
    column_rows = "\n".join(
        f"| `{column.name}` | {column.role} | {'yes' if column.required else 'no'} |"
        for column in columns
    )
    suspect_lines = "".join(f"* {sentence}\n" for sentence in suspects) or "* Nothing stood out.\n"
    return f"""# {name}

What is the `{target}` of a row of `{path.name}`?
This folder was suggested from {rows} rows; it runs as it is.

    perennial plan {name}
    perennial run {name}

## What was inferred

* Task: {task_text}.
* Key: {f"`{key}`" if key else "none; a row is known by its content"}.
* Parts are cut {split}.

| column | role | required |
| --- | --- | --- |
{column_rows}

## What only you know

* Which columns are known only after the event? Name them under `features.drop`.
{suspect_lines}* What is decided with the answer, and what is a right or a wrong decision worth?
* Who is notified when something is wrong? Write it under `owner`.
* `expectations.json` holds warnings with wide limits; make the ones that matter critical.
"""
