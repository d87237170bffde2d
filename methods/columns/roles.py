"""The role of a column, inferred from its values alone.

The limits below are conventions that suited the development data sets, not theorems; the problem
file overrides the role column by column.
"""

import re
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from contract.strict import Strict

Role = Literal["number", "binary", "category", "date", "text", "id", "constant"]
Value = bool | int | float | str

ID_ROWS = 50  # fewer rows are too few to call distinct values a name
ID_SHARE = 0.98  # distinct values of all, from which a single word identifies the row
TEXT_WORDS = 3.0  # mean words of a value, from which a string is prose
TEXT_SHARE = 0.2  # distinct values of all, below which prose is a category with long names
TEXT_LEVELS = 40  # distinct values that are still a category, however long
DENSE = 4  # a counter fills its range at least to a quarter
PAIR = 2

_NAMED_ID = re.compile(
    r"(^|_|\b)(id|uuid|guid|index|row_?(number|num|no|names?)|rownames)$", re.IGNORECASE
)


class Feature(Strict):
    """One feature, as a client sends it."""

    name: str
    role: Role
    """`id` and `constant` hold no information; the encoder leaves them out."""
    type: str
    """The Arrow type's name: `int64`, `string`, `timestamp[us, tz=UTC]`, …"""
    required: bool
    """True where no development row lacks it."""
    unit: str | None = None
    range: tuple[float, float] | None = None
    """Of a number: least and greatest finite value seen, or as the problem declares."""
    values: tuple[Value, ...] = ()
    """Of a binary column: the two values, sorted; the second one becomes 1."""


def column_of(name: str, values: pa.ChunkedArray) -> Feature:
    """Describe a column by its values; shape (n,), nulls and NaN count as missing."""
    if pt.is_nested(values.type) or pt.is_binary(values.type) or pt.is_null(values.type):
        role: Role = "constant" if pt.is_null(values.type) else "id"
        return Feature(name=name, role=role, type=str(values.type), required=False)
    present = _present(values)
    distinct = pc.count_distinct(present).as_py() if len(present) else 0
    missing = len(values) - len(present)
    role = role_of(name, present, distinct, missing)
    return Feature(
        name=name,
        role=role,
        type=str(values.type),
        required=missing == 0,
        range=range_of(values) if role == "number" else None,
        values=pair_of(present) if role == "binary" else (),
    )


def role_of(name: str, present: pa.ChunkedArray, distinct: int, missing: int) -> Role:
    """Return the role of a column from the values it has.

    Args:
        name: the column's; `…_id` is a hint where the values allow it.
        present: the values without nulls.
        distinct: how many different ones there are.
        missing: rows without a value; one value *or none* still holds information.
    """
    kind = present.type
    if distinct == 0 or (distinct == 1 and missing == 0):
        return "constant"
    if pt.is_timestamp(kind) or pt.is_date(kind):
        return "date"
    if distinct == PAIR or pt.is_boolean(kind):
        return "binary"
    if pt.is_integer(kind):
        return _role_of_integers(name, present, distinct)
    if pt.is_floating(kind) or pt.is_decimal(kind):
        return "number"
    return _role_of_words(present, distinct) if is_string(kind) else "id"


def is_string(kind: pa.DataType) -> bool:
    """Say whether the type holds text."""
    return bool(pt.is_string(kind) or pt.is_large_string(kind) or pt.is_string_view(kind))


def range_of(values: pa.ChunkedArray) -> tuple[float, float] | None:
    """Return least and greatest finite value, or None where there is none."""
    numbers = pc.cast(values, pa.float64(), safe=False)
    finite = numbers.filter(pc.is_finite(numbers))
    if len(finite) == 0:
        return None
    limits = pc.min_max(finite).as_py()
    return (limits["min"], limits["max"])


def pair_of(present: pa.ChunkedArray) -> tuple[Value, ...]:
    """Return the two values of a binary column, the lesser one first."""
    if pt.is_boolean(present.type):
        return (False, True)
    values = pc.unique(present).to_pylist()
    plain = [float(value) if pt.is_decimal(present.type) else value for value in values]
    return tuple(sorted(plain))


def _present(values: pa.ChunkedArray) -> pa.ChunkedArray:
    if pt.is_dictionary(values.type):
        values = pc.cast(values, values.type.value_type)
    if pt.is_floating(values.type):
        return values.filter(pc.fill_null(pc.invert(pc.is_nan(values)), fill_value=False))
    return values.drop_null()


def _role_of_integers(name: str, present: pa.ChunkedArray, distinct: int) -> Role:
    """Tell measures from identifiers: integers that number the rows or refer to other records."""
    rows = len(present)
    named = bool(_NAMED_ID.search(name))
    if rows < ID_ROWS:
        return "id" if named and distinct == rows else "number"
    if distinct < rows:
        return "category" if named else "number"
    limits = pc.min_max(present).as_py()
    return "id" if named or limits["max"] - limits["min"] < DENSE * rows else "number"


def _role_of_words(present: pa.ChunkedArray, distinct: int) -> Role:
    rows = len(present)
    words = pc.mean(pc.add(pc.count_substring(pc.utf8_trim_whitespace(present), " "), 1)).as_py()
    if words >= TEXT_WORDS and distinct > TEXT_LEVELS and distinct >= TEXT_SHARE * rows:
        return "text"
    if rows >= ID_ROWS and distinct >= ID_SHARE * rows:
        # Near-unique names of two words (a person, a film) hold words that come again.
        return "text" if words >= PAIR else "id"
    return "category"
