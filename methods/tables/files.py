"""Landed files as DuckDB reads them: what kind they are, and the types of their columns.

Types are sniffed file by file over every row: a column whose first 20,000 values are whole numbers
need not stay so, and one that is empty in one file takes its type from the others.
"""

import gzip
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from contract.errors import InvalidRequest
from contract.strict import Strict
from methods.tables import sql

# Spellings of a missing value in CSV, as the usual readers of tables know them.
MISSING_TEXTS = ("", "NA", "N/A", "NaN", "nan", "NULL", "null", "?")
_KINDS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".jsonl": "json",
    ".ndjson": "json",
    ".json": "json",
    ".parquet": "parquet",
}
_COMPRESSED = {".gz", ".zst"}
_CSV = f"header = true, quote = '\"', escape = '\"', nullstr = [{', '.join(map(sql.text, MISSING_TEXTS))}]"
_DELIMITERS = (",", ";", "\t", "|")
_HEADER_BYTES = 1 << 20
# Each type holds the values of those before it, so that the later one of two holds both.
_NUMBERS = (
    "UTINYINT",
    "TINYINT",
    "USMALLINT",
    "SMALLINT",
    "UINTEGER",
    "INTEGER",
    "UBIGINT",
    "BIGINT",
    "HUGEINT",
    "FLOAT",
    "DOUBLE",
)
_TIMES = ("DATE", "TIMESTAMP")
_EMPTY = {"VARCHAR", "JSON"}
"""The sniffed types of a column without a value; texts have them as well."""


def kind_of(path: Path) -> str:
    """Return csv, json or parquet by the file's name.

    Raises:
        InvalidRequest: the name ends otherwise.
    """
    suffix = Path(path.stem).suffix if path.suffix in _COMPRESSED else path.suffix
    kind = _KINDS.get(suffix.lower())
    if kind is None:
        known = ", ".join(sorted(_KINDS))
        sentence = (
            f"The file {path.name!r} is of no known kind; its name should end in one of {known}, "
            "with .gz or .zst behind it or not."
        )
        raise InvalidRequest(sentence)
    return kind


class FileFormat(Strict):
    """How one file is written: sniffed once, used for names, types and rows alike."""

    path: Path
    kind: str
    columns: dict[str, str]
    """In the order of the file, with the types that hold every value of it."""
    options: str = ""
    """Of `read_csv`: the delimiter and how times are written."""


def sniff(connection: duckdb.DuckDBPyConnection, path: Path) -> FileFormat:
    """Return how a file is written; every row is looked at."""
    kind, file = kind_of(path), sql.text(path)
    if kind == "parquet":
        types = sql.columns(connection, f"SELECT * FROM read_parquet({file})")  # noqa: S608 - quoted
        return FileFormat(path=path, kind=kind, columns=types)
    if kind == "json":
        query = f"SELECT * FROM read_json({file}, format = 'auto', sample_size = -1)"  # noqa: S608 - quoted
        return FileFormat(path=path, kind=kind, columns=sql.columns(connection, query))
    # To try fewer dialects is four times faster: files are many and small.
    delimiter = _delimiter(path)
    fixed = "" if delimiter is None else f", delim = {sql.text(delimiter)}"
    query = (
        "SELECT Delimiter, DateFormat, TimestampFormat, Columns "  # noqa: S608 - quoted
        f"FROM sniff_csv({file}, {_CSV}, sample_size = -1{fixed})"
    )
    found_delimiter, date, moment, columns = sql.rows(connection, query)[0]
    options = f"delim = {sql.text(found_delimiter)}"
    options += f", dateformat = {sql.text(date)}" if date else ""
    options += f", timestampformat = {sql.text(moment)}" if moment else ""
    named = {column["name"]: column["type"] for column in columns}
    return FileFormat(path=path, kind=kind, columns=named, options=options)


