"""Rows of a request: decoded and checked in one pass by a decoder that is compiled per model.

The decoder stops at the first fault; only then the slower rules of `bundle.request` look at the
whole request again and name every field.
"""

from collections.abc import Mapping
from typing import Annotated, Any, cast

import msgspec
from msgspec import Meta

from bundle.documents import Column, Contract
from bundle.request import Complaint, beside, complaints, describe

MOST_ROWS = 10_000
SHOWN_COMPLAINTS = 20  # arbitrary; more are counted

Value = str | bool | int | float | None
Row = Mapping[str, Value]


class NotJson(ValueError):
    """The body is not JSON."""


class Invalid(ValueError):
    """The body is JSON, but not what the contract wants."""

    def __init__(self, found: list[Complaint]) -> None:
        super().__init__(f"{len(found)} fields do not fit the contract")
        self.complaints = found


class Rows:
    """The decoders of one contract."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.names = tuple(column.name for column in contract.columns) + beside(contract)
        # Fields get neutral names, since a column may have one that Python has not.
        fields = [f"f{place}" for place in range(len(self.names))]
        required = [
            (field, _type_of(column))
            for field, column in zip(fields, contract.columns, strict=False)
            if column.required
        ]
        optional: list[tuple[str, object, None]] = [
            (field, _type_of(column), None)
            for field, column in zip(fields, contract.columns, strict=False)
            if not column.required
        ]
        optional += [
            (field, str | bool | int | float | None, None)
            for field in fields[len(contract.columns) :]
        ]
        self._kind = msgspec.defstruct(
            "Row",
            cast("Any", [*required, *optional]),
            rename=dict(zip(fields, self.names, strict=True)),
            forbid_unknown_fields=True,
            kw_only=True,
            gc=False,
        )
        # A struct keeps its fields in the order of its definition: required ones first.
        place_of = {field: place for place, field in enumerate(fields)}
        self._order = tuple(self.names[place_of[field]] for field in self._kind.__struct_fields__)
        self._one = msgspec.json.Decoder(self._kind)
        batch = msgspec.defstruct(
            "Batch",
            [("rows", Annotated[list[self._kind], Meta(max_length=MOST_ROWS)])],  # type: ignore[name-defined] # made above
            forbid_unknown_fields=True,
        )
        self._batch = msgspec.json.Decoder(batch)

    def one(self, body: bytes) -> Row:
        """Return the row of a request's body.

        Raises:
            NotJson, Invalid: it is not one.
        """
        try:
            return dict(
                zip(self._order, msgspec.structs.astuple(self._one.decode(body)), strict=True)
            )
        except msgspec.DecodeError as error:
            raise self._why(body, error, batch=False) from error

    def batch(self, body: bytes) -> list[Row]:
        """Return the rows of `{"rows": […]}`.

        Raises:
            NotJson, Invalid: it is not such an object, or has more than 10,000 rows.
        """
        try:
            rows = cast("Any", self._batch.decode(body)).rows
        except msgspec.DecodeError as error:
            raise self._why(body, error, batch=True) from error
        order, values = self._order, msgspec.structs.astuple
        return [dict(zip(order, values(row), strict=True)) for row in rows]

    def _why(self, body: bytes, error: msgspec.DecodeError, *, batch: bool) -> ValueError:
        try:
            value = msgspec.json.decode(body)
        except (msgspec.DecodeError, RecursionError) as broken:
            return NotJson(str(broken))
        found = self._of_batch(value) if batch else complaints(self.contract, value)
        if not found:  # the compiled rules are the stricter ones, by some detail
            found = [Complaint(field="$", found=str(error), expected="a row of the contract")]
        return Invalid(found)

    def _of_batch(self, value: object) -> list[Complaint]:
        shape = 'an object {"rows": […]} and nothing else'
        if not isinstance(value, dict) or set(value) != {"rows"}:
            return [Complaint(field="$", found=describe(value), expected=shape)]
        rows = value["rows"]
        if not isinstance(rows, list):
            return [Complaint(field="rows", found=describe(rows), expected="an array of rows")]
        if len(rows) > MOST_ROWS:
            expected = f"at most {MOST_ROWS:,}; send several batches"
            return [Complaint(field="rows", found=f"{len(rows):,} rows", expected=expected)]
        found: list[Complaint] = []
        for place, row in enumerate(rows):
            found += [
                complaint.model_copy(update={"row": place})
                for complaint in complaints(self.contract, row)
            ]
            if len(found) > SHOWN_COMPLAINTS:
                break
        return found


def _type_of(column: Column) -> object:
    kind: Any
    if column.type == "number":
        kind = Annotated[float, Meta(ge=column.low, le=column.high)]
    elif column.type == "boolean":
        kind = bool | int | float
    elif column.type == "category":
        kind = str | bool | int | float
    else:
        kind = str
    return kind | None if column.nullable else kind
