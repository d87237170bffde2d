"""Decision trees and forests of scikit-learn as tree members.

Inputs are cast to float32 as `sklearn/tree/_tree.pyx` does; a forest is the mean of its trees,
summed in their order and divided once.
"""

from typing import TypeAlias

import numpy as np
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from bundle.limits import NODES_OF_A_MEMBER
from bundle.members import TreeMeta
from bundle.tensors import Tensors
from contract.errors import Refused
from methods.models.converters.nodes import NAN_LEFT, NodeTable, NodeTree

Estimator: TypeAlias = (
    DecisionTreeClassifier
    | DecisionTreeRegressor
    | ExtraTreesClassifier
    | ExtraTreesRegressor
    | RandomForestClassifier
    | RandomForestRegressor
)

_TWO = 2


def sklearn_trees(
    estimator: Estimator, classes: int | None = None, max_nodes: int = NODES_OF_A_MEMBER
) -> Tensors:
    """Return the fitted trees.

    The scores are the value of a regressor, P(second class) of a classifier of two classes, else
    a probability for each class. `classes` is for labels 0, 1, ... of a multiclass problem of
    which some may have had no training row: then there are exactly so many scores.

    Raises:
        Refused: for several targets, or more nodes than can be served in time.
    """
    labels = getattr(estimator, "classes_", None)
    positions = None  # of the classes in a leaf's row; None: one score
    outputs = 1
    if labels is not None and (classes is not None or len(labels) != _TWO):
        outputs = len(labels) if classes is None else classes
        positions = np.arange(len(labels)) if classes is None else np.asarray(labels, np.int64)
    meta = TreeMeta(
        inputs=estimator.n_features_in_,
        outputs=outputs,
        width=outputs,
        cast="float32",
        link="average",
    )
    table = NodeTable(meta, init=(0.0,) * outputs)
    for fitted in getattr(estimator, "estimators_", [estimator]):
        tree = fitted.tree_
        if tree.n_outputs != 1:
            sentence = f"a forest of {tree.n_outputs} targets cannot be served; train one for each"
            raise Refused(sentence)
        value = tree.value[:, 0, :]
        if labels is not None:
            value = value / value.sum(axis=1, keepdims=True)
        if positions is not None:
            expanded = np.zeros((len(value), outputs))
            expanded[:, positions] = value
            value = expanded
        table.add(
            NodeTree(
                left=tree.children_left,
                right=tree.children_right,
                feature=tree.feature,
                flags=np.where(tree.missing_go_to_left, NAN_LEFT, 0),
                threshold=tree.threshold,
                value=value if outputs > 1 else value[:, -1],
            )
        )
    return table.tensors(max_nodes)
