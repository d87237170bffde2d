"""The table `forward`: what judged rows were scored by models that had not learnt them."""

import pyarrow as pa

from methods.retrain.forward import Forward


def forward_table(forward: Forward) -> pa.Table:
    """Return one line a judged row: position, step, score (a list of several classes), threshold."""
    return pa.table(
        {
            "row": pa.array(forward.rows, pa.int64()),
            "step": pa.array(forward.step, pa.int32()),
            "score": pa.array(forward.predicted.tolist()),
            "threshold": pa.array(forward.threshold, pa.float64()),
        }
    )
