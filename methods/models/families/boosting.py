"""Gradient boosting by LightGBM, on one thread and bit-equal from run to run.

Sources: Ke et al., "LightGBM", NeurIPS 2017; for the defaults, Holzmueller, Grinsztajn and Steinwart,
"Better by Default", NeurIPS 2024.
"""

import time
from collections.abc import Callable

import lightgbm
import numpy as np
from lightgbm.callback import CallbackEnv, EarlyStopException

from bundle.arrays import Floats
from bundle.tensors import Tensors
from methods.models.converters import check_agreement, lightgbm_trees
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

_PATIENCE = 50  # rounds without a better validation score
_MOST_ROUNDS = 2_000  # at most; arbitrary
_PROBE_ROUNDS = 5  # to measure the time of a round
_PROBE_FROM = 30_000  # rows times classes: below it any fit is done in seconds
# Rounds that a learning rate needs to be spent: 14 / 0.05 = 280, on the development data sets.
_ROUNDS_TIMES_RATE = 14.0
_FASTEST_RATE = 0.15  # also the upper end of the search
_ROUNDS_UNWATCHED = 200  # without validation rows

_BINNING = {
    "max_bin": 255,
    # LightGBM would drop columns for one leaf size and then refuse a smaller one.
    "feature_pre_filter": False,
    "verbosity": -1,
    "num_threads": 1,
}


class BoostingFitted:
    """A fitted booster."""

    def __init__(
        self, shape: Shape, booster: lightgbm.Booster, settings: Settings, iterations: int
    ) -> None:
        self.settings = settings
        self.iterations = iterations
        self._shape = shape
        self._booster = booster

    def predict(self, encoded: Floats) -> Floats:
        """Return P(positive) or the value, (n,), or probabilities, (n, classes)."""
        predicted = self._booster.predict(encoded, num_iteration=self.iterations, num_threads=1)
        return np.asarray(predicted, dtype=np.float64)

    def tensors(self) -> Tensors:
        """Convert, and compare with LightGBM on rows that are hard to get right."""
        self._booster.best_iteration = self.iterations
        tensors = lightgbm_trees(self._booster)
        check_agreement(tensors, self.predict)
        return tensors


class Boosting:
    """LightGBM with native categories."""

    name = "boosting"
    iterations_grow = True

    def defaults(self, shape: Shape) -> Settings:  # noqa: ARG002 - the protocol's
        """Return settings that are hard to beat untuned."""
        return {
            "learning_rate": 0.05,
            "leaves": 31,
            "leaf_rows": 20,
            "column_share": 0.7,
            "row_share": 1.0,
            "penalty": 1e-3,
            "extra_trees": False,
        }

    def suggest(self, trial: Trial, shape: Shape) -> Settings:  # noqa: ARG002 - the protocol's
        """Search size, shrinkage and randomness."""
        return {
            "learning_rate": trial.suggest_float("boosting.learning_rate", 0.015, 0.15, log=True),
            "leaves": trial.suggest_int("boosting.leaves", 4, 200, log=True),
            "leaf_rows": trial.suggest_int("boosting.leaf_rows", 3, 200, log=True),
            "column_share": trial.suggest_float("boosting.column_share", 0.3, 1.0),
            "row_share": trial.suggest_float("boosting.row_share", 0.6, 1.0),
            "penalty": trial.suggest_float("boosting.penalty", 1e-3, 10.0, log=True),
            "extra_trees": trial.suggest_categorical("boosting.extra_trees", [False, True]),
        }

    def fit(
        self, shape: Shape, train: EncodedRows, settings: Settings, effort: FitLimits
    ) -> Fitted:
        """Boost until the validation score stops improving, or the rounds or the time are over."""
        is_over = stopwatch(effort.cap_seconds)
        codes = [i for i, output in enumerate(shape.inputs) if output.kind == "code"]
        rows = lightgbm.Dataset(
            train.encoded,
            train.truth,
            weight=train.weights,
            categorical_feature=codes,
            params=_BINNING,
            free_raw_data=False,
        )
        used = dict(settings)
        if effort.iterations is None and np.isfinite(effort.cap_seconds):
            used["learning_rate"] = _affordable_rate(shape, rows, used, effort)
        parameters = _parameters(shape, used, effort.seed)
        if effort.iterations is not None:
            booster = lightgbm.train(parameters, rows, effort.iterations)
            return BoostingFitted(shape, booster, used, booster.current_iteration())
        if effort.validation is None:
            stop = _Stop(is_over, patience=None)
            booster = lightgbm.train(parameters, rows, _ROUNDS_UNWATCHED, callbacks=[stop])
            return BoostingFitted(shape, booster, used, booster.current_iteration())
        validation = lightgbm.Dataset(
            effort.validation.encoded, effort.validation.truth, reference=rows, params=_BINNING
        )
        stop = _Stop(is_over, patience=_PATIENCE)
        booster = lightgbm.train(parameters, rows, _MOST_ROUNDS, [validation], callbacks=[stop])
        return BoostingFitted(shape, booster, used, stop.best_round)


