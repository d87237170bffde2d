"""What is odd about the columns, a sentence each, from development rows alone."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from contract.learning_task import LearningTask
from methods.columns.roles import Feature, column_of
from methods.models.leakage import Finding, find_leaks

MISSING = 0.5  # share of rows, above which a column is mostly empty


def oddities(table: pa.Table, target: np.ndarray, task: LearningTask) -> list[Finding]:
    """Return what is odd, suspected leaks first, then in the columns' order.

    Args:
        table: the columns that a model may see; shape (n, columns).
        target: (n,), a class's index or a number, without NaN.
        task: what is learned.
    """
    columns = [column_of(name, table[name]) for name in table.column_names]
    found = find_leaks(table, target, task)
    for column in columns:
        found += _of_column(column, table[column.name])
    return found + duplicates(table)


def _of_column(column: Feature, values: pa.ChunkedArray) -> list[Finding]:
    name = column.name
    if column.role == "constant":
        sentence = (
            f"{name} has the same value in every row; it carries no information and is left out."
        )
        return [Finding(kind="constant", column=name, sentence=sentence)]
    found = []
    if column.role == "id":
        sentence = f"{name} only names its row; it is left out. Set its role if it means something."
        found.append(Finding(kind="id", column=name, sentence=sentence))
    share = missing_share(values)
    if share > MISSING:
        sentence = f"{name} is missing in {share:.0%} of the rows; is it still collected?"
        found.append(Finding(kind="missing", column=name, sentence=sentence, value=share))
    return found


def missing_share(values: pa.ChunkedArray) -> float:
    """Return the share of rows without a value; NaN is none."""
    if pt.is_floating(values.type):
        present = pc.sum(pc.fill_null(pc.invert(pc.is_nan(values)), fill_value=False)).as_py() or 0
        return 1.0 - float(present) / max(1, len(values))
    return float(values.null_count) / max(1, len(values))


def duplicates(table: pa.Table) -> list[Finding]:
    """Return the columns that repeat an earlier one, value for value."""
    found = []
    first: dict[object, list[str]] = {}
    for name in table.column_names:
        column = table[name]
        if pt.is_nested(column.type):
            continue
        # Cheap signs first; only columns with the same ones are compared value for value.
        sign = (str(column.type), column.null_count, _ends(column))
        twins = first.setdefault(sign, [])
        twin = next((other for other in twins if table[other].equals(column)), None)
        if twin is not None and len(pc.unique(column)) > 1:
            sentence = f"{name} repeats {twin} in every row; one of them is enough."
            found.append(Finding(kind="duplicate", column=name, sentence=sentence))
        twins.append(name)
    return found


def _ends(column: pa.ChunkedArray) -> Sequence[object]:
    return tuple(str(value) for value in column.slice(0, 20).to_pylist())
