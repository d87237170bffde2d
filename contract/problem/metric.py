"""How success is measured, and which measures fit which task."""

from typing import Annotated, Literal

from pydantic import StringConstraints

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
    """What a decision is worth; its mean over decisions is what models are compared by."""

    true_positive: float = 0.0
    """Acting where it was right."""
    false_positive: float = 0.0
    """Acting where it was wrong."""
    true_negative: float = 0.0
    """Leaving alone where it was right."""
    false_negative: float = 0.0
    """Leaving alone where it was wrong."""
    unit: Annotated[str, StringConstraints(max_length=20)] = ""
    """What the four are counted in, such as `$` or `minutes`; it stands beside every figure."""

    @property
    def outcomes(self) -> dict[str, float]:
        """What a decision is worth by its outcome, without the unit."""
        return {
            "true_positive": self.true_positive,
            "false_positive": self.false_positive,
            "true_negative": self.true_negative,
            "false_negative": self.false_negative,
        }


class Metric(Section):
    """How success is measured."""

    name: MetricName | None = None
    """Default: `roc_auc` for binary (no threshold needed), `log_loss` for multiclass, `rmse`."""
    value: Value | None = None
    """For binary: what each kind of decision is worth, which then is the yardstick in the metric's
    place; absent: the threshold serves F1."""
