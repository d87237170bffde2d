"""The members of a model: numbers in, scores out, one row and a batch bit for bit alike."""

from array import array
from collections.abc import Sequence
from typing import Protocol

from bundle.arrays import Floats
from bundle.dense import Dense, DenseSpec, expand
from bundle.tensors import Tensors
from bundle.trees import TreeMeta, Trees

__all__ = ["Dense", "DenseSpec", "Floats", "Member", "TreeMeta", "Trees", "expand", "read_member"]


class Member(Protocol):
    """What the scorer asks of a member."""

    inputs: int
    outputs: int

    def one(self, row: "array[float]") -> Sequence[float]:
        """Return the `outputs` scores of one row of `inputs` floats."""

    def batch(self, rows: Floats) -> Floats:
        """Return scores (n, outputs) of rows (n, inputs), C-order."""


def read_member(tensors: Tensors, *, raw: bool = False) -> Trees | Dense:
    """Return the member that the tensors hold; `raw` leaves its link out.

    Raises:
        Refused: when anything in it is wrong.
    """
    return Trees(tensors, raw=raw) if tensors.kind == "tree" else Dense(tensors, raw=raw)
