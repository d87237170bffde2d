"""The numpy twin of `_flatforest.c`: same functions, same faults, same bits.

It costs 20 times as much in batches and over 100 times for one row (`make bench-kernel`).
It is used where no compiler is at hand, and it is the tests' oracle for the C kernel, whose
header explains the node table. It is as long as the kernel has rules.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bundle.arrays import Floats
from bundle.tensors import NODE

Places = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_CATEGORICAL = 1 << 31
_NAN_LEFT = 1 << 30
_OUTSIDE_LEFT = 1 << 29
_UNUSED_FLAGS = 0x1F000000
_FEATURE_MASK = 0x00FFFFFF
_LONGEST_BITSET = 1 << 20
_MOST_NODES = 0x7FFFFFFF

_IDENTITY, _SIGMOID, _SOFTMAX, _AVERAGE = range(4)
_FLOAT32, _TINY = 1, 2
_TINIEST = float(np.float32(1e-35))

_CELLS = 1 << 20  # rows times trees that are walked at once: bounds memory


@dataclass(frozen=True)
class NodeForest:
    """What `build` has checked; a field of a node is an array (nodes,)."""

    threshold: Floats
    child: Places
    feature: Places
    categorical: Flags
    nan_left: Flags
    outside_left: Flags
    offset: Places
    words: Places
    roots: Places
    bits: npt.NDArray[np.uint32]
    leaves: Floats
    init: Floats
    features: int
    outputs: int
    width: int
    cast: int
    float32_sums: bool
    link: int
    scale: float
    bias: float


def build(  # noqa: PLR0917 - the C call, one argument for each field of the header
    nodes: object,
    roots: object,
    bits: object,
    leaves: object,
    init: object,
    features: int,
    outputs: int,
    width: int,
    cast: int,
    float32_sums: int,
    link: int,
    scale: float,
    bias: float,
    /,
) -> NodeForest:
    """Validate every node and return the forest.

    Raises:
        ValueError: when a node, leaf, bitset or header is wrong.
    """
    table = _array(nodes, NODE)
    flags = table["feature"].astype(np.int64)
    ranges = np.ascontiguousarray(table["threshold"]).view("<u4").astype(np.int64)
    forest = NodeForest(
        threshold=table["threshold"].astype(np.float64),
        child=table["child"].astype(np.int64),
        feature=flags & _FEATURE_MASK,
        categorical=(flags & _CATEGORICAL) != 0,
        nan_left=(flags & _NAN_LEFT) != 0,
        outside_left=(flags & _OUTSIDE_LEFT) != 0,
        offset=ranges[0::2],
        words=ranges[1::2],
        roots=_array(roots, "<u4").astype(np.int64),
        bits=_array(bits, "<u4").astype(np.uint32),
        leaves=_array(leaves, "<f8").astype(np.float64),
        init=_array(init, "<f8").astype(np.float64),
        features=features,
        outputs=outputs,
        width=width,
        cast=cast,
        float32_sums=bool(float32_sums),
        link=link,
        scale=scale,
        bias=bias,
    )
    fault = _header_fault(forest) or _tree_fault(forest, flags)
    if fault:
        raise ValueError(fault)
    return forest


def predict(forest: NodeForest, rows: object, out: object, raw: int, /) -> None:
    """Fill `out` (n, outputs) with the scores of `rows` (n, features); `raw` leaves the link out.

    Raises:
        ValueError: when the shapes do not fit.
    """
    source = _array(rows, "<f8")
    target = _array(out, "<f8")
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
    source, matrix = _array(rows, "<f8"), _array(weights, "<f8")
    offset, target = _array(bias, "<f8"), _array(out, "<f8")
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
        for place in range(inputs):
            values = source[:, place, None]
            np.add(sums, values * matrix[place], out=sums, where=values != 0.0)
        if relu:
            sums = np.where(sums > 0.0, sums, 0.0)
    target.reshape(count, outputs)[:] = sums


def _array(buffer: object, kind: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return a flat view of the buffer's bytes; ValueError when they are not whole items."""
    view = memoryview(buffer)  # type: ignore[arg-type] # object: mypy knows no buffer protocol before 3.12
    if view.nbytes % np.dtype(kind).itemsize:
        why = "bad size"
        raise ValueError(why)
    if view.nbytes == 0:
        return np.empty(0, kind)
    return np.frombuffer(view, kind)


