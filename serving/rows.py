"""Rows of a request: decoded and checked in one pass by a decoder that is compiled per model.

The decoder stops at the first error; only then the slower rules of `bundle.request` check the
whole request again and name every field.
"""

from collections.abc import Mapping
from typing import Annotated, Any, cast

import msgspec
from msgspec import Meta

from bundle.documents import Column, Contract
from bundle.prediction_rows import Value
from bundle.request import Complaint, beside, complaints, describe

MAX_ROWS = 10_000
SHOWN_COMPLAINTS = 20  # arbitrary; more are counted

Row = Mapping[str, Value]


class NotJson(ValueError):
    """The body is not JSON."""


class InvalidRows(ValueError):
    """The body is JSON, but does not match the contract."""

    def __init__(self, complaints: list[Complaint]) -> None:
        super().__init__(f"{len(complaints)} fields do not fit the contract")
        self.complaints = complaints


class RowDecoder:
    """Decodes the requests of one contract."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.names = tuple(column.name for column in contract.columns) + beside(contract)
        # Fields get neutral names, since a column's name may be no identifier of Python.
        fields = [f"f{index}" for index in range(len(self.names))]
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
        self._row_type = msgspec.defstruct(
            "Row",
            cast("Any", [*required, *optional]),
            rename=dict(zip(fields, self.names, strict=True)),
            forbid_unknown_fields=True,
            kw_only=True,
            gc=False,
        )
        # A struct keeps its fields in the order of its definition: required ones first.
        index_of = {field: index for index, field in enumerate(fields)}
        self._order = tuple(
            self.names[index_of[field]] for field in self._row_type.__struct_fields__
        )
        self._one = msgspec.json.Decoder(self._row_type)
        batch = msgspec.defstruct(
            "Batch",
            [("rows", Annotated[list[self._row_type], Meta(max_length=MAX_ROWS)])],  # type: ignore[name-defined] # made above
            forbid_unknown_fields=True,
        )
        self._batch = msgspec.json.Decoder(batch)

    def one(self, body: bytes) -> Row:
        """Return the row of a request's body.

        Raises:
            NotJson, InvalidRows: it is not one.
        """
        try:
            return dict(
                zip(self._order, msgspec.structs.astuple(self._one.decode(body)), strict=True)
            )
        except msgspec.DecodeError as error:
            raise self._error(body, error, batch=False) from error

    def batch(self, body: bytes) -> list[Row]:
        """Return the rows of `{"rows": […]}`.

        Raises:
            NotJson, InvalidRows: it is not such an object, or has more than 10,000 rows.
        """
        try:
            rows = cast("Any", self._batch.decode(body)).rows
        except msgspec.DecodeError as error:
            raise self._error(body, error, batch=True) from error
        order, values = self._order, msgspec.structs.astuple
        return [dict(zip(order, values(row), strict=True)) for row in rows]

    def _error(self, body: bytes, error: msgspec.DecodeError, *, batch: bool) -> ValueError:
        try:
            value = msgspec.json.decode(body)
        except (msgspec.DecodeError, RecursionError) as broken:
            return NotJson(str(broken))
        errors = self._batch_errors(value) if batch else complaints(self.contract, value)
        if not errors:  # the compiled rules are stricter in some detail
            errors = [Complaint(field="$", found=str(error), expected="a row of the contract")]
        return InvalidRows(errors)

    def _batch_errors(self, value: object) -> list[Complaint]:
        shape = 'an object {"rows": […]} and nothing else'
        if not isinstance(value, dict) or set(value) != {"rows"}:
            return [Complaint(field="$", found=describe(value), expected=shape)]
        rows = value["rows"]
        if not isinstance(rows, list):
            return [Complaint(field="rows", found=describe(rows), expected="an array of rows")]
        if len(rows) > MAX_ROWS:
            expected = f"at most {MAX_ROWS:,}; send several batches"
            return [Complaint(field="rows", found=f"{len(rows):,} rows", expected=expected)]
        errors: list[Complaint] = []
        for index, row in enumerate(rows):
            errors += [
                complaint.model_copy(update={"row": index})
                for complaint in complaints(self.contract, row)
            ]
            if len(errors) > SHOWN_COMPLAINTS:
                break
        return errors


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
