"""Linear models and multi-layer perceptrons, and the view of a row that they see.

Training fits them on what `expand` makes, so a model sees the same numbers when it serves.
"""

import math
from array import array
from collections.abc import Sequence
from typing import Literal

import numpy as np
from pydantic import Field, FiniteFloat, NonNegativeInt, PositiveInt, model_validator

from bundle import kernel, limits
from bundle.arrays import Floats
from bundle.refusal import require
from bundle.tensors import Array, Tensors
from contract.strict import Strict


class DenseSpec(Strict):
    """How an encoded row becomes the input vector of a dense member.

    The vector is: the numeric columns, filled, centred, scaled and cut; a 0/1 indicator for each
    column of `missing`; `size` zeros and a one for each code column of `onehot` (none for NaN or
    a code outside, so an unseen category is the zero vector unless it has a code of its own).
    """

    inputs: PositiveInt = Field(le=limits.COLUMNS)
    """Columns of the encoded row that the member is given."""
    numeric: tuple[NonNegativeInt, ...] = ()
    fill: tuple[FiniteFloat, ...] = ()
    """What a missing value counts as, in the column's own unit, before centring."""
    center: tuple[FiniteFloat, ...] = ()
    scale: tuple[FiniteFloat, ...] = ()
    missing: tuple[NonNegativeInt, ...] = ()
    onehot: tuple[tuple[NonNegativeInt, NonNegativeInt], ...] = ()
    """Pairs of (column, number of codes)."""
    limit: FiniteFloat = Field(default=16.0, gt=0)
    """A scaled value beyond ± limit is cut there: an absurd request gives no infinite score.
    The default is arbitrary, far outside what scaled data hold."""

    @property
    def width(self) -> int:
        """The length of the input vector."""
        sizes = sum(size for _, size in self.onehot)
        return len(self.numeric) + len(self.missing) + sizes

    @model_validator(mode="after")
    def _columns_exist(self) -> "DenseSpec":
        if not len(self.numeric) == len(self.fill) == len(self.center) == len(self.scale):
            why = "fill, center and scale need one number for each numeric column"
            raise ValueError(why)
        if 0.0 in self.scale:
            why = "a scale is 0"
            raise ValueError(why)
        columns = [*self.numeric, *self.missing, *(column for column, _ in self.onehot)]
        if any(column >= self.inputs for column in columns):
            why = f"a column is not among the {self.inputs} inputs"
            raise ValueError(why)
        return self


def expand(rows: Floats, spec: DenseSpec) -> Floats:
    """Return the input vectors (n, spec.width) of encoded rows (n, spec.inputs)."""
    out = np.zeros((len(rows), spec.width))
    at = 0
    scaling = zip(spec.numeric, spec.fill, spec.center, spec.scale, strict=True)
    for column, fill, center, scale in scaling:
        values = rows[:, column]
        with np.errstate(over="ignore"):  # an overflow is cut like any other absurd value
            scaled = (np.where(np.isnan(values), fill, values) - center) / scale
        out[:, at] = np.clip(scaled, -spec.limit, spec.limit)
        at += 1
    for column in spec.missing:
        out[:, at] = np.isnan(rows[:, column])
        at += 1
    for column, size in spec.onehot:
        values = rows[:, column]
        known = np.flatnonzero((values >= 0) & (values < size))  # NaN compares false
        out[known, at + values[known].astype(np.int64)] = 1.0
        at += size
    return out


class DenseMeta(Strict):
    """The header of a dense file; fill, center and scale are tensors."""

    inputs: PositiveInt = Field(le=limits.COLUMNS)
    numeric: tuple[NonNegativeInt, ...]
    missing: tuple[NonNegativeInt, ...]
    onehot: tuple[tuple[NonNegativeInt, NonNegativeInt], ...]
    limit: FiniteFloat
    layers: PositiveInt = Field(le=limits.LAYERS)
    link: Literal["identity", "sigmoid", "softmax"]


