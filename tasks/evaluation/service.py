"""The checks of a model as a service: size, latency, golden rows, and its callers' contract."""

import time

import numpy as np

from bundle.documents import Contract
from bundle.model import Model
from contract.verdict import Check

CALLS = 1_000  # golden rows in turn
_LAST_SHARE = 0.99


def check_size(size_bytes: int, limit_bytes: int) -> Check:
    """Is the bundle small enough?"""
    passed = size_bytes <= limit_bytes
    why = f"the bundle has {size_bytes} bytes; at most {limit_bytes} are allowed."
    return Check(name="size", passed=passed, why=why, found=size_bytes, limit=limit_bytes)


def check_golden(model: Model) -> Check:
    """Record that the reader reproduced every golden row; `bundle.load` refuses a model otherwise."""
    count = len(model.golden.rows)
    why = f"the reader reproduces all {count} golden rows."
    return Check(name="golden rows", passed=True, why=why, found=count)


def latency_seconds(model: Model, calls: int = CALLS) -> float:
    """Return the 99th percentile of the CPU time of one row, over golden rows.

    Time that the process waits for a busy machine does not count; a model's own threads do.
    """
    rows = [golden.row for golden in model.golden.rows]
    used = np.empty(calls)
    for call in range(calls):
        began = time.process_time_ns()
        model.one(rows[call % len(rows)])
        used[call] = (time.process_time_ns() - began) / 1e9
    return float(np.quantile(used, _LAST_SHARE))


def check_latency(measured_seconds: float, limit_seconds: float) -> Check:
    """Is one row fast enough?

    The measured number is a fact of the stage, not of the verdict: two runs measure different ones,
    and the verdict's bytes must not differ for that.
    """
    passed = bool(measured_seconds <= limit_seconds)
    comparison = "takes at most" if passed else "takes more than"
    why = f"one row {comparison} {limit_seconds * 1e3:g} ms of CPU at the 99th percentile"
    why += "." if passed else "; allow more, or ask for fewer candidates."
    return Check(name="latency", passed=passed, why=why, limit=limit_seconds)


def check_contract(new: Contract, old: Contract) -> Check:
    """Can every row that the champion's callers may send be read?"""
    before = {column.name: column for column in old.columns}
    broken = []
    for column in new.columns:
        old_column = before.get(column.name)
        if old_column is None:
            if column.required:
                broken.append(f"{column.name!r} is new and required")
            continue
        if column.type not in {old_column.type, "category"}:  # a category takes any scalar
            broken.append(f"{column.name!r} was a {old_column.type} and is a {column.type}")
        if column.required and not old_column.required:
            broken.append(f"{column.name!r} became required")
        if old_column.nullable and not column.nullable:
            broken.append(f"{column.name!r} may no longer be null")
    if (new.task, new.output.name, new.classes) != (old.task, old.output.name, old.classes):
        broken.append(f"it answers {new.output.name!r} with other classes or another task")
    if not broken:
        why = "every row that the champion's callers send can be read."
        return Check(name="contract", passed=True, why=why)
    why = f"the champion's callers would break: {'; '.join(broken)}. Set `columns` in the problem file."
    return Check(name="contract", passed=False, why=why, found=len(broken), limit=0.0)
