"""What a family of models is: how it is fitted, searched, and turned into a member of a bundle.

A fit takes a cap in CPU seconds and stops itself there, so that no family starves another; what it
reached (iterations, a learning rate that was adapted) is in its settings, so that a replay fits the
same model without a cap.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np

from bundle.arrays import Floats
from bundle.tensors import Tensors
from contract.learning_task import LearningTask
from methods.models.encoders.column import Output

Setting: TypeAlias = bool | int | float | str
Settings: TypeAlias = dict[str, Setting]

# A share of the cap is kept for what a fit does after its last step.
_RESERVE = 0.95


@dataclass(frozen=True)
class Shape:
    """What every member of a problem has in common.

    `inputs` describes the encoded columns in order; `classes` is 2 for binary, 0 for regression.
    `metric` is what models are chosen by; a family may stop by it.
    """

    task: LearningTask
    classes: int
    inputs: tuple[Output, ...]
    metric: str


@dataclass(frozen=True)
class EncodedRows:
    """Encoded rows (n, inputs), their truth (n,) and, if they do not count alike, weights (n,)."""

    encoded: Floats
    truth: Floats
    weights: Floats | None = None


@dataclass(frozen=True)
class FitLimits:
    """How far a fit may go.

    With `iterations` the fit does exactly so many and ignores `cap_seconds` and `validation`; without,
    it stops at the best score on `validation`, or at `cap_seconds` of CPU time.
    """

    seed: int
    cap_seconds: float = float("inf")
    validation: EncodedRows | None = None
    iterations: int | None = None


class Trial(Protocol):
    """What a search space needs of a trial; Optuna's Trial has it."""

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int:
        """Return a whole number in [low, high]."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """Return a number in [low, high]."""

    def suggest_categorical(self, name: str, choices: list[bool]) -> bool:
        """Return one of the choices."""


class Fitted(Protocol):
    """A fitted model."""

    settings: Settings
    """As used; with `iterations`, enough to fit it again."""
    iterations: int
    """Trees, epochs or steps; 0 where the family has none."""

    def predict(self, encoded: Floats) -> Floats:
        """Return P(positive) or the value, (n,), or probabilities, (n, classes)."""

    def tensors(self) -> Tensors:
        """Return the member as the bundle stores it.

        Raises Refused if it would not predict as `predict` does.
        """


class Family(Protocol):
    """A kind of model."""

    name: str
    """As the problem file spells it in `models.candidates`."""
    iterations_grow: bool
    """True where more rows want more iterations: rounds of boosting do, the trees of a forest and
    the steps of a solver do not."""

    def defaults(self, shape: Shape) -> Settings:
        """Return the settings that selection compares."""

    def suggest(self, trial: Trial, shape: Shape) -> Settings:
        """Draw settings from the trial; every name is prefixed by the family's."""

    def fit(
        self, shape: Shape, train: EncodedRows, settings: Settings, effort: FitLimits
    ) -> Fitted:
        """Fit one model; deterministic for settings, seed and iterations."""


def number(settings: Mapping[str, Setting], name: str) -> float:
    """Return a setting as a number."""
    return float(settings[name])


def stopwatch(cap_seconds: float) -> Callable[[], bool]:
    """Return a function that is True once the process has used its CPU time."""
    began = time.process_time()
    return lambda: time.process_time() - began > _RESERVE * cap_seconds


def expand_to_all_classes(predicted: Floats, classes: np.ndarray, shape: Shape) -> Floats:
    """Bring scikit-learn's probabilities into the problem's classes.

    `predicted` is (n, present classes). Classes that the training rows lack have probability 0.
    """
    count = max(2, shape.classes)
    whole = np.zeros((len(predicted), count))
    whole[:, classes.astype(np.int64)] = predicted
    return np.ascontiguousarray(whole[:, 1]) if shape.task == "binary" else whole
