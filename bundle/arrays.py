"""Names of array types; shapes stand where an array is taken or returned."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
