"""The node table of a tree ensemble as numpy arrays, checked as `_flatforest.c` checks it.

The C kernel's header explains the table. Faults have the same names, in the same order.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bundle.arrays import Floats
from bundle.tensors import NODE

Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

IDENTITY, SIGMOID, SOFTMAX, AVERAGE = range(4)
FLOAT32, TINY = 1, 2

_CATEGORICAL = 1 << 31
_NAN_LEFT = 1 << 30
_OUTSIDE_LEFT = 1 << 29
_UNUSED_FLAGS = 0x1F000000
_FEATURE_MASK = 0x00FFFFFF
_LONGEST_BITSET = 1 << 20
_MOST_NODES = 0x7FFFFFFF


@dataclass(frozen=True)
class NodeForest:
    """What `build` has checked; a field of a node is an array (nodes,)."""

    threshold: Floats
    child: Indices
    feature: Indices
    categorical: Flags
    nan_left: Flags
    outside_left: Flags
    offset: Indices
    words: Indices
    roots: Indices
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
    table = flat_view(nodes, NODE)
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
        roots=flat_view(roots, "<u4").astype(np.int64),
        bits=flat_view(bits, "<u4").astype(np.uint32),
        leaves=flat_view(leaves, "<f8").astype(np.float64),
        init=flat_view(init, "<f8").astype(np.float64),
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


def flat_view(buffer: object, kind: npt.DTypeLike) -> npt.NDArray[Any]:
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
        "bad link or cast": forest.link <= AVERAGE and forest.cast <= TINY,
        "trees do not divide into the outputs": forest.width != 1
        or trees % max(1, forest.outputs) == 0,
        "scale or bias is not finite": finite,
        "init is not finite": bool(np.isfinite(forest.init).all()),
        "a leaf is not finite": bool(np.isfinite(forest.leaves).all()),
    }
    return next((fault for fault, holds in claims.items() if not holds), "")


def _tree_fault(forest: NodeForest, flags: Indices) -> str:
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
    first = min((index for index, _ in faults), default=0)
    return next((name for index, name in faults if index == first), "")
