"""Event times as whole numbers, which cuts are compared with."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

MICROSECONDS = 1_000_000


def microseconds(column: pa.ChunkedArray) -> np.ndarray:
    """Return times as int64 microseconds since 1970 UTC, shape (n,); no time may be missing."""
    moments = pc.cast(column, pa.timestamp("us", getattr(column.type, "tz", None)))
    return np.asarray(pc.cast(moments, pa.int64()).to_numpy(zero_copy_only=False), dtype=np.int64)
