"""The dummy: a constant prediction; a model that does not beat it is useless."""

import numpy as np

from bundle.members import DenseSpec
from methods.models.families.dense import DenseFitted, Layer
from methods.models.families.family import EncodedRows, FitLimits, Fitted, Settings, Shape, Trial

_FLOOR = 1e-6  # a class that no row has is unlikely, not impossible


class Dummy:
    """Class shares, or the mean (the median where the metric is the absolute error)."""

    name = "dummy"
    iterations_grow = False

    def defaults(self, shape: Shape) -> Settings:  # noqa: ARG002 - the protocol's
        """Return no settings."""
        return {}

    def suggest(self, trial: Trial, shape: Shape) -> Settings:  # noqa: ARG002 - the protocol's
        """Ask nothing."""
        return {}

    def fit(
        self,
        shape: Shape,
        train: EncodedRows,
        settings: Settings,
        effort: FitLimits,  # noqa: ARG002 - the protocol's
    ) -> Fitted:
        """Fit the constant."""
        spec = DenseSpec(
            inputs=len(shape.inputs), numeric=(0,), fill=(0.0,), center=(0.0,), scale=(1.0,)
        )
        bias = self._bias(shape, train)
        return DenseFitted(shape, spec, [Layer(np.zeros((1, len(bias))), bias)], settings)

    def _bias(self, shape: Shape, train: EncodedRows) -> np.ndarray:
        if shape.task == "regression":
            middle = np.median(train.truth) if shape.metric == "mae" else np.mean(train.truth)
            return np.array([float(middle)])
        counts = np.bincount(
            train.truth.astype(np.int64), weights=train.weights, minlength=shape.classes
        )
        shares = np.clip(counts / counts.sum(), _FLOOR, 1.0 - _FLOOR)
        if shape.task == "binary":
            return np.array([float(np.log(shares[1] / (1.0 - shares[1])))])
        return np.asarray(np.log(shares), dtype=np.float64)
