"""Row-wise cleaning: what each column's type says, and nothing that another row could change.

Texts are trimmed and empty ones are missing; numbers are int64 or double, NaN and infinity are
missing; times are instants in UTC. What fits to the data (scales, categories, limits) belongs to
the encoder, inside training.
"""

from collections.abc import Mapping

from contract.problem import Problem
from methods.tables import sql as duck

_WHOLE = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"}
_NESTED = ("STRUCT", "MAP", "UNION", "BLOB", "BIT")


def cleaned(columns: Mapping[str, str], problem: Problem) -> tuple[dict[str, str], list[str]]:
    """Return the term of each column that stays, by name, and the columns that cannot.

    Args:
        columns: DuckDB's types by name.
        problem: its `columns` may say that a text is a number or a date.
    """
    terms: dict[str, str] = {}
    left_out: list[str] = []
    for name, kind in columns.items():
        override = problem.columns.get(name)
        term = _term(duck.name(name), kind, override.role if override else None, problem.timezone)
        if term is None:
            left_out.append(name)
        else:
            terms[name] = term
    return terms, left_out


def _term(column: str, kind: str, role: str | None, timezone: str) -> str | None:
    """Return the term for one column by its type, None for a type that no model reads."""
    if kind.endswith("]") or kind.startswith(_NESTED):
        return None
    if kind in {"VARCHAR", "UUID"} or kind.startswith("ENUM"):
        return _text(f"nullif(trim(CAST({column} AS VARCHAR)), '')", role, timezone)
    if kind in {"TIMESTAMP WITH TIME ZONE", "BOOLEAN"}:
        return column
    if kind.startswith(("TIMESTAMP", "DATE")):
        return f"CAST({column} AS TIMESTAMP) AT TIME ZONE {duck.text(timezone)}"
    if kind in _WHOLE:
        return f"CAST({column} AS BIGINT)"
    return _number(column, kind)


def _number(column: str, kind: str) -> str:
    """Return a double: a length of time in seconds, or the number itself where it is finite."""
    if kind == "INTERVAL" or kind.startswith("TIME"):
        return f"CAST(date_part('epoch', {column}) AS DOUBLE)"
    number = f"CAST({column} AS DOUBLE)"
    return f"CASE WHEN isfinite({number}) THEN {number} END"


def _text(term: str, role: str | None, timezone: str) -> str:
    if role == "number":
        return f"TRY_CAST({term} AS DOUBLE)"
    if role == "date":
        return f"TRY_CAST({term} AS TIMESTAMP) AT TIME ZONE {duck.text(timezone)}"
    return term
