"""Encode numbers, and columns of two values."""

import numpy as np
import pyarrow as pa

from bundle.plans import CategoryPlan, EqualsPlan, NumberPlan
from methods.models.encoders.categories import canonical_codes
from methods.models.encoders.column import PAIR, FittedColumn, Output, encode_column, varies


def fit_number(name: str, values: pa.ChunkedArray) -> list[FittedColumn]:
    """Pass numbers on, two values as 0 and 1; no plan where the column is constant."""
    plan = NumberPlan(column=name)
    encoded = encode_column(plan, values)
    known = np.unique(encoded[~np.isnan(encoded)])
    if len(known) == PAIR:
        # LightGBM's extra_trees never splits a two-valued column unless it is coded 0 and 1.
        equals = EqualsPlan(column=name, one=float(known[1]))
        output = Output(column=name, kind="binary")
        return [FittedColumn(equals, [output], encode_column(equals, values))]
    if not varies(encoded[:, 0]):
        return []
    return [FittedColumn(plan, [Output(column=name, kind="number")], encoded)]


def fit_binary(name: str, values: pa.ChunkedArray) -> list[FittedColumn]:
    """Code the two values 0 and 1 in their order; anything else later on is missing."""
    if not pa.types.is_string(values.type) and not pa.types.is_large_string(values.type):
        return fit_number(name, values)
    _, names = canonical_codes(values)
    plan = CategoryPlan(column=name, values={word: code for code, word in enumerate(names[:PAIR])})
    encoded = encode_column(plan, values)
    if not varies(encoded[:, 0]):
        return []
    return [FittedColumn(plan, [Output(column=name, kind="binary")], encoded)]
