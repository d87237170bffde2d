"""Tree ensembles: one node table for every library's trees, evaluated by the kernel."""

from array import array
from collections.abc import Sequence
from typing import Literal

import numpy as np
from pydantic import Field, FiniteFloat, PositiveInt

from bundle import kernel, limits
from bundle.arrays import Floats
from bundle.refusal import BundleRefused, require
from bundle.tensors import Tensors
from contract.strict import Strict


class TreeMeta(Strict):
    """The header of a tree file."""

    inputs: PositiveInt = Field(le=limits.COLUMNS)
    outputs: PositiveInt = Field(le=limits.CLASSES)
    width: PositiveInt = Field(default=1, le=limits.CLASSES)
    """Numbers in a leaf: 1, or `outputs` (then a leaf points to a row of `leaves`)."""
    cast: Literal["float64", "float32", "tiny"] = "float64"
    """How the trainer reads an input; tiny: |x| <= 1e-35f counts as 0 (LightGBM)."""
    float32_sums: bool = False
    link: Literal["identity", "sigmoid", "softmax", "average"] = "identity"
    scale: FiniteFloat = 1.0
    bias: FiniteFloat = 0.0
    """The link sees the sum times `scale` plus `bias`."""


class Trees:
    """A tree ensemble in the flat node table of the kernel."""

    def __init__(self, tensors: Tensors, *, raw: bool = False) -> None:
        """Validate all nodes; `raw` leaves the link out, for comparing margins.

        Raises:
            BundleRefused: when a node, leaf or header is wrong or a limit is passed.
        """
        arrays = tensors.arrays
        meta = TreeMeta.model_validate(tensors.meta)
        self.inputs = meta.inputs
        self.outputs = meta.outputs
        self.nodes = len(arrays["nodes"])
        small = len(arrays["roots"]) <= limits.TREES and self.nodes <= limits.NODES
        require(small, f"{len(arrays['roots'])} trees with {self.nodes} nodes are too many")
        self._raw = int(raw)
        self._kernel = kernel.pick()
        try:
            self._forest = self._kernel.build(
                np.ascontiguousarray(arrays["nodes"]),
                np.ascontiguousarray(arrays["roots"]),
                np.ascontiguousarray(arrays["bits"]),
                np.ascontiguousarray(arrays["leaves"]),
                np.ascontiguousarray(arrays["init"]),
                meta.inputs,
                meta.outputs,
                meta.width,
                kernel.CASTS[meta.cast],
                int(meta.float32_sums),
                kernel.LINKS[meta.link],
                meta.scale,
                meta.bias,
            )
        except ValueError as error:
            sentence = f"the node table is not valid ({error}); write the bundle anew"
            raise BundleRefused(sentence) from error

    def one(self, row: "array[float]") -> Sequence[float]:
        """Return the scores of one row."""
        out = array("d", bytes(8 * self.outputs))
        self._kernel.predict(self._forest, row, out, self._raw)
        return out

    def batch(self, rows: Floats) -> Floats:
        """Return scores (n, outputs)."""
        out = np.empty((len(rows), self.outputs))
        if len(rows):
            # The kernel reads bytes: an integer or Fortran-order matrix would be misread.
            plain = np.ascontiguousarray(rows, np.float64)
            self._kernel.predict(self._forest, plain, out, self._raw)
        return out
