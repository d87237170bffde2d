"""The numpy twin of `_flatforest.c`: same functions, same faults, same bits.

It costs 20 times as much in batches and over 100 times for one row (`make bench-kernel`).
It is used where no compiler is at hand, and it is the tests' oracle for the C kernel.
"""

import math

import numpy as np

from bundle.arrays import Floats
from bundle.node_forest import (
    AVERAGE,
    FLOAT32,
    IDENTITY,
    SIGMOID,
    TINY,
    Flags,
    Indices,
    NodeForest,
    build,
    flat_view,
)

__all__ = ["build", "dense", "predict"]

_TINIEST = float(np.float32(1e-35))

_CELLS = 1 << 20  # rows times trees that are walked at once: bounds memory


def predict(forest: NodeForest, rows: object, out: object, raw: int, /) -> None:
    """Fill `out` (n, outputs) with the scores of `rows` (n, features); `raw` leaves the link out.

    Raises:
        ValueError: when the shapes do not fit.
    """
    source = flat_view(rows, "<f8")
    target = flat_view(out, "<f8")
    count = source.size // forest.features
    if source.size != count * forest.features or target.size != count * forest.outputs:
        why = "bad shape"
        raise ValueError(why)
    source = source.reshape(count, forest.features)
    target = target.reshape(count, forest.outputs)
    block = max(1, _CELLS // len(forest.roots))
    for start in range(0, count, block):
        scores = _predict_rows(forest, source[start : start + block])
        target[start : start + block] = _finish(forest, scores, raw)


def dense(rows: object, weights: object, bias: object, out: object, relu: int, /) -> None:
    """Fill `out` (n, m) with rows (n, k) @ weights (k, m) + bias (m,), input by input.

    Raises:
        ValueError: when the shapes do not fit.
    """
    source, matrix = flat_view(rows, "<f8"), flat_view(weights, "<f8")
    offset, target = flat_view(bias, "<f8"), flat_view(out, "<f8")
    outputs = offset.size
    inputs = matrix.size // outputs if outputs else 0
    count = source.size // inputs if inputs else 0
    fits = matrix.size == inputs * outputs and source.size == count * inputs
    if count == 0 or not fits or target.size != count * outputs:
        why = "bad shape"
        raise ValueError(why)
    source, matrix = source.reshape(count, inputs), matrix.reshape(inputs, outputs)
    sums = np.tile(offset, (count, 1))
    with np.errstate(over="ignore", invalid="ignore"):
        for index in range(inputs):
            values = source[:, index, None]
            np.add(sums, values * matrix[index], out=sums, where=values != 0.0)
        if relu:
            sums = np.where(sums > 0.0, sums, 0.0)
    target.reshape(count, outputs)[:] = sums


def _predict_rows(forest: NodeForest, source: Floats) -> Floats:
    """Walk all rows down all trees at once, a level at a time, and sum in the order of trees."""
    rows = _loaded(forest, source)
    nodes = np.broadcast_to(forest.roots, (len(rows), len(forest.roots)))
    line = np.arange(len(rows))[:, None]
    while True:
        below = _step(forest, nodes, rows[line, forest.feature[nodes]])
        if np.array_equal(below, nodes):
            break
        nodes = below
    values = forest.threshold[nodes]
    sums = np.tile(forest.init, (len(rows), 1))
    with np.errstate(over="ignore", invalid="ignore"):
        for tree in range(len(forest.roots)):
            if forest.width > 1:
                at = slice(None)
                leaf = values[:, tree].astype(np.int64)[:, None] * forest.width
                added = forest.leaves[leaf + np.arange(forest.width)]
            else:
                at = slice(tree % forest.outputs, tree % forest.outputs + 1)
                added = values[:, tree, None]
            total = sums[:, at] + added
            sums[:, at] = total.astype(np.float32) if forest.float32_sums else total
    return sums


def _loaded(forest: NodeForest, source: Floats) -> Floats:
    rows = np.empty((len(source), forest.features + 1))
    rows[:, :-1] = source
    if forest.cast == FLOAT32:
        with np.errstate(over="ignore"):
            rows[:, :-1] = source.astype(np.float32)
    elif forest.cast == TINY:
        rows[:, :-1][np.abs(source) <= _TINIEST] = 0.0
    rows[:, -1] = -np.inf
    return rows


def _step(forest: NodeForest, nodes: Indices, values: Floats) -> Indices:
    with np.errstate(invalid="ignore"):
        left = values <= forest.threshold[nodes]
    absent = np.isnan(values)
    left |= absent & forest.nan_left[nodes]
    categorical = forest.categorical[nodes]
    if categorical.any():
        at = nodes[categorical]
        left[categorical] = _in_set(forest, at, values[categorical])
    # A leaf's row holds -inf, which is <= every value: it steps to itself.
    below: Indices = forest.child[nodes] + np.where(left, 0, 1)
    return below


def _in_set(forest: NodeForest, at: Indices, values: Floats) -> Flags:
    inside = (values > -1.0) & (values < forest.words[at] * 32.0)  # NaN compares false
    codes = np.where(inside, values, 0.0).astype(np.int64)
    words = forest.bits[np.where(inside, forest.offset[at] + (codes >> 5), 0)]
    member = (words >> (codes & 31).astype(np.uint32) & np.uint32(1)).astype(bool)
    left = np.where(inside, member, forest.outside_left[at])
    left_or_missing: Flags = np.where(np.isnan(values), forest.nan_left[at], left)
    return left_or_missing


def _finish(forest: NodeForest, sums: Floats, raw: int) -> Floats:
    if forest.link == AVERAGE:
        return sums / float(len(forest.roots))
    with np.errstate(over="ignore", invalid="ignore"):
        scores = sums * forest.scale + forest.bias
    if raw or forest.link == IDENTITY:
        return scores
    linked = _sigmoid if forest.link == SIGMOID else _softmax
    return np.array([linked(row) for row in scores.tolist()]).reshape(scores.shape)


def _exp(value: float) -> float:
    """Return libm's exp as C has it: an overflow is infinite. numpy's differs by 1 ulp."""
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf


def _sigmoid(row: list[float]) -> list[float]:
    return [1.0 / (1.0 + _exp(-score)) for score in row]


def _softmax(row: list[float]) -> list[float]:
    top = row[0]
    for score in row[1:]:
        top = score if score > top else top  # noqa: FURB136 - NaN as C has it
    powers = [_exp(score - top) for score in row]
    total = 0.0
    for power in powers:
        total += power
    return [power / total for power in powers]