class Dense:
    """Linear models and perceptrons: expand, then layers (ReLU between them), then the link.

    Sums run in one fixed order: with BLAS one row and a batch differ by 3e-15.
    """

    def __init__(self, tensors: Tensors, *, raw: bool = False) -> None:
        """Check every shape; `raw` leaves the link out, for comparing margins.

        Raises:
            Refused: when a shape or a number is wrong.
        """
        arrays = {name: _aligned(values) for name, values in tensors.arrays.items()}
        meta = DenseMeta.model_validate(tensors.meta)
        finite = all(np.isfinite(values).all() for values in arrays.values())
        require(finite, "a dense member holds a number that is not finite; write the bundle anew")
        scaling = {name: arrays[name].tolist() for name in ("fill", "center", "scale")}
        header = meta.model_dump(exclude={"layers", "link"})
        self.spec = DenseSpec.model_validate(header | scaling)
        self._layers = [
            (arrays[f"w{layer}"], arrays[f"b{layer}"], int(layer + 1 < meta.layers))
            for layer in range(meta.layers)
        ]
        width = self.spec.width
        for weights, bias, _ in self._layers:
            fits = weights.ndim == 2 and weights.shape == (width, bias.size)  # noqa: PLR2004 - a matrix
            require(fits and bias.ndim == 1 and bias.size > 0, "layers of a member do not fit")
            width = bias.size
        self.inputs = meta.inputs
        self.outputs = width
        self._link = "identity" if raw else meta.link
        self._kernel = kernel.pick()

    def one(self, row: "array[float]") -> Sequence[float]:
        """Return the scores of one row."""
        vector = self._vector(row)
        for weights, bias, relu in self._layers:
            out = array("d", bytes(bias.nbytes))
            self._kernel.dense(vector, weights, bias, out, relu)
            vector = out
        return _linked(vector, self._link)

    def batch(self, rows: Floats) -> Floats:
        """Return scores (n, outputs)."""
        vectors = expand(rows, self.spec)
        for weights, bias, relu in self._layers:
            out = np.empty((len(vectors), bias.size))
            if len(vectors):
                self._kernel.dense(vectors, weights, bias, out, relu)
            vectors = out
        if self._link == "identity":
            return vectors
        linked = [_linked(row, self._link) for row in vectors.tolist()]
        return np.array(linked).reshape(-1, self.outputs)

    def _vector(self, row: "array[float]") -> "array[float]":
        """Expand one row: the scalar spelling of `expand`, 10 times as fast for one row."""
        spec = self.spec
        limit = spec.limit
        vector = []
        scaling = zip(spec.numeric, spec.fill, spec.center, spec.scale, strict=True)
        for column, fill, center, scale in scaling:
            value = row[column]
            scaled = ((fill if math.isnan(value) else value) - center) / scale
            vector.append(-limit if scaled < -limit else min(scaled, limit))
        vector += [float(math.isnan(row[column])) for column in spec.missing]
        for column, size in spec.onehot:
            ones = [0.0] * size
            if 0 <= row[column] < size:
                ones[int(row[column])] = 1.0
            vector += ones
        return array("d", vector)


def _aligned(values: Array) -> Floats:
    """Copy: the kernel wants 8-byte alignment, a view of a file's bytes need not have it."""
    return np.array(values, np.float64, order="C")


def _linked(scores: Sequence[float], link: str) -> Sequence[float]:
    """Apply the link; math.exp in both paths, for numpy's vector exp differs by 1 ulp."""
    if link == "sigmoid":
        return [1.0 / (1.0 + math.exp(-score)) if score > -_EXP else 0.0 for score in scores]
    if link == "softmax":
        top = max(scores)
        powers = [math.exp(score - top) for score in scores]
        total = sum(powers)
        return [power / total for power in powers]
    return scores


_EXP = 700.0  # math.exp raises beyond 709.78; the probability is 0 to 300 places anyway
