"""Single trees and forests of scikit-learn.

Both split missing values by themselves and read category codes as numbers, in order of frequency.
A forest holds at most a million nodes: past the cache a row costs ten times as much to score.

Source: Geurts, Ernst and Wehenkel, "Extremely randomized trees", Machine Learning 63, 2006.
"""

from typing import TypeAlias, cast

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from bundle.arrays import Floats
from bundle.limits import NODES_OF_A_MEMBER
from bundle.tensors import Tensors
from methods.models.converters import check_agreement, sklearn_trees
from methods.models.families.family import (
    EncodedRows,
    FitLimits,
    Fitted,
    Settings,
    Shape,
    Trial,
    expand_to_all_classes,
    number,
    stopwatch,
)

_BATCH = 10  # trees between two checks of the clock

Estimator: TypeAlias = (
    DecisionTreeClassifier | DecisionTreeRegressor | ExtraTreesClassifier | ExtraTreesRegressor
)


class TreesFitted:
    """A fitted tree or forest."""

    def __init__(
        self, shape: Shape, estimator: Estimator, settings: Settings, iterations: int
    ) -> None:
        self.settings = settings
        self.iterations = iterations
        self._shape = shape
        self._estimator = estimator

    def predict(self, encoded: Floats) -> Floats:
        """Return P(positive) or the value, (n,), or probabilities, (n, classes)."""
        if self._shape.task == "regression":
            return np.asarray(self._estimator.predict(encoded), dtype=np.float64)
        estimator = cast("DecisionTreeClassifier", self._estimator)
        return expand_to_all_classes(
            estimator.predict_proba(encoded), estimator.classes_, self._shape
        )

    def tensors(self) -> Tensors:
        """Convert, and compare with scikit-learn on rows that are hard to get right."""
        several = self._shape.classes if self._shape.task == "multiclass" else None
        tensors = sklearn_trees(self._estimator, several)
        check_agreement(tensors, self.predict)
        return tensors


class SingleTree:
    """One tree of few levels: a model that a person can read."""

    name = "tree"
    iterations_grow = False

    def defaults(self, shape: Shape) -> Settings:  # noqa: ARG002 - the protocol's
        """Return a tree of at most 128 leaves."""
        return {"depth": 7, "leaf_rows": 20}

    def suggest(self, trial: Trial, shape: Shape) -> Settings:  # noqa: ARG002 - the protocol's
        """Search depth and size of a leaf."""
        return {
            "depth": trial.suggest_int("tree.depth", 2, 14),
            "leaf_rows": trial.suggest_int("tree.leaf_rows", 3, 300, log=True),
        }

    def fit(
        self, shape: Shape, train: EncodedRows, settings: Settings, effort: FitLimits
    ) -> Fitted:
        """Fit the tree; seconds even on large data, so the cap is not checked."""
        kind = DecisionTreeRegressor if shape.task == "regression" else DecisionTreeClassifier
        tree = kind(
            max_depth=int(number(settings, "depth")),
            min_samples_leaf=int(number(settings, "leaf_rows")),
            random_state=effort.seed,
        )
        tree.fit(train.encoded, train.truth, sample_weight=train.weights)
        return TreesFitted(shape, tree, settings, 0)


class ExtraTrees:
    """Extremely randomised trees, in batches until the cap."""

    name = "forest"
    iterations_grow = False

    def defaults(self, shape: Shape) -> Settings:
        """Return fully grown trees, but for leaves of one row."""
        is_value = shape.task == "regression"
        return {"trees": 120, "leaf_rows": 2, "column_share": 0.6 if is_value else 0.35}

    def suggest(self, trial: Trial, shape: Shape) -> Settings:  # noqa: ARG002 - the protocol's
        """Search the leaf's size and the columns a split sees."""
        return {
            "trees": 120,
            "leaf_rows": trial.suggest_int("forest.leaf_rows", 1, 50, log=True),
            "column_share": trial.suggest_float("forest.column_share", 0.1, 1.0),
        }

    def fit(
        self, shape: Shape, train: EncodedRows, settings: Settings, effort: FitLimits
    ) -> Fitted:
        """Add trees until there are enough, or until the cap; leaves grow with the rows."""
        is_over = stopwatch(effort.cap_seconds)
        trees = effort.iterations or int(number(settings, "trees"))
        # A tree has fewer than 2 n / leaf_rows nodes, so this bound keeps the budget for certain.
        width = max(1, shape.classes) if shape.task == "multiclass" else 1
        fewest = int(np.ceil(2 * len(train.truth) * trees * width / NODES_OF_A_MEMBER))
        kind = ExtraTreesRegressor if shape.task == "regression" else ExtraTreesClassifier
        forest = kind(
            n_estimators=0,
            min_samples_leaf=max(int(number(settings, "leaf_rows")), fewest),
            max_features=number(settings, "column_share"),
            warm_start=True,
            n_jobs=1,
            random_state=effort.seed,
        )
        grown = 0
        while grown < trees:
            grown = min(trees, grown + _BATCH)
            forest.n_estimators = grown
            forest.fit(train.encoded, train.truth, sample_weight=train.weights)
            if effort.iterations is None and is_over():
                break
        return TreesFitted(shape, forest, settings, grown)
