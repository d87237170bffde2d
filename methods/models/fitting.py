"""Fit a plan on rows: the encoding, every member, and their weighted mean. No search, no clock."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from bundle.arrays import Floats
from methods.models.dataset import Dataset, shape_of
from methods.models.encoding import Encoding, fit_encoding
from methods.models.families import (
    FAMILIES,
    EncodedRows,
    FitLimits,
    Fitted,
    PlannedMember,
    Shape,
    TrainingPlan,
)
from methods.models.families.ensemble import combine
from methods.models.metrics import metric_named
from methods.split.folds import Rows


@dataclass(frozen=True)
class FittedPlan:
    """An encoding, and the members in the plan's order."""

    encoding: Encoding
    members: tuple[tuple[PlannedMember, Fitted], ...]

    def mix(self, encoded: Floats) -> Floats:
        """Return the weighted mean of the members, not calibrated; (n,) or (n, classes)."""
        predictions = {
            str(index): fitted.predict(encoded) for index, (_, fitted) in enumerate(self.members)
        }
        weights = {str(index): member.weight for index, (member, _) in enumerate(self.members)}
        return combine(weights, predictions)

    def predict(self, table: pa.Table) -> Floats:
        """Return the mix of raw rows."""
        return self.mix(self.encoding.encode(table))


def fit_plan(
    plan: TrainingPlan, dataset: Dataset, rows: Rows, weights: Floats | None
) -> FittedPlan:
    """Fit all members of the plan on these rows; deterministic.

    Raises Refused if a class has no row among them.
    """
    dataset.check_classes(rows)
    encoding, encoded = fit_encoding(
        dataset.schema, dataset.take(rows), dataset.truth[rows], plan.encoding, plan.seed
    )
    shape = shape_of(dataset.schema, encoding.outputs, metric_named(plan.metric, plan.task))
    part = EncodedRows(encoded, dataset.truth[rows], weights)
    members = tuple(
        (member, _fit_member(member, plan.rows, shape, part)) for member in plan.members
    )
    return FittedPlan(encoding, members)


def _fit_member(
    member: PlannedMember, planned_rows: int, shape: Shape, part: EncodedRows
) -> Fitted:
    family = FAMILIES[member.family]
    iterations = member.iterations_for(len(part.truth), planned_rows, grow=family.iterations_grow)
    return family.fit(
        shape, part, member.settings, FitLimits(seed=member.seed, iterations=iterations)
    )


def family_name(members: Sequence[PlannedMember]) -> str:
    """Return the families as a card names them, such as `boosting` or `ensemble of boosting, linear`."""
    if len(members) == 1:
        return members[0].family
    return f"ensemble of {', '.join(dict.fromkeys(member.family for member in members))}"
