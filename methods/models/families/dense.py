"""What linear models and networks share: the view of a row that they see, and their tensors.

The view (filled, scaled, one-hot) is the bundle's own `expand`, fitted here; the layers are the
bundle's own arithmetic, so a prediction in training is the prediction that is served.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bundle.arrays import Floats
from bundle.members import Dense, DenseSpec, expand
from bundle.tensors import Tensors
from contract.learning_task import LearningTask
from methods.models.converters import dense_tensors
from methods.models.families.family import EncodedRows, Settings, Shape
from methods.tables.sampling import evenly_spaced

# 15 M numbers are 120 MB; past it rows are thinned evenly: a linear fit does not need them all.
CELLS = 15_000_000
_LINKS: dict[LearningTask, Literal["identity", "sigmoid", "softmax"]] = {
    "binary": "sigmoid",
    "multiclass": "softmax",
    "regression": "identity",
}
_SCALING_ROWS = 100_000  # from which centre and scale are estimated


def fit_spec(shape: Shape, encoded: Floats) -> DenseSpec:
    """Fit fill, centre and scale of the numeric inputs; codes become one-hot.

    Centre is the mean and scale the deviation between the 1st and 99th percentile, so that one
    absurd value does not flatten a column. Columns with missing values get an indicator.
    """
    rows = encoded[evenly_spaced(len(encoded), _SCALING_ROWS)]
    numeric, fill, center, scale, missing = [], [], [], [], []
    for position, output in enumerate(shape.inputs):
        values = rows[:, position]
        known = values[~np.isnan(values)]
        if output.kind == "code":
            continue
        if len(known) < len(values):
            missing.append(position)
        if len(known) == 0:
            continue
        low, high = np.quantile(known, [0.01, 0.99])
        cut = np.clip(known, low, high)
        numeric.append(position)
        fill.append(float(np.median(known)))
        center.append(float(cut.mean()))
        scale.append(float(cut.std()) or float(known.std()) or 1.0)
    codes = [(i, output.size) for i, output in enumerate(shape.inputs) if output.kind == "code"]
    return DenseSpec(
        inputs=len(shape.inputs),
        numeric=tuple(numeric),
        fill=tuple(fill),
        center=tuple(center),
        scale=tuple(scale),
        missing=tuple(missing),
        onehot=tuple(codes),
    )


def affordable(train: EncodedRows, spec: DenseSpec) -> EncodedRows:
    """Thin the rows evenly until the expanded matrix fits CELLS."""
    rows = evenly_spaced(len(train.truth), max(1_000, CELLS // max(1, spec.width)))
    if len(rows) == len(train.truth):
        return train
    weights = None if train.weights is None else train.weights[rows]
    return EncodedRows(train.encoded[rows], train.truth[rows], weights)


@dataclass(frozen=True)
class Layer:
    """One layer: weights (inputs, outputs) and bias (outputs,)."""

    weights: Floats
    bias: Floats


class DenseFitted:
    """A fitted dense model; it predicts by the bundle's reader."""

    def __init__(
        self,
        shape: Shape,
        spec: DenseSpec,
        layers: Sequence[Layer],
        settings: Settings,
        iterations: int = 0,
    ) -> None:
        self.settings = settings
        self.iterations = iterations
        self._tensors = dense_tensors(
            spec, [(layer.weights, layer.bias) for layer in layers], _LINKS[shape.task]
        )
        self._reader = Dense(self._tensors)

    def predict(self, encoded: Floats) -> Floats:
        """Return P(positive) or the value, (n,), or probabilities, (n, classes)."""
        predicted = self._reader.batch(np.ascontiguousarray(encoded))
        return predicted[:, 0] if predicted.shape[1] == 1 else predicted

    def tensors(self) -> Tensors:
        """Return the member as the bundle stores it."""
        return self._tensors


def expanded(part: EncodedRows, spec: DenseSpec) -> Floats:
    """Return the view of the rows, (n, spec.width)."""
    return expand(part.encoded, spec)
