"""A suite of Great Expectations, evaluated on DuckDB over a Parquet file.

An expectation belongs to the main source, or to the one that its `meta.source` names.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from contract.errors import InvalidRequest, Refused
from contract.messages import no_such_column
from methods.tables import sql as duck
from methods.tables.snapshot import ROW
from tasks.validation.results import CheckResult, Severity

_COMPOUND = "expect_compound_columns_to_be_unique"
_INDEX = "perennial_index"
_SEVERITIES: dict[str, Severity] = {"critical": "critical", "warning": "warning", "info": "info"}


def of_source(suite: Mapping[str, Any], source: str, main: str) -> list[dict[str, Any]]:
    """Return the expectations that a suite has for one source."""
    return [
        expectation
        for expectation in suite["expectations"]
        if ((expectation.get("meta") or {}).get("source") or main) == source
    ]


def check_suite(
    expectations: Sequence[dict[str, Any]], source: str, path: Path, scratch: Path
) -> list[tuple[CheckResult, str | None]]:
    """Evaluate the expectations on the rows at `path`; each check with the query of its bad rows.

    The query names the table `current`, and is None where there is no bad row or the expectation
    is of the whole table.

    Args:
        expectations: as the suite has them; none: nothing is imported.
        source: for sentences.
        path: a Parquet file with the column `perennial_row`.
        scratch: for DuckDB's files.

    Raises:
        InvalidRequest: an expectation is not known, or names a column that is not there.
        Refused: an expectation cannot be judged.
    """
    if not expectations:
        return []
    _check_columns(expectations, source, path)
    results = _validate(expectations, source, path, scratch)
    return [_check(result, source) for result in results]


def _validate(
    expectations: Sequence[dict[str, Any]], source: str, path: Path, scratch: Path
) -> list[dict[str, Any]]:
    """Return the results in the suite's order."""
    from tasks.validation.duckdb_dialect import gx  # noqa: PLC0415 - two seconds

    database = scratch / "checked.duckdb"
    with duckdb.connect(database) as connection:
        view = f"CREATE OR REPLACE VIEW current AS SELECT * FROM read_parquet({duck.text(path)})"  # noqa: S608 - quoted
        duck.run(connection, view)
    context = gx.get_context(mode="ephemeral")
    quiet: Any = {"globally": False}
    context.variables.progress_bars = quiet
    limits = f"memory_limit={duck.MEMORY}&threads={duck.THREADS}"
    source_handle = context.data_sources.add_sql(
        source, connection_string=f"duckdb:///{database}?{limits}", create_temp_table=False
    )
    asset = source_handle.add_table_asset("current", table_name="current")
    batch = asset.add_batch_definition_whole_table("whole").get_batch()
    suite = gx.ExpectationSuite(name=source)
    for index, expectation in enumerate(expectations):
        _add(suite, expectation, index)
    options = {"result_format": "COMPLETE", "unexpected_index_column_names": [ROW]}
    results = [
        result.to_json_dict() for result in batch.validate(suite, result_format=options).results
    ]
    source_handle.get_engine().dispose()
    return sorted(results, key=lambda result: result["expectation_config"]["meta"][_INDEX])


def _add(suite: Any, expectation: dict[str, Any], index: int) -> None:  # noqa: ANN401 - its own type
    from great_expectations.exceptions.exceptions import (  # noqa: PLC0415 - as above
        GreatExpectationsError,
    )
    from great_expectations.expectations.expectation_configuration import (  # noqa: PLC0415 - as above
        ExpectationConfiguration,
    )

    kind = str(expectation.get("type") or expectation.get("expectation_type"))
    meta = {**(expectation.get("meta") or {}), _INDEX: index}
    try:
        suite.add_expectation(
            ExpectationConfiguration(
                type=kind,
                kwargs=expectation.get("kwargs") or {},
                meta=meta,
                severity=expectation.get("severity", "critical"),
            ).to_domain_obj()
        )
    except (GreatExpectationsError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())[:200]
        sentence = (
            f"Expectation {index + 1} of the suite, {kind!r}, is not valid: {reason}; correct it."
        )
        raise InvalidRequest(sentence) from error


def _check_columns(expectations: Sequence[dict[str, Any]], source: str, path: Path) -> None:
    with duckdb.connect() as connection:
        query = f"SELECT * FROM read_parquet({duck.text(path)})"  # noqa: S608 - quoted
        known = duck.columns(connection, query)
    for expectation in expectations:
        arguments = expectation.get("kwargs") or {}
        named = [arguments.get(key) for key in ("column", "column_A", "column_B")]
        named += arguments.get("column_list") or []
        absent = [name for name in named if name is not None and name not in known]
        kind = str(expectation.get("type"))
        if absent and kind != "expect_column_to_exist":
            sentence = no_such_column(
                f"The source {source!r}",
                absent[0],
                [name for name in known if name != ROW],
                named_by=f"the expectation {kind!r}",
                advice="Correct the suite, or say in the expectation's meta.source which source "
                "it is of.",
            )
            raise InvalidRequest(sentence)


def _check(result: dict[str, Any], source: str) -> tuple[CheckResult, str | None]:
    config, outcome = result["expectation_config"], result["result"]
    name = expectation_text(config["type"], config["kwargs"])
    if "'raised_exception': True" in str(result["exception_info"]):
        sentence = (
            f"The expectation {name!r} of the source {source!r} cannot be judged on DuckDB; "
            "types are held by collection itself. Take it out of the suite."
        )
        raise Refused(sentence)
    query = outcome.get("unexpected_index_query")
    if query and config["type"] == _COMPOUND:
        # Its own query joins the table to itself without saying which side a column is of.
        columns = duck.names(config["kwargs"]["column_list"])
        query = f"SELECT {ROW} FROM current QUALIFY count(*) OVER (PARTITION BY {columns}) > 1"  # noqa: S608 - quoted
    is_of_rows = query is not None
    bad = int(outcome["unexpected_count"]) if is_of_rows else None
    observed = f"{outcome.get('observed_value')} was observed"
    if "unexpected_count" in outcome:
        observed = (
            f"{outcome['unexpected_count']} of {outcome['element_count']} rows do not fulfil it"
        )
    check = CheckResult(
        source=source,
        name=name,
        severity=_SEVERITIES[config.get("severity") or "critical"],
        success=bool(result["success"]),
        bad_rows=bad,
        observed=observed,
    )
    return check, query.rstrip("; \n") if query and bad else None


def expectation_text(kind: str, arguments: Mapping[str, Any]) -> str:
    """Return an expectation as a person reads it.

    >>> expectation_text("expect_column_values_to_be_between", {"column": "age", "min_value": 0})
    'age: values to be between (min_value=0)'
    """
    subject = arguments.get("column") or arguments.get("column_A") or "table"
    verb = kind.removeprefix("expect_").removeprefix("column_").removeprefix("table_")
    hidden = {"column", "batch_id", "strict_min", "strict_max"}
    rest = ", ".join(
        f"{name}={_plain(value)}" for name, value in arguments.items() if name not in hidden
    )
    return f"{subject}: {verb.replace('_', ' ')}" + (f" ({rest})" if rest else "")


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
