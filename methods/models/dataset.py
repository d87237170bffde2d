"""The prepared rows of a run with their truth, parts and roles, as four stages read them."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bundle.arrays import Floats
from contract.artifacts import Document, Table
from contract.errors import Refused
from contract.problem import Problem
from contract.store.client import Store
from contract.store.documents import read_artifact
from contract.strict import Strict
from methods.columns.schema import Schema, target_vector
from methods.models.encoders.column import Output
from methods.models.families.family import Shape
from methods.models.metrics import DEFAULTS, MetricDefinition, metric_named
from methods.split.folds import PreparedAssignment, Rows, read_assignment
from methods.split.weights import TrainingWindow, row_weights
from methods.tables.parquet import read_table


@dataclass(frozen=True)
class Dataset:
    """Prepared rows in their own order; `truth` is (n,), NaN where a row has no label yet."""

    schema: Schema
    table: pa.Table
    truth: Floats
    assignment: PreparedAssignment

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Tell of each row whether its label is known, (n,)."""
        return ~np.isnan(self.truth)

    def rows(self, *parts: str) -> Rows:
        """Return the labelled rows of the parts, ascending.

        Raises Refused if there is none.
        """
        positions = np.sort(
            np.concatenate([self.assignment.rows(part, self.labelled) for part in parts])
        )
        if len(positions) == 0:
            sentence = (
                f"{' and '.join(parts)} hold no labelled row; wait for labels or widen the window."
            )
            raise Refused(sentence)
        return positions

    def take(self, rows: Rows) -> pa.Table:
        """Return rows of the table by position."""
        return self.table.take(pa.array(rows))

    def weights(self, rows: Rows, now: datetime, window: TrainingWindow) -> Floats | None:
        """Return the rows' training weights, (n,); None where they count alike."""
        name = self.schema.event_time
        times = self.table[name].take(pa.array(rows)) if name in self.table.column_names else None
        return row_weights(times, now, window)

    def check_classes(self, rows: Rows) -> None:
        """Refuse rows that lack a class: no model can be trained for it."""
        for position, name in enumerate(self.schema.classes):
            if not bool((self.truth[rows] == position).any()):
                sentence = (
                    f"class {name!r} of {self.schema.target!r} has no labelled row in train; one is "
                    "needed. Collect more, widen the window, or merge the class with another."
                )
                raise Refused(sentence)


with warnings.catch_warnings():
    # `schema` is the artifact's name; pydantic warns of its own deprecated method of that name.
    warnings.simplefilter("ignore", UserWarning)

    class Prepared(Strict):
        """What selection, tuning and training take alike."""

        problem: Document
        run: Document
        prepared: Table
        schema: Document  # type: ignore[assignment] # as above
        assignment: Table


def read_dataset(store: Store, inputs: Prepared) -> Dataset:
    """Read the outputs of preprocessing and split.

    Raises InvalidRequest if the three do not belong together.
    """
    roles = read_artifact(store, inputs.schema, Schema)
    table = read_table(store, inputs.prepared)
    return Dataset(
        schema=roles,
        table=table,
        truth=target_vector(table, roles),
        assignment=read_assignment(read_table(store, inputs.assignment), table.num_rows),
    )


def metric_of(problem: Problem, schema: Schema) -> MetricDefinition:
    """Return the metric that the problem names, or its task's own."""
    return metric_named(problem.metric.name or DEFAULTS[schema.task], schema.task)


def search_metric(metric: MetricDefinition, schema: Schema) -> MetricDefinition:
    """Return what models are chosen by: the metric, or log-loss where it depends on a threshold.

    The threshold is chosen last; choosing models at a provisional one would choose for it.
    """
    return metric_named("log_loss", schema.task) if metric.decides else metric


def shape_of(schema: Schema, outputs: Sequence[Output], metric: MetricDefinition) -> Shape:
    """Return what every member of the problem has in common."""
    return Shape(
        schema.task, len(schema.classes), tuple(outputs), search_metric(metric, schema).name
    )
