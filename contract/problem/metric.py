"""How success is measured, and which measures fit which task."""

from typing import Literal

from contract.learning_task import LearningTask
from contract.problem.section import Section

MetricName = Literal[
    "roc_auc",
    "average_precision",
    "log_loss",
    "accuracy",
    "balanced_accuracy",
    "f1",
    "rmse",
    "mae",
    "r2",
]
METRICS_BY_TASK: dict[LearningTask, tuple[MetricName, ...]] = {
    "binary": (
        "roc_auc",
        "average_precision",
        "log_loss",
        "accuracy",
        "balanced_accuracy",
        "f1",
    ),
    "multiclass": ("log_loss", "accuracy", "balanced_accuracy", "f1"),
    "regression": ("rmse", "mae", "r2"),
}


class Value(Section):
    """What a decision is worth, in the business's own unit; it sets the threshold."""

    true_positive: float = 0.0
    """Acting where it was right."""
    false_positive: float = 0.0
    """Acting where it was wrong."""
    true_negative: float = 0.0
    """Leaving alone where it was right."""
    false_negative: float = 0.0
    """Leaving alone where it was wrong."""


class Metric(Section):
    """How success is measured."""

    name: MetricName | None = None
    """Default: `roc_auc` for binary (no threshold needed), `log_loss` for multiclass, `rmse`."""
    value: Value | None = None
    """For binary: what each kind of decision is worth; absent: the threshold serves F1."""
