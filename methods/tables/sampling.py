"""Samples of rows that keep the order of the rows and their mix in time."""

import numpy as np
from numpy.typing import NDArray


def evenly_spaced(rows: int, most: int) -> NDArray[np.int64]:
    """Return at most `most` positions in [0, rows), ascending and evenly spaced.

    >>> evenly_spaced(10, 4).tolist()
    [0, 3, 6, 9]
    """
    if rows <= most:
        return np.arange(rows, dtype=np.int64)
    return np.linspace(0, rows - 1, most).round().astype(np.int64)
