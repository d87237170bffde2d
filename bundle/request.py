"""What a caller may send as one row, by the contract, and what is wrong with a row that is not.

The service decodes good rows with a compiled form of these rules (`serving.rows`) and comes here
for the messages; deployment asks which golden rows a caller could send at all.
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Literal

from bundle.documents import Column, ColumnType, Contract
from contract.strict import Strict

SHOWN_CHARACTERS = 60  # arbitrary: of a value that a message shows

Kind = ColumnType | Literal["any"]

# `bool` is an `int` in Python, so it is named wherever it is welcome.
ACCEPTED: dict[Kind, tuple[type, ...]] = {
    "number": (int, float),
    "boolean": (bool, int, float),
    "category": (str, bool, int, float),
    "date": (str,),
    "text": (str,),
    "any": (str, bool, int, float),
}
_EXPECTED: dict[Kind, str] = {
    "number": "a number",
    "boolean": "true or false",
    "category": "a string, a number, or true or false",
    "date": "an ISO 8601 date or time as a string",
    "text": "a string",
    "any": "a string, a number, or true or false",
}


class Complaint(Strict):
    """What is wrong with one field of one row."""

    field: str
    """The column, or `$` for the row itself."""
    found: str
    expected: str
    row: int | None = None
    """The row's index in the batch, from 0; None where one row was sent."""

    @property
    def sentence(self) -> str:
        """The complaint as a sentence.

        >>> Complaint(field="age", found="null", expected="a number").sentence
        "'age': found null, expected a number"
        """
        where = "" if self.row is None else f"row {self.row}, "
        return f"{where}{self.field!r}: found {self.found}, expected {self.expected}"


def beside(contract: Contract) -> tuple[str, ...]:
    """Return the fields that the model does not use, but that may be sent along to be logged."""
    columns = {column.name for column in contract.columns}
    names = [*contract.key, *([contract.event_time] if contract.event_time else [])]
    return tuple(name for name in dict.fromkeys(names) if name not in columns)


def complaints(contract: Contract, row: object) -> list[Complaint]:
    """Return all that is wrong with `row`; nothing where a service of this contract answers it."""
    if not isinstance(row, Mapping):
        found = "null" if row is None else describe(row)
        return [Complaint(field="$", found=found, expected="an object of fields")]
    return list(_complaints(contract, row))


def describe(value: object) -> str:
    """Return a value as a message shows it: its JSON kind, and itself where it is short."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {value!r}"[:SHOWN_CHARACTERS]
    if isinstance(value, str):
        short = value if len(value) <= SHOWN_CHARACTERS else f"{value[:SHOWN_CHARACTERS]}…"
        return f"the string {short!r}"
    return "an array" if isinstance(value, list) else "an object"


def _complaints(contract: Contract, row: Mapping[str, object]) -> Iterator[Complaint]:
    known = {column.name for column in contract.columns}
    others = beside(contract)
    for column in contract.columns:
        if column.name in row:
            yield from _of_value(column, row[column.name])
        elif column.required:
            yield Complaint(field=column.name, found="no such field", expected=_wanted(column))
    for name in others:
        value = row.get(name)
        if value is not None and not isinstance(value, ACCEPTED["any"]):
            yield Complaint(
                field=name, found=describe(value), expected=f"{_EXPECTED['any']}, or null"
            )
    for name in row:
        if name not in known and name not in others:
            close = get_close_matches(name, [*known, *others], n=1)
            expected = f"{close[0]!r}; did you mean that" if close else "a column of the contract"
            yield Complaint(field=name, found="an unknown field", expected=expected)


def _of_value(column: Column, value: object) -> Iterator[Complaint]:
    if value is None:
        good = column.nullable
    else:
        good = isinstance(value, ACCEPTED[column.type])
        if isinstance(value, bool) and column.type == "number":
            good = False
    if good and column.type == "number" and isinstance(value, int | float):
        low, high = column.low, column.high
        good = (low is None or value >= low) and (high is None or value <= high)
    if not good:
        yield Complaint(field=column.name, found=describe(value), expected=_wanted(column))


def _wanted(column: Column) -> str:
    text = _EXPECTED[column.type]
    if column.type == "number" and column.low is not None:
        text += f" of at least {column.low:g}"
    if column.type == "number" and column.high is not None:
        text += f" {'and' if column.low is not None else 'of'} at most {column.high:g}"
    if column.unit:
        text += f" in {column.unit}"
    return f"{text}, or null" if column.nullable else text