class _Stop:
    """Ends the boosting at the cap, or when the validation score has not improved for a while."""

    order = 30  # after LightGBM's own record of the evaluation
    before_iteration = False

    def __init__(self, is_over: Callable[[], bool], *, patience: int | None) -> None:
        self._is_over = is_over
        self._patience = patience
        self._best = np.inf
        self.best_round = 1

    def __call__(self, environment: CallbackEnv) -> None:
        """Check the score and the clock."""
        results = environment.evaluation_result_list or []
        if results:
            # The fourth field is whether greater is better.
            loss = -float(results[0][2]) if results[0][3] else float(results[0][2])
            if loss < self._best:
                self._best, self.best_round = loss, environment.iteration + 1
        waited = environment.iteration + 1 - self.best_round
        is_exhausted = self._patience is not None and waited >= self._patience
        if is_exhausted or self._is_over():
            raise EarlyStopException(environment.iteration, results)


def _affordable_rate(
    shape: Shape, rows: lightgbm.Dataset, settings: Settings, effort: FitLimits
) -> float:
    """Raise the learning rate where the rounds it needs do not fit the cap."""
    rate = number(settings, "learning_rate")
    if rows.construct().num_data() * max(1, shape.classes) <= _PROBE_FROM:
        return rate
    began = time.process_time()
    lightgbm.train(_parameters(shape, settings, effort.seed), rows, _PROBE_ROUNDS)
    seconds = (time.process_time() - began) / _PROBE_ROUNDS
    rounds = max(10.0, 0.85 * effort.cap_seconds / max(seconds, 1e-6))
    return float(np.clip(_ROUNDS_TIMES_RATE / rounds, rate, max(rate, _FASTEST_RATE)))


def _stopping_metric(shape: Shape) -> str:
    """Return LightGBM's name of the metric that stops the rounds.

    The problem's own ranking where there is one: when the base rate moves with time, log-loss
    stops after a few rounds that ranking could still use.
    """
    if shape.task == "regression":
        return "l1" if shape.metric == "mae" else "l2"
    if shape.task == "multiclass":
        return "multi_logloss"
    return {"roc_auc": "auc", "average_precision": "average_precision"}.get(
        shape.metric, "binary_logloss"
    )


def _parameters(shape: Shape, settings: Settings, seed: int) -> dict[str, object]:
    """Return the settings as LightGBM's parameters."""
    objective = {"binary": "binary", "multiclass": "multiclass"}.get(shape.task, "regression")
    if shape.metric == "mae":
        objective = "regression_l1"
    several = {"num_class": shape.classes} if shape.task == "multiclass" else {}
    return several | {
        "objective": objective,
        "metric": _stopping_metric(shape),
        "learning_rate": settings["learning_rate"],
        "num_leaves": settings["leaves"],
        "min_data_in_leaf": settings["leaf_rows"],
        "feature_fraction": settings["column_share"],
        "bagging_fraction": settings["row_share"],
        "bagging_freq": 1 if number(settings, "row_share") < 1.0 else 0,
        "lambda_l2": settings["penalty"],
        "extra_trees": settings["extra_trees"],
        "max_bin": 255,
        "seed": seed,
        "num_threads": 1,
        # The automatic choice between rows and columns is made by timing: not reproducible.
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