def scan(form: FileFormat, types: Mapping[str, str]) -> str:
    """Return the table function that reads one file with the given types."""
    file = sql.text(form.path)
    if form.kind == "parquet":
        return f"read_parquet({file})"
    used = {name: types.get(name, "VARCHAR") for name in form.columns}
    typed = "{" + ", ".join(f"{sql.text(n)}: {sql.text(t)}" for n, t in used.items()) + "}"
    if form.kind == "json":
        return f"read_json({file}, format = 'auto', columns = {typed})"
    return f"read_csv({file}, auto_detect = false, {_CSV}, {form.options}, columns = {typed})"


def common_columns(
    connection: duckdb.DuckDBPyConnection, forms: Sequence[FileFormat]
) -> dict[str, str]:
    """Return the columns of all files together and the types that hold every value."""
    by_name: dict[str, list[tuple[FileFormat, str]]] = {}
    for form in forms:
        for name, kind in form.columns.items():
            by_name.setdefault(name, []).append((form, kind))
    return {name: _common(connection, name, kinds) for name, kinds in by_name.items()}


def fits(kind: str, before: str, now: str) -> bool:
    """Return whether a column of this type may come where `before` is expected.

    Of CSV and JSON only the name is known before the values are read; casting checks them.
    """
    return kind != "parquet" or before == now or _wider(before, now) == before


def _common(
    connection: duckdb.DuckDBPyConnection, name: str, kinds: Sequence[tuple[FileFormat, str]]
) -> str:
    """Return the type that holds a column's values in every file that has it."""
    distinct = list(dict.fromkeys(kind for _, kind in kinds))
    informative = [kind for kind in distinct if kind not in _EMPTY]
    if not informative or ("BOOLEAN" in informative and _has_other_words(connection, name, kinds)):
        return "VARCHAR"
    widest = informative[0]
    for kind in informative[1:]:
        widest = _wider(widest, kind)
    if len(informative) == len(distinct) or widest == "VARCHAR":
        return widest
    uncertain = [form for form, kind in kinds if kind in _EMPTY]
    return "VARCHAR" if any(_has_texts(connection, form, name) for form in uncertain) else widest


def _wider(one: str, other: str) -> str:
    """Return the type that holds both, text where no other does."""
    if one == other:
        return one
    for family in (_NUMBERS, _TIMES):
        if one in family and other in family:
            return max(one, other, key=family.index)
    if all(kind in _NUMBERS or kind.startswith("DECIMAL") for kind in (one, other)):
        return "DOUBLE"
    return "VARCHAR"


def _has_texts(connection: duckdb.DuckDBPyConnection, form: FileFormat, name: str) -> bool:
    """Return whether a column that was sniffed as text holds any value in a file."""
    counted = f"SELECT count({sql.name(name)}) FROM {scan(form, {})}"  # noqa: S608 - quoted
    return bool(sql.rows(connection, counted)[0][0])


def _has_other_words(
    connection: duckdb.DuckDBPyConnection, name: str, kinds: Sequence[tuple[FileFormat, str]]
) -> bool:
    """Return whether a CSV column that was sniffed as boolean holds other words than true and false.

    DuckDB takes yes and no for booleans as well; a client who sends `yes` means the text.
    """
    other = f"lower({sql.name(name)}) NOT IN ('true', 'false')"
    return any(
        sql.rows(connection, f"SELECT 1 FROM {scan(form, {})} WHERE {other} LIMIT 1")  # noqa: S608 - quoted
        for form, kind in kinds
        if form.kind == "csv" and kind == "BOOLEAN"
    )


def _delimiter(path: Path) -> str | None:
    """Return the delimiter of the header's columns, or None where it is ambiguous."""
    opened = {".gz": gzip.open, ".zst": None}.get(path.suffix, open)
    if opened is None:
        return None
    try:
        with opened(path, "rb") as file:
            header = file.readline(_HEADER_BYTES).decode("utf-8", errors="replace")
    except (OSError, EOFError, zlib.error):
        return None  # the reader's own error says more
    counts = {mark: header.count(mark) for mark in _DELIMITERS}
    likeliest = max(counts, key=lambda mark: counts[mark])
    return (
        likeliest
        if counts[likeliest] and sum(count > 0 for count in counts.values()) == 1
        else None
    )
