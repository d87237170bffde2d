"""Great Expectations 1.24 on DuckDB: three patches, to be dropped when it has an engine of its own.

Seen with great-expectations 1.24.1, duckdb 1.5 and 2.0, SQLAlchemy 2.0 and 2.1; its pull request
12084 is to bring a native engine. Import this module only where there is an expectation to check:
the import takes two seconds.
"""

import logging
import os
import sys
import warnings
from importlib import import_module
from typing import Any

from contract.runtime.environment import NO_TELEMETRY

for _name, _value in NO_TELEMETRY.items():
    os.environ.setdefault(_name, _value)  # before the import reads it

with warnings.catch_warnings():
    # It imports `sre_constants`, deprecated since Python 3.11.
    warnings.simplefilter("ignore", DeprecationWarning)
    import great_expectations as gx
    import sqlalchemy as sa

    # As Any: what is patched is not what its types promise.
    engine: Any = import_module("great_expectations.execution_engine.sqlalchemy_execution_engine")
    core: Any = import_module("great_expectations.expectations.core")
    util: Any = import_module("great_expectations.expectations.metrics.util")

# It logs whole tracebacks of what it also returns as results.
logging.getLogger("great_expectations").setLevel(logging.CRITICAL)


class _Dialect(str):  # a member of its enumeration of dialects is asked for `.value`
    __slots__ = ()

    @property
    def value(self) -> str:
        return str(self)


def _patch() -> None:
    """Apply the patches, once a process."""
    # 1. It leaves the connection's context, which rolls back, before it fetches; DuckDB then drops
    #    the result ("list index out of range"). For some dialects it keeps the connection open.
    if "duckdb" not in engine._PERSISTED_CONNECTION_DIALECTS:  # noqa: SLF001 - no public way
        kept = (*engine._PERSISTED_CONNECTION_DIALECTS, _Dialect("duckdb"))  # noqa: SLF001 - as above
        engine._PERSISTED_CONNECTION_DIALECTS = kept  # noqa: SLF001 - as above

    # 2. It knows no regular expressions for DuckDB; modules hold the function by its own name.
    original = util.get_dialect_regex_expression

    def regular_expression(column: Any, regex: str, dialect: Any, positive: bool = True) -> Any:  # noqa: ANN401 - SQLAlchemy's terms
        if "duckdb" not in getattr(dialect, "__name__", str(dialect)).lower():
            return original(column, regex, dialect, positive)
        matches = sa.func.regexp_matches(column, sa.literal(regex))
        return matches if positive else sa.not_(matches)

    name = "get_dialect_regex_expression"
    for module in list(sys.modules.values()):
        if getattr(module, name, None) is original:
            setattr(module, name, regular_expression)

    # 3. Its quantile expectation answers with a numpy.bool, which is not JSON.
    quantiles = core.ExpectColumnQuantileValuesToBeBetween
    validate = quantiles._validate  # noqa: SLF001 - no public way

    def plain(self: Any, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - its own types
        result = validate(self, *arguments, **named)
        result["success"] = bool(result["success"])
        return result

    quantiles._validate = plain  # noqa: SLF001 - as above


_patch()

__all__ = ["gx"]
