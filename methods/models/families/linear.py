"""The linear family: logistic regression, or ridge for a value; the simplest model that learns."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge

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

_STEPS = 20  # at a time, since lbfgs cannot be interrupted
_MOST_STEPS = 200  # at most; a fit ends when it has converged


class Linear:
    """Logistic regression (lbfgs) or ridge on scaled numbers and one-hot codes."""

    name = "linear"
    iterations_grow = False

    def defaults(self, shape: Shape) -> Settings:
        """Return a mild penalty."""
        return {"penalty": 1.0 if shape.task == "regression" else 3.0}

    def suggest(self, trial: Trial, shape: Shape) -> Settings:  # noqa: ARG002 - the protocol's
        """Search the penalty."""
        return {"penalty": trial.suggest_float("linear.penalty", 1e-2, 1e3, log=True)}

    def fit(
        self, shape: Shape, train: EncodedRows, settings: Settings, effort: FitLimits
    ) -> Fitted:
        """Fit until converged, or until the cap."""
        spec = fit_spec(shape, train.encoded)
        part = affordable(train, spec)
        view = expanded(part, spec)
        if shape.task == "regression":
            ridge = Ridge(alpha=number(settings, "penalty")).fit(
                view, part.truth, sample_weight=part.weights
            )
            layer = Layer(np.asarray(ridge.coef_).reshape(-1, 1), np.atleast_1d(ridge.intercept_))
            return DenseFitted(shape, spec, [layer], settings)
        logistic, steps = _logistic(view, part, number(settings, "penalty"), effort)
        weights, bias = logistic.coef_.T, logistic.intercept_
        if shape.task == "multiclass":
            weights, bias = _all_classes(weights, bias, logistic.classes_, shape.classes)
        layer = Layer(np.ascontiguousarray(weights), np.asarray(bias))
        return DenseFitted(shape, spec, [layer], settings, steps)


def _logistic(
    view: np.ndarray, part: EncodedRows, penalty: float, effort: FitLimits
) -> tuple[LogisticRegression, int]:
    """Take steps until the solver is done, the iterations are reached or the time is over."""
    is_over = stopwatch(effort.cap_seconds)
    most = effort.iterations or _MOST_STEPS
    model = LogisticRegression(C=1.0 / penalty, tol=1e-3, warm_start=True)
    taken = 0
    with warnings.catch_warnings():
        # Stopping between steps is intended; scikit-learn would call it a failure to converge.
        warnings.simplefilter("ignore", ConvergenceWarning)
        while taken < most:
            model.max_iter = min(_STEPS, most - taken)
            model.fit(view, part.truth, sample_weight=part.weights)
            done = int(np.max(model.n_iter_))
            taken += model.max_iter
            if done < model.max_iter or (effort.iterations is None and is_over()):
                break
    return model, taken


def _all_classes(
    weights: np.ndarray, bias: np.ndarray, present: np.ndarray, classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Give classes without a training row a column that makes them all but impossible."""
    if len(bias) < len(present):  # scikit-learn gives one column for two classes
        weights, bias = np.hstack([-weights, weights]), np.concatenate([-bias, bias])
    whole = np.zeros((weights.shape[0], classes))
    offset = np.full(classes, -30.0)  # arbitrary: e^-30 is below any share that can be measured
    whole[:, present.astype(np.int64)] = weights
    offset[present.astype(np.int64)] = bias
    return whole, offset