def _header_fault(forest: NodeForest) -> str:
    trees, nodes = len(forest.roots), len(forest.threshold)
    finite = math.isfinite(forest.scale) and math.isfinite(forest.bias)
    claims = {
        "bad size": len(forest.init) == forest.outputs,
        "no trees, or too many nodes": trees > 0 and 0 < nodes <= _MOST_NODES,
        "bad number of features": 0 < forest.features < _FEATURE_MASK,
        "no outputs": forest.outputs > 0,
        "bad width": forest.width in {1, forest.outputs},
        "bad link or cast": forest.link <= _AVERAGE and forest.cast <= _TINY,
        "trees do not divide into the outputs": forest.width != 1
        or trees % max(1, forest.outputs) == 0,
        "scale or bias is not finite": finite,
        "init is not finite": bool(np.isfinite(forest.init).all()),
        "a leaf is not finite": bool(np.isfinite(forest.leaves).all()),
    }
    return next((fault for fault, holds in claims.items() if not holds), "")


def _tree_fault(forest: NodeForest, flags: Places) -> str:
    """Find the fault of the first faulty node, in the order in which the C kernel looks."""
    count = len(forest.threshold)
    roots = forest.roots
    pasts = np.append(roots[1:], count)
    if roots[0] != 0 or (roots >= pasts).any() or (pasts > count).any():
        return "bad root"
    past = np.repeat(pasts, pasts - roots)
    is_leaf = forest.child == np.arange(count)
    threshold = forest.threshold
    checks: list[tuple[str, Flags]] = [
        ("bad leaf", is_leaf & ((flags != forest.features) | ~np.isfinite(threshold)))
    ]
    if forest.width > 1:
        rows = len(forest.leaves) // forest.width
        with np.errstate(invalid="ignore"):  # a signalling NaN
            exists = (threshold >= 0) & (threshold < rows) & (threshold == np.floor(threshold))
        checks.append(("bad leaf row", is_leaf & ~exists))
    feature = (forest.feature >= forest.features) | ((flags & _UNUSED_FLAGS) != 0)
    child = (forest.child <= np.arange(count)) | (forest.child + 1 >= past)
    words = forest.words
    bitset = (words == 0) | (words > _LONGEST_BITSET)
    bitset |= forest.offset + words > len(forest.bits)
    checks += [
        ("bad feature", ~is_leaf & feature),
        ("bad child", ~is_leaf & child),
        ("bad bitset", ~is_leaf & forest.categorical & bitset),
        ("threshold is NaN", ~is_leaf & ~forest.categorical & np.isnan(threshold)),
    ]
    faults = [(int(np.argmax(wrong)), name) for name, wrong in checks if wrong.any()]
    first = min((place for place, _ in faults), default=0)
    return next((name for place, name in faults if place == first), "")


def _predict_rows(forest: NodeForest, source: Floats) -> Floats:
    """Walk all rows down all trees at once, a level at a time, and sum in the order of trees."""
    rows = _loaded(forest, source)
    places = np.broadcast_to(forest.roots, (len(rows), len(forest.roots)))
    line = np.arange(len(rows))[:, None]
    while True:
        following = _step(forest, places, rows[line, forest.feature[places]])
        if np.array_equal(following, places):
            break
        places = following
    values = forest.threshold[places]
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
    if forest.cast == _FLOAT32:
        with np.errstate(over="ignore"):
            rows[:, :-1] = source.astype(np.float32)
    elif forest.cast == _TINY:
        rows[:, :-1][np.abs(source) <= _TINIEST] = 0.0
    rows[:, -1] = -np.inf
    return rows


def _step(forest: NodeForest, places: Places, values: Floats) -> Places:
    with np.errstate(invalid="ignore"):
        left = values <= forest.threshold[places]
    absent = np.isnan(values)
    left |= absent & forest.nan_left[places]
    categorical = forest.categorical[places]
    if categorical.any():
        at = places[categorical]
        left[categorical] = _in_set(forest, at, values[categorical])
    # A leaf's row holds -inf, which is <= every value: it steps to itself.
    following: Places = forest.child[places] + np.where(left, 0, 1)
    return following


def _in_set(forest: NodeForest, at: Places, values: Floats) -> Flags:
    inside = (values > -1.0) & (values < forest.words[at] * 32.0)  # NaN compares false
    codes = np.where(inside, values, 0.0).astype(np.int64)
    words = forest.bits[np.where(inside, forest.offset[at] + (codes >> 5), 0)]
    member = (words >> (codes & 31).astype(np.uint32) & np.uint32(1)).astype(bool)
    found = np.where(inside, member, forest.outside_left[at])
    absent: Flags = np.where(np.isnan(values), forest.nan_left[at], found)
    return absent


def _finish(forest: NodeForest, sums: Floats, raw: int) -> Floats:
    if forest.link == _AVERAGE:
        return sums / float(len(forest.roots))
    with np.errstate(over="ignore", invalid="ignore"):
        scores = sums * forest.scale + forest.bias
    if raw or forest.link == _IDENTITY:
        return scores
    linked = _sigmoid if forest.link == _SIGMOID else _softmax
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
