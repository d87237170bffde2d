"""Pairs of training and test rows from the split's assignment, the same for all candidates.

Folds lie inside train. Under a time split they are ordered: a model is scored on rows later than
those it was trained on, as it is when it serves. Large data get one hold-out instead of folds: the
interval of its score is narrow enough, and the time is worth more elsewhere.

Source: Cerqueira, Torgo and Mozetic, "Evaluating time series forecasting models", Machine Learning
109 (2020), section 3 (out-of-sample evaluation in blocks).
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from contract.errors import InvalidRequest

Rows: TypeAlias = NDArray[np.int64]

# From so many on one hold-out of a fifth has >= 4,000 rows: an area's deviation is below 0.01.
HOLDOUT_ROWS = 20_000


@dataclass(frozen=True)
class PreparedAssignment:
    """The split's assignment in the order of the prepared rows, labelled rows only when used.

    `part` holds "train", "validation", "vault"; `block` and `fold` are (n,), fold -1 outside train.
    """

    part: NDArray[np.str_]
    block: Rows
    fold: Rows

    def rows(self, part: str, labelled: NDArray[np.bool_]) -> Rows:
        """Return the positions of the labelled rows of `part`, ascending."""
        return np.flatnonzero((self.part == part) & labelled)


@dataclass(frozen=True)
class Pair:
    """Rows to train on and rows to score, as positions in the prepared table."""

    train: Rows
    score: Rows


def read_assignment(table: pa.Table, rows: int) -> PreparedAssignment:
    """Sort an assignment table by row and check that it covers `rows` rows, each once.

    Raises InvalidRequest if it belongs to another table.
    """
    position = table["row"].to_numpy()
    order = np.argsort(position, kind="stable")
    if len(position) != rows or not np.array_equal(position[order], np.arange(rows)):
        message = (
            f"the assignment names {len(position)} rows and the prepared table has {rows}; "
            "both must come from one run."
        )
        raise InvalidRequest(message)
    return PreparedAssignment(
        part=np.asarray(table["part"].to_pylist(), dtype=np.str_)[order],
        block=table["block"].to_numpy().astype(np.int64)[order],
        fold=table["fold"].to_numpy().astype(np.int64)[order],
    )


def fold_pairs(
    assignment: PreparedAssignment,
    labelled: NDArray[np.bool_],
    *,
    ordered: bool,
    holdout_rows: int = HOLDOUT_ROWS,
) -> list[Pair]:
    """Return the pairs on which every candidate is compared.

    `ordered` is True under a time split: train on the folds before the scored one. Past
    `holdout_rows` labelled rows of train only the last pair is used.
    Raises InvalidRequest if train holds fewer than two folds.
    """
    train = assignment.rows("train", labelled)
    fold = assignment.fold[train]
    numbers = [int(number) for number in np.unique(fold) if number >= 0]
    if len(numbers) <= 1:
        message = (
            f"train has {len(numbers)} folds with labelled rows; 2 are needed. Widen the window."
        )
        raise InvalidRequest(message)
    if ordered:
        pairs = [Pair(train[fold < number], train[fold == number]) for number in numbers[1:]]
    else:
        pairs = [Pair(train[fold != number], train[fold == number]) for number in numbers]
    return pairs[-1:] if len(train) > holdout_rows else pairs
