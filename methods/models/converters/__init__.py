"""Fitted models of the training libraries as members of a bundle, equal to the last bit or refused.

The reader needs none of these libraries; here they are needed, and only here their rules are known.
"""

from methods.models.converters.agreement import check_agreement, hard_rows
from methods.models.converters.dense_layers import dense_tensors
from methods.models.converters.forest import sklearn_trees
from methods.models.converters.lightgbm import lightgbm_trees

__all__ = ["check_agreement", "dense_tensors", "hard_rows", "lightgbm_trees", "sklearn_trees"]
