"""What the fitted encoding of a column is: plans of the bundle, their outputs and their values."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field, PositiveInt

from bundle.arrays import Floats
from bundle.encoder import Encoder
from bundle.plans import EncoderDocument, Plan
from contract.learning_task import LearningTask
from contract.strict import Strict

OutputKind = Literal["number", "binary", "code", "lookup", "date", "text"]

PAIR = 2


class EncodingSettings(Strict):
    """How columns are encoded; part of the plan that training replays."""

    levels: PositiveInt = 200
    """Categories with a code of their own, the most frequent ones; the rest share one code."""
    lookup_from: PositiveInt = 40
    """From so many levels on a category gets its target mean as well: codes alone are too thin."""
    lookup_levels: PositiveInt = 20_000
    """Levels with a mean of their own; a bundle stays small."""
    shrinkage: Annotated[float, Field(gt=0.0)] = 10.0
    """Rows of the overall mean that are added to each level's own."""
    terms: PositiveInt = 20_000
    """Words and pairs of words of a text."""
    folds: Annotated[int, Field(ge=2)] = 4
    """Parts of the cross-fitting."""


class Output(Strict):
    """One encoded column: where it comes from and how a member may read it."""

    column: str
    kind: OutputKind
    size: int = 0
    """Of a code: codes are in [0, size), NaN is missing."""


@dataclass(frozen=True)
class EncodingTarget:
    """The training rows' truth as scores to average, (n, scores), and their cross-fitting part."""

    task: LearningTask
    truth: Floats
    scores: Floats
    fold: np.ndarray
    folds: int


@dataclass(frozen=True)
class FittedColumn:
    """One plan, its outputs and its values on the training rows, (n, outputs)."""

    plan: Plan
    outputs: list[Output]
    values: Floats


def encode_column(plan: Plan, values: pa.ChunkedArray) -> Floats:
    """Encode one column by one plan, (n, outputs)."""
    return Encoder(EncoderDocument(columns=(plan,))).batch(pa.table({plan.column: values}))


def varies(encoded: Floats) -> bool:
    """Tell whether a column, (n,), has two different values; NaN is one of them."""
    known = encoded[~np.isnan(encoded)]
    if len(known) == 0:
        return False
    return len(known) < len(encoded) or bool(known.min() != known.max())
