"""LightGBM boosters as tree members, from the text model.

`dump_model()` is lossy: its JSON turns an infinite threshold into 1e300 and rounds 1e-35, which
made 102 of 20 000 hard rows wrong.
Source: include/LightGBM/tree.h (`NumericalDecision`, `CategoricalDecision`), LightGBM 4.6.
"""

from typing import Literal

import lightgbm
import numpy as np

from bundle.members import TreeMeta
from bundle.tensors import Tensors
from contract.errors import Refused
from methods.models.converters.nodes import CATEGORICAL, NAN_LEFT, NodeTable, NodeTree

Link = Literal["identity", "sigmoid", "softmax"]

_LINKS: dict[str, Link] = {
    "binary": "sigmoid",
    "cross_entropy": "sigmoid",
    "huber": "identity",
    "multiclass": "softmax",
    "quantile": "identity",
    "regression": "identity",
    "regression_l1": "identity",
}

# Bits of decision_type.
_IS_CATEGORICAL = 1
_DEFAULT_LEFT = 2
_MISSING_NONE, _MISSING_ZERO = 0, 1


def lightgbm_trees(booster: lightgbm.Booster) -> Tensors:
    """Return the booster's trees up to its best iteration, bit-equal to its own prediction.

    Raises:
        Refused: for an objective, a missing type or a kind of tree that the kernel has no rule for.
    """
    best = booster.best_iteration if booster.best_iteration > 0 else -1
    text = booster.model_to_string(num_iteration=best).split("\nend of trees")[0]
    head, *trees = text.split("\nTree=")
    header = _fields(head)
    objective, *options = header["objective"].split()
    if objective not in _LINKS or "sqrt" in options or "average_output" in head:
        known = ", ".join(sorted(_LINKS))
        sentence = f"LightGBM's {header['objective']!r} cannot be served; choose one of {known}"
        raise Refused(sentence)
    slopes = [float(option[8:]) for option in options if option.startswith("sigmoid:")]
    outputs = int(header["num_tree_per_iteration"])
    meta = TreeMeta(
        inputs=int(header["max_feature_idx"]) + 1,
        outputs=outputs,
        cast="tiny",
        link=_LINKS[objective],
        scale=slopes[0] if slopes else 1.0,
    )
    table = NodeTable(meta, init=(0.0,) * outputs)
    words = 0
    for tree in trees:
        words += _add(table, _fields(tree), words)
    return table.tensors()


def _fields(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.split("\n") if "=" in line)


def _add(table: NodeTable, fields: dict[str, str], words_before: int) -> int:
    """Add a tree and return how many words of bitsets it brought."""
    if fields.get("is_linear", "0") != "0":
        sentence = "a linear tree cannot be served; train with linear_tree=false"
        raise Refused(sentence)

    def column(name: str, kind: type) -> np.ndarray:
        return np.array(fields.get(name, "").split(), kind)

    # Inner nodes are 0, 1, ..., leaves are ~0, ~1, ...; here the leaves follow the inner nodes.
    value = column("leaf_value", float)
    left, right = column("left_child", int), column("right_child", int)
    inner = len(left) if len(value) > 1 else 0
    decision = column("decision_type", int)[:inner]
    threshold = column("threshold", float)[:inner]
    missing = decision >> 2 & 3
    is_categorical = decision & _IS_CATEGORICAL != 0
    if (missing[~is_categorical] == _MISSING_ZERO).any():
        sentence = "zeros that stand for missing cannot be served; train without zero_as_missing"
        raise Refused(sentence)
    # Where no value was missing in training, NaN counts as 0: the default direction is 0's.
    nan_left = np.where(missing == _MISSING_NONE, threshold >= 0.0, decision & _DEFAULT_LEFT != 0)
    flags = np.where(is_categorical, CATEGORICAL, np.where(nan_left, NAN_LEFT, 0))
    edges = column("cat_boundaries", int)
    ranges = np.zeros((inner, 2), np.int64)
    sets = threshold[is_categorical].astype(np.int64)
    if len(sets):
        ranges[is_categorical, 0] = words_before + edges[sets]
        ranges[is_categorical, 1] = edges[sets + 1] - edges[sets]
    bits = column("cat_threshold", int).astype(np.uint32)
    table.bits.append(bits)
    leaves = np.full(len(value), -1)
    nothing = np.zeros(len(value), np.int64)
    table.add(
        NodeTree(
            left=np.concatenate([np.where(left < 0, inner + ~left, left)[:inner], leaves]),
            right=np.concatenate([np.where(right < 0, inner + ~right, right)[:inner], leaves]),
            feature=np.concatenate([column("split_feature", int)[:inner], nothing]),
            flags=np.concatenate([flags, nothing]),
            threshold=np.concatenate([threshold, nothing.astype(float)]),
            value=np.concatenate([np.zeros(inner), value]),
            words=np.concatenate([ranges, np.zeros((len(value), 2), np.int64)]),
        )
    )
    return len(bits)
