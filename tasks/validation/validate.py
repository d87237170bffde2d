"""One source through validation: current rows, checks, good rows and the ones set aside."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from contract.errors import Refused
from contract.problem import Problem
from methods.tables import sql as duck
from methods.tables.snapshot import REASON, ROW, SourceSnapshot, View, materialise
from tasks.validation.expectations import check_suite
from tasks.validation.results import CheckResult, SourceReport, require_trust


@dataclass(frozen=True)
class Ranges:
    """The declared ranges of a source's columns, (least, greatest) by name."""

    by_column: dict[str, tuple[float, float]]


@dataclass(frozen=True)
class ValidatedSource:
    """A source after validation; the caller streams the two queries."""

    report: SourceReport
    reasons: list[tuple[str, int]]
    clean: str
    quarantine: str


def ranges_of(problem: Problem, source: str) -> Ranges:
    """Return the declared ranges that may be of a source's columns.

    A joined column has its own name in the prepared table, or `SOURCE_COLUMN` where that was taken.
    """
    return Ranges(
        {
            name.removeprefix(f"{source}_"): override.range
            for name, override in problem.columns.items()
            if override.range is not None
        }
    )


def validate(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    paths: Sequence[Path],
    source: SourceSnapshot,
    view: View,
    *,
    ranges: Ranges,
    expectations: Sequence[dict[str, Any]],
    budget: float,
    scratch: Path,
) -> ValidatedSource:
    """Check the current rows of a source.

    Raises:
        Refused: no row counts, a critical check failed, or too many rows were set aside.
        InvalidRequest: a declared column or an expectation does not fit the data.
    """
    materialise(connection, paths, source, view)
    total = int(duck.rows(connection, "SELECT count(*) FROM current")[0][0])
    if total == 0:
        sentence = (
            f"No row of the source {name!r} was known by {view.known_by.isoformat()}"
            f"{f' and is not older than {view.since.isoformat()}' if view.since else ''}; "
            "choose another window, or wait for data."
        )
        raise Refused(sentence)
    columns = duck.columns(connection, "SELECT * FROM current")
    ranges = Ranges({name: limits for name, limits in ranges.by_column.items() if name in columns})
    _mark_ranges(connection, ranges)
    checks = _contract_checks(connection, name, source, ranges)
    candidate = scratch / "candidate.parquet"
    good = f"SELECT * EXCLUDE ({REASON}) FROM current WHERE {REASON} IS NULL ORDER BY {ROW}"  # noqa: S608 - constants
    duck.run(connection, f"COPY ({good}) TO {duck.text(candidate)} (FORMAT parquet)")
    suite_results = check_suite(expectations, name, candidate, scratch)
    for check, query in suite_results:
        if query and check.severity == "critical" and not check.success:
            _mark(connection, candidate, query, check.name)
    reasons = [
        (str(reason), int(count))
        for reason, count in duck.rows(
            connection,
            f"SELECT {REASON}, count(*) FROM current WHERE {REASON} IS NOT NULL "  # noqa: S608 - constants
            "GROUP BY ALL ORDER BY 2 DESC, 1",
        )
    ]
    report = SourceReport(
        source=name,
        rows=total,
        quarantined=sum(count for _, count in reasons),
        checks=(*checks, *(check for check, _ in suite_results)),
    )
    require_trust(report, reasons, budget)
    query = "SELECT * EXCLUDE ({out}) FROM current WHERE {reason} {test} ORDER BY {row}"
    return ValidatedSource(
        report=report,
        reasons=reasons,
        clean=query.format(out=f"{ROW}, {REASON}", reason=REASON, test="IS NULL", row=ROW),
        quarantine=query.format(out=ROW, reason=REASON, test="IS NOT NULL", row=ROW),
    )


def _mark_ranges(connection: duckdb.DuckDBPyConnection, ranges: Ranges) -> None:
    """Set rows aside whose value lies outside the declared range."""
    for column, (least, greatest) in ranges.by_column.items():
        term = f"TRY_CAST({duck.name(column)} AS DOUBLE)"
        reason = duck.text(_outside(column, least, greatest))
        duck.run(
            connection,
            f"UPDATE current SET {REASON} = {reason} WHERE {REASON} IS NULL "  # noqa: S608 - quoted
            f"AND NOT coalesce({term} BETWEEN {least!r} AND {greatest!r}, true)",
        )


def _mark(connection: duckdb.DuckDBPyConnection, candidate: Path, query: str, reason: str) -> None:
    """Set the rows of a query aside; a row that has a reason gets a second one."""
    # The query is asked of what the expectation saw: `current` is that file, for this statement.
    scope = f"WITH current AS (SELECT * FROM read_parquet({duck.text(candidate)}))"  # noqa: S608 - quoted
    bad = f"{scope} SELECT DISTINCT {ROW} AS bad FROM ({query})"  # noqa: S608 - the engine's own
    duck.run(connection, f"CREATE OR REPLACE TEMP TABLE bad_rows AS {bad}")
    duck.run(
        connection,
        f"UPDATE current SET {REASON} = concat_ws('; ', {REASON}, {duck.text(reason)}) "  # noqa: S608 - quoted
        f"FROM bad_rows WHERE {ROW} = bad",
    )


def _contract_checks(
    connection: duckdb.DuckDBPyConnection, name: str, source: SourceSnapshot, ranges: Ranges
) -> list[CheckResult]:
    """Return what is checked whatever the suite says: keys, times and declared ranges."""
    counts = dict(
        duck.rows(
            connection,
            f"SELECT {REASON}, count(*) FROM current WHERE {REASON} IS NOT NULL GROUP BY 1",  # noqa: S608 - constants
        )
    )
    expected = [f"key {column} is missing" for column in source.key]
    expected += [
        f"{role} {column} is missing"
        for role, column in (("event_time", source.event_time), ("known_at", source.known_at))
        if column
    ]
    expected += ["the key stands twice in one load"] if source.key else []
    expected += [_outside(column, *limits) for column, limits in ranges.by_column.items()]
    return [
        CheckResult(
            source=name,
            name=f"never: {reason}",
            severity="critical",
            success=reason not in counts,
            bad_rows=int(counts.get(reason, 0)),
            observed=f"{counts.get(reason, 0)} rows",
        )
        for reason in expected
    ]


def _outside(column: str, least: float, greatest: float) -> str:
    return f"{column} is outside {least:g} to {greatest:g}"
