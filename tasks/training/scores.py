"""The table `forward`: what judged rows were scored by models that had not learnt them."""

import numpy as np
import pyarrow as pa

from methods.retrain.forward import Forward


def forward_table(forward: Forward) -> pa.Table:
    """Return one line a judged row: position, step, scores, threshold, and the earlier refit's scores.

    `score` and `before` are lists where there are several classes. `before` is null but for the
    newest step, and there where only one model scored.
    """
    before = np.full(forward.predicted.shape, np.nan)
    if len(forward.before):
        before[forward.newest] = forward.before
    return pa.table(
        {
            "row": pa.array(forward.rows, pa.int64()),
            "step": pa.array(forward.step, pa.int32()),
            "score": pa.array(forward.predicted.tolist()),
            "threshold": pa.array(forward.threshold, pa.float64()),
            "before": pa.array(before.tolist()),
        }
    )
