"""How much each training row counts, by its age or by the change that it precedes.

Equal weights over all rows are the default; a retraining chooses among windows by a backtest.

Source: Gama et al., "A survey on concept drift adaptation", ACM Computing Surveys 46(4), 2014,
section 3.2 (gradual forgetting; abrupt forgetting for the rows before a change).
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
    """When the world changed, in microseconds since 1970; None: it did not."""
    before: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    """With `since`: the weight of all earlier rows together, as a share of the later ones'; a row
    never counts more for being earlier."""


def row_weights(
    times: pa.ChunkedArray | None, now: datetime, window: TrainingWindow
) -> NDArray[np.float64] | None:
    """Return the weight of every row, (n,), mean 1; None where all rows count alike.

    `times` are the rows' event times. A row without a time counts as the oldest one; a time after
    `now` counts as `now`.
    """
    is_equal = window.half_life_days is None and window.since is None
    if is_equal or times is None or len(times) == 0:
        return None
    moments = pc.cast(pc.cast(times, pa.timestamp("us", tz="UTC")), pa.int64()).to_numpy()
    seconds = np.asarray(moments, dtype=np.float64) / 1e6
    known = np.isfinite(seconds)
    if not known.any():
        return None
    seconds = np.where(known, seconds, seconds[known].min())
    weights = np.ones(len(seconds))
    if window.half_life_days is not None:
        ages = np.maximum(0.0, now.timestamp() - seconds) / DAY
        weights = np.exp2(-ages / window.half_life_days)
    if window.since is not None:
        is_later = seconds >= window.since / 1e6
        later, earlier = float(weights[is_later].sum()), float(weights[~is_later].sum())
        # Without a later row all count alike: there is nothing to learn of the change yet.
        if later > 0.0 and earlier > 0.0:
            weights[~is_later] *= min(1.0, window.before * later / earlier)
    return np.asarray(weights / weights.mean(), dtype=np.float64)
