"""What the numpy twin of the C kernel costs: one forest, the same rows, both side by side."""

import os
import time
from array import array
from collections.abc import Callable
from statistics import median

import lightgbm
import numpy as np

from benchmarks.report import table, write_section
from bundle import kernel
from bundle.tensors import Tensors
from bundle.trees import Trees
from methods.models.converters.lightgbm import lightgbm_trees

ROWS, COLUMNS, TREES, LEAVES = 20_000, 20, 200, 31
REPEATS = 7


def main() -> None:
    """Measure and write the section."""
    random = np.random.default_rng(0)
    rows = random.normal(size=(ROWS, COLUMNS))
    tensors = _forest(rows, random)
    members = {name: _member(name, tensors) for name in ("c", "numpy")}
    same = np.array_equal(members["c"].batch(rows), members["numpy"].batch(rows))
    one = array("d", rows[0].tolist())
    lines: list[list[object]] = []
    for what, times, work in (
        (f"{ROWS:,} rows at once", 1, lambda member: member.batch(rows)),
        ("one row", 20, lambda member: member.one(one)),
    ):
        c, numpy = (_seconds(work, members[name], times) for name in ("c", "numpy"))
        lines.append([what, f"{c * 1e6:,.0f}", f"{numpy * 1e6:,.0f}", f"{numpy / c:.0f}"])
    text = (
        f"{TREES} trees with {LEAVES} leaves over {COLUMNS} columns, CPU time, medians of {REPEATS}; "
        f"the scores are {'the same to the last bit' if same else '**not the same**'}.\n\n"
        + table(["", "C, µs", "numpy twin, µs", "times"], lines)
    )
    write_section("The kernel and its twin", "make bench-kernel", text)


def _forest(rows: np.ndarray, random: np.random.Generator) -> Tensors:
    target = (rows[:, 0] * rows[:, 1] + random.normal(size=len(rows)) > 0).astype(float)
    settings = {"objective": "binary", "num_leaves": LEAVES, "verbose": -1, "num_threads": 1}
    data = lightgbm.Dataset(rows, target)
    return lightgbm_trees(lightgbm.train(settings, data, num_boost_round=TREES))


def _member(name: str, tensors: Tensors) -> Trees:
    """Return the forest as the kernel of that name reads it."""
    os.environ["PERENNIAL_KERNEL"] = name
    kernel.pick.cache_clear()
    return Trees(tensors)


def _seconds(work: Callable[[Trees], object], member: Trees, times: int) -> float:
    """Return the CPU-seconds of one piece of work; the first is a warming up."""
    found = []
    for _ in range(REPEATS + 1):
        began = time.process_time()
        for _ in range(times):
            work(member)
        found.append((time.process_time() - began) / times)
    return median(found[1:])


if __name__ == "__main__":
    main()
