"""The encoder: raw rows in, one float64 matrix out; NaN is missing, a category is its code.

Every plan has one scalar function. One row calls it; a batch calls it on a column's distinct
values and gathers, so the two are equal by construction. Only columns that already are numbers
take a vectorised path, with the same policy.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from bundle.arrays import Floats
from bundle.plans import CategoryPlan, EncoderDocument, EqualsPlan, NumberPlan, Plan
from bundle.scalars import Scalar, prepare
from bundle.values import NAN, Unusable

if TYPE_CHECKING:
    import pyarrow as pa

Row = Mapping[str, object]


class Encoder:
    """The plans of a bundle, ready to run."""

    def __init__(self, document: EncoderDocument) -> None:
        """Prepare each plan's function."""
        self.plans = document.columns
        self.names = tuple(name for plan in self.plans for name in plan.names)
        """The encoded columns, in order."""
        self.width = len(self.names)
        self.coerced = dict.fromkeys((plan.column for plan in self.plans), 0)
        """By column: how many values had to be replaced by missing; the reader of it resets it."""
        self._columns = [(plan.column, *prepare(plan)) for plan in self.plans]

    @property
    def sizes(self) -> dict[int, int]:
        """The indices of category codes, and how many codes each has."""
        sizes, index = {}, 0
        for plan in self.plans:
            if isinstance(plan, CategoryPlan):
                sizes[index] = plan.size
            index += len(plan.names)
        return sizes

    def one(self, row: Row) -> list[float]:
        """Return the `width` numbers of one raw row; an absent column counts as missing."""
        out: list[float] = []
        for column, encode, missing in self._columns:
            try:
                out += encode(row.get(column))
            except Unusable:
                self.coerced[column] += 1
                out += missing
        return out

    def batch(self, table: "pa.Table") -> Floats:
        """Return the matrix (rows, width); an absent column counts as missing."""
        out = np.empty((table.num_rows, self.width))
        present = set(table.column_names)
        at = 0
        columns = zip(self.plans, self._columns, strict=True)
        for plan, (column, encode, missing) in columns:
            cell = out[:, at : at + len(missing)]
            at += len(missing)
            if column in present:
                self._fill(cell, plan, encode, missing, table.column(column))
            else:
                cell[:] = missing
        return out

    def _fill(
        self,
        cell: Floats,
        plan: Plan,
        encode: Scalar,
        missing: tuple[float, ...],
        column: "pa.ChunkedArray",
    ) -> None:
        if isinstance(plan, NumberPlan | EqualsPlan) and _is_numeric(column):
            cell[:, 0] = self._numbers(plan, column)
            return
        distinct, indices = _distinct(column)
        rows, unusable = [], np.zeros(len(distinct), bool)
        for position, value in enumerate(distinct):
            try:
                rows.append(encode(value))
            except Unusable:
                rows.append(missing)
                unusable[position] = True
        cell[:] = np.array(rows, np.float64).reshape(-1, len(missing))[indices]
        self.coerced[plan.column] += int(unusable[indices].sum())

    def _numbers(self, plan: NumberPlan | EqualsPlan, column: "pa.ChunkedArray") -> Floats:
        import pyarrow as pa  # noqa: PLC0415 - only batches need it, the service does without
        import pyarrow.compute as pc  # noqa: PLC0415 - as above

        floats = pc.cast(column.combine_chunks(), pa.float64(), safe=False)
        numbers: Floats = floats.to_numpy(zero_copy_only=False)
        infinite = np.isinf(numbers)
        self.coerced[plan.column] += int(infinite.sum())
        numbers = np.where(infinite, NAN, numbers)
        if isinstance(plan, EqualsPlan):
            return np.where(np.isnan(numbers), NAN, numbers == plan.one)
        if plan.low is not None:
            numbers = np.where(numbers < plan.low, plan.low, numbers)
        if plan.high is not None:
            numbers = np.where(numbers > plan.high, plan.high, numbers)
        return numbers


def _is_numeric(column: "pa.ChunkedArray") -> bool:
    from pyarrow import types  # noqa: PLC0415 - only batches need it, the service does without

    kind = column.type
    return bool(types.is_floating(kind) or types.is_integer(kind) or types.is_boolean(kind))


def _distinct(
    column: "pa.ChunkedArray",
) -> tuple[list[object], "np.ndarray[tuple[int], np.dtype[np.int64]]"]:
    """Return the column's distinct values, None last, and the index of each row's value."""
    import pyarrow as pa  # noqa: PLC0415 - only batches need it, the service does without
    import pyarrow.compute as pc  # noqa: PLC0415 - as above

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        # Python's datetime ends at microseconds, and no date part looks beyond seconds.
        column = pc.floor_temporal(column, unit="microsecond")
        column = column.cast(pa.timestamp("us", column.type.tz))
    array = column.combine_chunks()
    try:
        encoded = array.dictionary_encode()
    except pa.ArrowNotImplementedError:  # nested values: each is its own, and unusable
        distinct = [*_python(array), None]
        return distinct, np.arange(len(array))
    distinct = [*_python(encoded.dictionary), None]
    indices = pc.fill_null(encoded.indices.cast(pa.int64()), len(distinct) - 1)
    return distinct, indices.to_numpy(zero_copy_only=False)


def _python(column: "pa.Array") -> list[object]:
    """Return Python values; one that Python cannot hold (the year 20000) becomes unusable."""
    try:
        return list(column.to_pylist())
    except (ValueError, OverflowError):
        return [_python_value(scalar) for scalar in column]


def _python_value(scalar: "pa.Scalar") -> object:
    try:
        return scalar.as_py()
    except (ValueError, OverflowError):
        return Unusable
