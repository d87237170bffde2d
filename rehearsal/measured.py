"""What a day's answers were worth: the proper loss and the declared value, by the known truth."""

from collections.abc import Sequence

import numpy as np

from bundle.arrays import Floats
from bundle.model import Model
from contract.problem.metric import Value
from methods.columns.targets import label_text
from methods.models.metrics import row_losses


def worth(
    model: Model, scores: Floats, truth: Sequence[object], value: Value | None
) -> tuple[float | None, float | None]:
    """Return the mean loss and the mean value of scored rows; None: no truth, or no value, is known.

    Args:
        model: that gave the scores, for its classes and its threshold.
        scores: (n,) or (n, classes).
        truth: (n,) labels; None: unknown.
        value: what each kind of decision is worth; None: no value is returned.
    """
    numbers = truth_numbers(model, truth)
    known = ~np.isnan(numbers)
    if not known.any():
        return None, None
    task = model.contract.task
    losses = row_losses(task, numbers[known], scores[known])
    earned = None
    if value is not None and task == "binary":
        positive = label_text(model.contract.positive)
        said = np.array(
            [label_text(model.decide(float(score))) == positive for score in scores[known]]
        )
        true = numbers[known] == 1.0
        worths = np.where(
            said,
            np.where(true, value.true_positive, value.false_positive),
            np.where(true, value.false_negative, value.true_negative),
        )
        earned = float(worths.mean())
    return float(losses.mean()), earned


def truth_numbers(model: Model, truth: Sequence[object]) -> Floats:
    """Return labels as `row_losses` takes them, (n,); NaN where one is unknown."""
    contract = model.contract
    if contract.task == "regression":
        return np.array([np.nan if label is None else float(str(label)) for label in truth])
    names = [label_text(label) for label in contract.classes]
    codes = {name: float(index) for index, name in enumerate(names)}
    if contract.task == "binary":
        codes = {name: float(name == label_text(contract.positive)) for name in names}
    return np.array([codes.get(label_text(label), np.nan) for label in truth])
