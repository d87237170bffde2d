"""Golden rows: synthetic rows from the encoder's own vocabulary and from ranges, never a real row.

Most are plausible column by column; some are missing, empty, unseen or malformed, because there
readers differ.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bundle.plans import CategoryPlan, DatePlan, EqualsPlan, LookupPlan, NumberPlan, Plan, TextPlan
from methods.models.encoding import Encoding

ROWS = 60
_PLAIN = 50  # the rest are the unusual ones below
_MISSING = 0.1  # share of a column
_WORDS = 8  # of a text; arbitrary
_DAY_MICROSECONDS = 86_400 * 1_000_000

Cell = bool | int | float | str | None
GoldenRow = dict[str, Cell]


def golden_rows(encoding: Encoding, table: pa.Table, seed: int) -> list[GoldenRow]:
    """Return ROWS rows for these plans; `table` gives the ranges of numbers and dates.

    Deterministic for a seed.
    """
    random = np.random.default_rng(seed)
    plans = _one_plan_per_column(encoding.document.columns)
    columns = {plan.column: _cells(plan, table[plan.column], _PLAIN, random) for plan in plans}
    rows: list[GoldenRow] = [
        {name: cells[index] for name, cells in columns.items()} for index in range(_PLAIN)
    ]
    names = list(columns)
    unusual: list[Cell] = [
        None,
        "",
        "never seen before",
        "1_0",
        "inf",
        "2024-02-30",
        -1,
        1e30,
        True,
    ]
    rows += [dict.fromkeys(names, value) for value in unusual]
    rows.append({})
    return rows[:ROWS]


def _one_plan_per_column(plans: Sequence[Plan]) -> list[Plan]:
    """Keep one plan per column: of a category the one with more values."""
    kept: dict[str, Plan] = {}
    for plan in plans:
        if plan.column not in kept or isinstance(plan, LookupPlan):
            kept[plan.column] = plan
    return list(kept.values())


def _cells(
    plan: Plan, values: pa.ChunkedArray, count: int, random: np.random.Generator
) -> list[Cell]:
    """Generate values of one column; every tenth is missing."""
    if isinstance(plan, NumberPlan):
        cells = _numbers(values, count, random)
    elif isinstance(plan, EqualsPlan):
        cells = [plan.one if one else _other(plan, values) for one in random.integers(0, 2, count)]
    elif isinstance(plan, CategoryPlan | LookupPlan):
        words = sorted(plan.values) or ["unseen"]
        cells = [words[i] for i in random.integers(0, len(words), count)]
    elif isinstance(plan, DatePlan):
        cells = _dates(values, count, random)
    else:
        cells = _texts(plan, count, random)
    missing = random.random(count) < _MISSING
    return [None if is_missing else value for value, is_missing in zip(cells, missing, strict=True)]


def _numbers(values: pa.ChunkedArray, count: int, random: np.random.Generator) -> list[Cell]:
    """Draw between the percentiles, rounded: close to real values, but none of them."""
    try:
        numbers = pc.cast(values.drop_null(), pa.float64(), safe=False).to_numpy()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # numbers written as text
        return [round(float(value), 3) for value in random.normal(size=count)]
    known = numbers[np.isfinite(numbers)]
    if len(known) == 0:
        return [0.0] * count
    drawn = np.quantile(known, random.uniform(0.01, 0.99, count))
    return [float(f"{value:.4g}") for value in drawn]


def _other(plan: EqualsPlan, values: pa.ChunkedArray) -> Cell:
    """Return the value that is not `one`."""
    for value in pc.unique(values.drop_null()).to_pylist():
        if float(value) != plan.one:
            return float(value)
    return plan.one - 1.0


def _dates(values: pa.ChunkedArray, count: int, random: np.random.Generator) -> list[Cell]:
    """Draw moments between the first and the last, to the minute."""
    try:
        moments = pc.cast(values.drop_null(), pa.timestamp("us"))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # dates written as text
        moments = pa.chunked_array([pa.array([0, _DAY_MICROSECONDS], pa.timestamp("us"))])
    limits = pc.min_max(moments)
    low, high = (limits[name].as_py() for name in ("min", "max"))
    return [
        (low + (high - low) * float(share)).isoformat(timespec="minutes")
        for share in random.random(count)
    ]


def _texts(plan: TextPlan, count: int, random: np.random.Generator) -> list[Cell]:
    """Join words of the vocabulary."""
    terms = [term for term, _, _ in plan.terms] or ["word"]
    return [
        " ".join(terms[i] for i in random.integers(0, len(terms), _WORDS)) for _ in range(count)
    ]
