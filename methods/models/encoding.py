"""Fit how columns become numbers: the schema's roles on training rows give the bundle's plans.

Everything that sees the target (lookups, text scores) is cross-fitted for the rows that it was
fitted on: a row's own label never reaches its own features. What comes out for new rows is computed
by the bundle's own encoder, so training, gate and service see the same bits.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from bundle.arrays import Floats
from bundle.encoder import Encoder
from bundle.plans import EncoderDocument
from contract.errors import Refused
from methods.columns.roles import Feature
from methods.columns.schema import Schema
from methods.models.encoders.categories import fit_category
from methods.models.encoders.column import EncodingSettings, EncodingTarget, FittedColumn, Output
from methods.models.encoders.dates import fit_date
from methods.models.encoders.numbers import fit_binary, fit_number
from methods.models.encoders.texts import fit_text


@dataclass(frozen=True)
class Encoding:
    """Fitted plans, and what each of their outputs is."""

    document: EncoderDocument
    outputs: tuple[Output, ...]

    def encode(self, table: pa.Table) -> Floats:
        """Return new rows as (n, outputs), NaN where missing."""
        return Encoder(self.document).batch(table)

    def positions(self) -> dict[str, list[int]]:
        """Return the positions of each column's outputs."""
        positions: dict[str, list[int]] = {}
        for position, output in enumerate(self.outputs):
            positions.setdefault(output.column, []).append(position)
        return positions


def fit_encoding(
    schema: Schema, table: pa.Table, truth: Floats, settings: EncodingSettings, seed: int
) -> tuple[Encoding, Floats]:
    """Fit the plans on these rows and return them with the rows encoded, cross-fitted.

    `table` holds the training rows only, `truth` is (n,) without NaN. Deterministic for a seed.
    Raises Refused if no column is left to learn from.
    """
    target = _target(schema, truth, settings.folds, seed)
    fitted = [
        one
        for column in schema.columns
        for one in _fit_column(column, table[column.name], target, settings)
    ]
    if not fitted:
        sentence = (
            f"none of the {len(schema.columns)} columns varies over the {len(truth)} training rows; "
            "one is needed. Add columns, or widen the window."
        )
        raise Refused(sentence)
    document = EncoderDocument(columns=tuple(one.plan for one in fitted))
    outputs = tuple(output for one in fitted for output in one.outputs)
    return Encoding(document, outputs), np.hstack([one.values for one in fitted])


def _target(schema: Schema, truth: Floats, folds: int, seed: int) -> EncodingTarget:
    if schema.task == "multiclass":
        scores = (truth[:, None] == np.arange(len(schema.classes))).astype(np.float64)
    else:
        scores = truth.reshape(-1, 1)
    part = np.random.default_rng(seed).permutation(len(truth)) % folds
    return EncodingTarget(schema.task, truth, scores, part, folds)


def _fit_column(
    column: Feature, values: pa.ChunkedArray, target: EncodingTarget, settings: EncodingSettings
) -> list[FittedColumn]:
    """Return the plans of one column: none where it holds no information, two for many categories."""
    name = column.name
    if column.role == "number":
        return fit_number(name, values)
    if column.role == "binary":
        return fit_binary(name, values)
    if column.role == "category":
        return fit_category(name, values, target, settings)
    if column.role == "date":
        return fit_date(name, values)
    if column.role == "text":
        return fit_text(name, values, target, settings)
    return []  # id and constant
