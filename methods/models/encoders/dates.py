"""Encode dates by the parts that repeat."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pyarrow as pa

from bundle.plans import DatePart, DatePlan
from methods.models.encoders.column import FittedColumn, Output, encode_column, varies

# After how many days a part of a date repeats. Parts that never do (year, days) are no features:
# they identify when a row was, not what kind of day it was, and a tree would extrapolate the level
# of the last weeks.
CYCLE_DAYS: Mapping[DatePart, float] = MappingProxyType(
    {
        "minute": 1 / 24,
        "hour": 1.0,
        "weekday": 7.0,
        "day": 31.0,
        "month": 366.0,
        "dayofyear": 366.0,
    }
)
SEEN_CYCLES = 2  # until seen twice, a month is as absolute as a year


def fit_date(name: str, values: pa.ChunkedArray) -> list[FittedColumn]:
    """Keep the parts whose cycle the training rows have seen, and that vary over them."""
    days = encode_column(DatePlan(column=name, parts=("days",)), values)[:, 0]
    known = days[np.isfinite(days)]
    span = float(np.ptp(known)) if len(known) else 0.0
    parts = [part for part, cycle in CYCLE_DAYS.items() if span >= SEEN_CYCLES * cycle]
    if not parts:
        return []
    encoded = encode_column(DatePlan(column=name, parts=tuple(parts)), values)
    kept = [i for i in range(len(parts)) if varies(encoded[:, i])]
    if not kept:
        return []
    plan = DatePlan(column=name, parts=tuple(parts[i] for i in kept))
    return [FittedColumn(plan, [Output(column=name, kind="date")] * len(kept), encoded[:, kept])]
