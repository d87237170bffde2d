"""A small multi-layer perceptron: its errors differ from those of trees.

Source: Gorishniy et al., "Revisiting Deep Learning Models for Tabular Data", NeurIPS 2021 (a plain
perceptron is a sound baseline).
"""

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor

from methods.models.families.dense import DenseFitted, Layer, affordable, expanded, fit_spec
from methods.models.families.family import (
    EncodedRows,
    FitLimits,
    Fitted,
    Settings,
    Shape,
    Trial,
    number,
    stopwatch,
)
from methods.models.metrics import row_losses

_MOST_EPOCHS = 60  # at most; arbitrary
_EPOCHS_UNWATCHED = 15  # without validation rows
_PATIENCE = 5  # epochs without a better validation score


class Neural:
    """Two hidden layers of ReLU, trained by Adam an epoch at a time."""

    name = "neural"
    iterations_grow = False

    def defaults(self, shape: Shape) -> Settings:  # noqa: ARG002 - the protocol's
        """Return a network that trains in seconds."""
        return {"width": 64, "rate": 1.5e-3, "penalty": 1e-4}

    def suggest(self, trial: Trial, shape: Shape) -> Settings:  # noqa: ARG002 - the protocol's
        """Search width, rate and penalty."""
        return {
            "width": trial.suggest_int("neural.width", 16, 192, log=True),
            "rate": trial.suggest_float("neural.rate", 3e-4, 6e-3, log=True),
            "penalty": trial.suggest_float("neural.penalty", 1e-6, 1e-1, log=True),
        }

    def fit(
        self, shape: Shape, train: EncodedRows, settings: Settings, effort: FitLimits
    ) -> Fitted:
        """Train until the validation score stops improving, or the epochs or the time are over."""
        spec = fit_spec(shape, train.encoded)
        part = affordable(train, spec)
        view = expanded(part, spec)
        # A value is trained in units of its own deviation, and brought back in the last layer.
        middle, unit = 0.0, 1.0
        if shape.task == "regression":
            middle, unit = float(part.truth.mean()), float(part.truth.std()) or 1.0
        network = _network(shape, settings, effort.seed, len(part.truth))
        scaled = (part.truth - middle) / unit

        def fitted(layers: list[Layer], epochs: int) -> DenseFitted:
            *hidden, last = layers
            restored = Layer(last.weights * unit, last.bias * unit + middle)
            return DenseFitted(shape, spec, [*hidden, restored], settings, epochs)

        most = effort.iterations or (
            _EPOCHS_UNWATCHED if effort.validation is None else _MOST_EPOCHS
        )
        validation = effort.validation if effort.iterations is None else None
        is_over = stopwatch(effort.cap_seconds)
        best = _Best()
        for epoch in range(1, most + 1):
            if shape.task == "regression":
                network.partial_fit(view, scaled)
            else:
                network.partial_fit(view, scaled, classes=np.arange(shape.classes))
            now = fitted(_layers(network, shape), epoch)
            best.offer(now, np.inf if validation is None else _loss(shape, validation, now))
            if effort.iterations is None and (best.waited >= _PATIENCE or is_over()):
                break
        return best.kept


class _Best:
    """Keeps the network of the best epoch; the newest one without validation rows."""

    def __init__(self) -> None:
        self.kept: DenseFitted
        self.waited = 0
        self._loss = np.inf

    def offer(self, fitted: DenseFitted, loss: float) -> None:
        """Keep `fitted` if it is better, or if no loss is known."""
        if not np.isfinite(loss) or loss < self._loss:
            self.kept, self._loss, self.waited = fitted, loss, 0
        else:
            self.waited += 1


def _network(
    shape: Shape, settings: Settings, seed: int, rows: int
) -> MLPClassifier | MLPRegressor:
    """Make the network, not yet trained."""
    kind = MLPRegressor if shape.task == "regression" else MLPClassifier
    width = int(number(settings, "width"))
    return kind(
        hidden_layer_sizes=(width, max(2, width // 2)),
        batch_size=min(256, rows),
        learning_rate_init=number(settings, "rate"),
        alpha=number(settings, "penalty"),
        random_state=seed,
    )


def _layers(network: MLPClassifier | MLPRegressor, shape: Shape) -> list[Layer]:
    """Copy the layers; two classes of a multiclass problem share one output in scikit-learn."""
    layers = [
        Layer(np.array(weights), np.array(bias))
        for weights, bias in zip(network.coefs_, network.intercepts_, strict=True)
    ]
    if shape.task == "multiclass" and layers[-1].bias.size == 1:
        last = layers[-1]
        weights = np.hstack([np.zeros_like(last.weights), last.weights])
        layers[-1] = Layer(weights, np.concatenate([[0.0], last.bias]))
    return layers


def _loss(shape: Shape, validation: EncodedRows, fitted: DenseFitted) -> float:
    """Return the mean proper loss on the validation rows."""
    return float(
        row_losses(shape.task, validation.truth, fitted.predict(validation.encoded)).mean()
    )
