"""The newest rows of a time-ordered problem, which judge a model: from when on, and in which steps.

After a change only rows since its onset tell whether a model has learnt it. Where these are too few
the judged rows reach further back, but never to rows that the serving model's judged twin has
learnt from.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from methods.retrain.thresholds import RetrainLimits
from methods.split.event_times import MICROSECONDS

DAY = 86_400 * MICROSECONDS
FEWEST_REFITS = 2  # their difference says how much the model that ships may differ
Times = NDArray[np.int64]


@dataclass(frozen=True)
class RefitStep:
    """One refit: positions of the rows that it may learn from, and of those that it scores."""

    train: NDArray[np.int64]
    score: NDArray[np.int64]
    begins: int
    """The first moment of the scored days, microseconds since 1970."""


def enough_from(times: Times, rarer: Times, limits: RetrainLimits) -> int | None:
    """Return the latest moment from which on there are enough rows to judge; None: there is none.

    Args:
        times: of the labelled rows, ascending, microseconds since 1970, (n,).
        rarer: of those of the rarer of two classes, ascending, (m,); empty where there is none to
            count: several classes, or a value.
        limits: how many days, rows, and rows of the rarer class are enough.
    """
    days = np.unique(times // DAY)
    if len(days) < limits.judged_days or len(times) < limits.judged_rows:
        return None
    needed = [int(days[-limits.judged_days] * DAY), int(times[-limits.judged_rows])]
    if len(rarer):
        needed.append(int(rarer[-min(limits.judged_of_class, len(rarer))]))
    start = min(needed)
    # Whole days: a day is one block, and none is judged in half.
    return max(start // DAY * DAY, int(times[0]))


def is_rarer(table: pa.Table, target: str | None) -> np.ndarray:
    """Return a mask of the rows of the rarer of two classes, shape (n,); all False for other targets."""
    nobody = np.zeros(table.num_rows, dtype=bool)
    if target is None or target not in table.column_names:
        return nobody
    values = pc.drop_null(pc.value_counts(table[target].combine_chunks()))
    if len(values) != 2:  # noqa: PLR2004 - two classes
        return nobody
    rarest = min(values.to_pylist(), key=lambda one: int(one["counts"]))["values"]
    return np.asarray(pc.fill_null(pc.equal(table[target], rarest), False).to_numpy())  # noqa: FBT003 - a value


def steps(
    times: Times, judged: NDArray[np.int64], gap: int, limits: RetrainLimits
) -> list[RefitStep]:
    """Cut the judged rows into steps of whole days, oldest first; each learns from all rows before.

    A step's rows to learn from end `gap` microseconds before it begins, so that no label of theirs
    became known during it. A step without such a row is left out.

    Args:
        times: of all labelled rows, microseconds since 1970, (n,).
        judged: positions of the judged ones.
        gap: in microseconds.
        limits: how many refits there may be.
    """
    period = times[judged] // DAY
    if len(np.unique(period)) < FEWEST_REFITS:
        period = times[judged]  # all of one day: by the moment
    periods = np.unique(period)
    affordable = max(FEWEST_REFITS, limits.refit_rows // max(1, len(times)))
    found = []
    for group in np.array_split(periods, min(limits.refits, affordable, len(periods))):
        score = judged[(period >= group[0]) & (period <= group[-1])]
        begins = int(times[score].min())
        train = np.flatnonzero(times < begins - gap)
        if len(train):
            found.append(RefitStep(train=train, score=score, begins=begins))
    return found
