"""Collects trees of any library into the flat node table that `bundle/_flatforest.c` describes."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from bundle.arrays import Floats
from bundle.limits import NODES_OF_A_MEMBER
from bundle.members import TreeMeta
from bundle.tensors import NODE, Tensors
from contract.errors import Refused

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Words = npt.NDArray[np.uint32]

CATEGORICAL = 1 << 31
NAN_LEFT = 1 << 30


@dataclass(frozen=True)
class NodeTree:
    """One tree; every array has an entry for each node, the root first.

    `left` and `right` are indices, negative in a leaf. `flags` are those of the kernel. In a
    categorical node `threshold` is unused and `words` (nodes, 2) holds the first word and the
    number of words of its bitset in the table's `bits`.
    """

    left: Integers
    right: Integers
    feature: Integers
    flags: Integers
    threshold: Floats
    value: Floats
    """Of a leaf: (nodes,), or (nodes, width)."""
    words: Integers | None = None


@dataclass
class NodeTable:
    """Trees in the order in which their values are summed."""

    meta: TreeMeta
    init: tuple[float, ...]
    bits: list[Words] = field(default_factory=list)
    _nodes: list[npt.NDArray[np.void]] = field(default_factory=list)
    _leaves: list[Floats] = field(default_factory=list)
    _roots: list[int] = field(default_factory=list)
    _leaf_rows: int = 0
    _size: int = 0

    def add(self, tree: NodeTree) -> None:
        """Append a tree, renumbered breadth first.

        Then siblings stand side by side and children behind their parents, as the kernel requires.
        """
        order = _breadth_first(tree.left, tree.right)
        position = np.empty(len(order), np.int64)
        position[order] = np.arange(len(order))
        is_leaf = tree.left[order] < 0
        nodes = np.empty(len(order), NODE)
        children = np.where(is_leaf, np.arange(len(order)), position[tree.left[order]])
        nodes["child"] = self._size + children
        nodes["feature"] = np.where(
            is_leaf, self.meta.inputs, tree.feature[order] | tree.flags[order]
        )
        nodes["threshold"] = np.where(is_leaf, self._leaf_values(tree, order, is_leaf), 0.0)
        nodes["threshold"][~is_leaf] = tree.threshold[order][~is_leaf]
        if tree.words is not None:
            chosen = ~is_leaf & (tree.flags[order] & CATEGORICAL != 0)
            words = np.ascontiguousarray(tree.words[order][chosen].astype("<u4"))
            nodes["threshold"][chosen] = words.view("<f8")[:, 0]
        self._roots.append(self._size)
        self._nodes.append(nodes)
        self._size += len(nodes)

    def tensors(self, max_nodes: int = NODES_OF_A_MEMBER) -> Tensors:
        """Return the member.

        Raises:
            Refused: when it has more nodes than one row can be scored with in the cache.
        """
        if self._size > max_nodes:
            sentence = (
                f"the forest has {self._size} nodes, at most {max_nodes} are "
                f"served in time; use fewer trees or larger leaves"
            )
            raise Refused(sentence)
        arrays = {
            "nodes": np.concatenate(self._nodes),
            "roots": np.array(self._roots, "<u4"),
            "bits": np.concatenate([np.empty(0, "<u4"), *self.bits]).astype("<u4"),
            "leaves": np.concatenate([np.empty(0), *self._leaves]),
            "init": np.array(self.init, "<f8"),
        }
        return Tensors("tree", arrays, self.meta.model_dump(mode="json"))

    def _leaf_values(self, tree: NodeTree, order: Integers, is_leaf: Flags) -> Floats:
        """Return what a leaf's threshold holds: its value, or the row of its values."""
        if self.meta.width == 1:
            return tree.value[order]
        rows = np.zeros(len(order))
        count = int(is_leaf.sum())
        rows[is_leaf] = self._leaf_rows + np.arange(count)
        self._leaves.append(tree.value[order][is_leaf].reshape(-1))
        self._leaf_rows += count
        return rows


def _breadth_first(left: Integers, right: Integers) -> Integers:
    levels = [np.zeros(1, np.int64)]
    while True:
        inner = levels[-1][left[levels[-1]] >= 0]
        if len(inner) == 0:
            return np.concatenate(levels)
        levels.append(np.column_stack([left[inner], right[inner]]).reshape(-1))
