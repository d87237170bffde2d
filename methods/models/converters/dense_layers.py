"""Linear models and multi-layer perceptrons as dense members: an expansion and plain layers."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from pydantic import JsonValue

from bundle.arrays import Floats
from bundle.members import DenseSpec
from bundle.tensors import Array, Tensors

Link = Literal["identity", "sigmoid", "softmax"]


def dense_tensors(spec: DenseSpec, layers: Sequence[tuple[Floats, Floats]], link: Link) -> Tensors:
    """Return the member that expands a row by `spec` and sends it through the layers.

    A layer is (weights (inputs, outputs), bias (outputs,)), as scikit-learn keeps an MLP's; a
    linear model is one layer. ReLU is between layers, the link behind the last one.
    """
    arrays: dict[str, Array] = {
        "fill": np.array(spec.fill, np.float64),
        "center": np.array(spec.center, np.float64),
        "scale": np.array(spec.scale, np.float64),
    }
    for index, (weights, bias) in enumerate(layers):
        arrays[f"w{index}"] = np.ascontiguousarray(weights, np.float64)
        arrays[f"b{index}"] = np.ascontiguousarray(bias, np.float64)
    scaling = {"fill", "center", "scale"}  # tensors, so that they keep every bit
    meta: dict[str, JsonValue] = spec.model_dump(mode="json", exclude=scaling)
    return Tensors("dense", arrays, meta | {"layers": len(layers), "link": link})
