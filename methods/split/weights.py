"""Which training rows count, and how much each, by its age.

Equal weights over all rows are the default; a retraining chooses among windows by a backtest.

Source: Gama et al., "A survey on concept drift adaptation", ACM Computing Surveys 46(4), 2014,
section 3.2 (gradual forgetting by weights, abrupt forgetting by a window).
"""

from datetime import datetime
from typing import Annotated

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import Field

from contract.strict import Strict

DAY = 86_400.0  # seconds


class TrainingWindow(Strict):
    """The training window of a plan."""

    half_life_days: Annotated[float, Field(gt=0.0)] | None = None
    """Age at which a row counts half; None: all rows count alike."""
    since: int | None = None
    """No earlier row is learnt from, in microseconds since 1970: the onset of a change; None: all are."""


def row_weights(
    times: pa.ChunkedArray | None, now: datetime, window: TrainingWindow
) -> NDArray[np.float64] | None:
    """Return the weight of every row, (n,), mean 1; None where all rows count alike.

    `times` are the rows' event times. A row without a time counts as the oldest one; a time after
    `now` counts as `now`.
    """
    if window.half_life_days is None or times is None or len(times) == 0:
        return None
    seconds = pc.cast(pc.cast(times, pa.timestamp("us", tz="UTC")), pa.int64()).to_numpy()
    ages = np.maximum(0.0, now.timestamp() - np.asarray(seconds, dtype=np.float64) / 1e6) / DAY
    known = np.isfinite(ages)
    if not known.any():
        return None
    ages = np.where(known, ages, ages[known].max())
    weights = np.exp2(-ages / window.half_life_days)
    return np.asarray(weights / weights.mean(), dtype=np.float64)
