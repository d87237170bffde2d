"""The truth of a rehearsed world: labels drawn from a model of the user's own rows.

A row that is drawn again with its own label would teach a retrained model its test: each draw gets
a new label instead, from the model's probabilities (the parametric bootstrap; Efron and Tibshirani,
"An Introduction to the Bootstrap", 1993, section 6.5). The model is over-confident on the rows that
it has learned from, so its probabilities are tempered until their own entropy is the loss that it
had on held-out rows: the world is then as hard as the real one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from bundle.arrays import Floats
from bundle.model import Model
from methods.columns.targets import label_text
from rehearsal.landed_run import OwnRows

FLOOR = 1e-6
STEPS = 40


@dataclass(frozen=True)
class Truth:
    """P(class) of each row, or the mean of its value; and how far it is from certain."""

    model: Model
    temperature: float
    """Divides the logits, > 0; 1: as the model says."""
    deviation: float
    """Of a regression's value around its mean."""
    spellings: Sequence[object]
    """The target's values as the table spells them, in the order of the model's classes."""
    target: pa.DataType

    def chances(self, table: pa.Table) -> Floats:
        """Return P(class), (n, classes), or the mean of a regression, (n,)."""
        scores = self.model.scores(self.model.encoder.batch(table))
        if self.model.contract.task == "regression":
            return scores
        if scores.ndim == 1:
            order = [label_text(each) for each in self.model.contract.classes]
            positive = order.index(label_text(self.model.contract.positive))
            pair = np.column_stack([1 - scores, scores])
            scores = pair if positive == 1 else pair[:, ::-1]
        return tempered(scores, self.temperature)

    def draw(self, chances: Floats, random: np.random.Generator) -> list[object]:
        """Return a label of each row, as the table spells it."""
        if chances.ndim == 1:
            values = chances + random.normal(0, self.deviation, len(chances))
            if pa.types.is_integer(self.target):
                values = np.round(values)
            return list(pa.array(values).cast(self.target, safe=False).to_pylist())
        drawn = (random.random(len(chances))[:, None] > np.cumsum(chances, axis=1)).sum(axis=1)
        return [self.spellings[min(index, len(self.spellings) - 1)] for index in drawn.tolist()]


def truth_of(rows: OwnRows) -> Truth:
    """Return the truth of the user's rows."""
    contract, column = rows.model.contract, rows.table[rows.schema.target]
    target = column.type
    held_out = rows.reference.losses.mean
    if contract.task == "regression":
        return Truth(rows.model, 1.0, held_out**0.5, (), target)
    by_text = {label_text(value): value for value in column.unique().to_pylist()}
    spellings = [by_text[label_text(each)] for each in contract.classes]
    plain = Truth(rows.model, 1.0, 0.0, spellings, target)
    temperature = temperature_for(plain.chances(rows.table), held_out)
    return Truth(rows.model, temperature, 0.0, spellings, target)


def tempered(chances: Floats, temperature: float) -> Floats:
    """Return probabilities whose logarithms were divided by a temperature; (n, classes).

    >>> tempered(np.array([[0.2, 0.8]]), 1.0).round(3).tolist()
    [[0.2, 0.8]]
    """
    powered = np.clip(chances, FLOOR, 1.0) ** (1 / temperature)
    found: Floats = powered / powered.sum(axis=1, keepdims=True)
    return found


def temperature_for(chances: Floats, loss: float) -> float:
    """Return the temperature at which the mean entropy is `loss`; at least 1."""
    low, high = 1.0, 20.0
    if entropy(tempered(chances, low)) >= loss:
        return low
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if entropy(tempered(chances, middle)) < loss else (low, middle)
    return (low + high) / 2


def entropy(chances: Floats) -> float:
    """Return the mean entropy of the rows, in nats: the loss of who knows the truth."""
    safe = np.clip(chances, FLOOR, 1.0)
    return float(-(safe * np.log(safe)).sum(axis=1).mean())
