"""Which kernel evaluates the members: the C extension, or its numpy twin where it was not built.

Both give the same bits. `PERENNIAL_KERNEL=c|numpy` forces one.
"""

import functools
import importlib
import logging
import os
from typing import Any, Protocol, cast

from contract.errors import InvalidRequest

_LOG = logging.getLogger(__name__)

LINKS = {"identity": 0, "sigmoid": 1, "softmax": 2, "average": 3}
CASTS = {"float64": 0, "float32": 1, "tiny": 2}  # tiny: |x| <= 1e-35f is 0, as LightGBM reads it
# Measured by `make bench-kernel`.
WITHOUT_C = "no C kernel: numpy gives the same scores at 20 times the cost, over 100 for one row"


class Kernel(Protocol):
    """The functions of `bundle._flatforest` and of `bundle.twin`; buffers are C-order float64."""

    def build(  # noqa: PLR0917 - the C call, one argument for each field of the header
        self,
        nodes: object,
        roots: object,
        bits: object,
        leaves: object,
        init: object,
        features: int,
        outputs: int,
        width: int,
        cast: int,
        float32_sums: int,
        link: int,
        scale: float,
        bias: float,
        /,
    ) -> object:
        """Validate every node and return the forest; ValueError when one is wrong."""

    def predict(self, forest: Any, rows: object, out: object, raw: int, /) -> None:  # noqa: ANN401 - what `build` of the same kernel made
        """Fill `out` (n, outputs) from `rows` (n, features); `raw` leaves the link out."""

    def dense(self, rows: object, weights: object, bias: object, out: object, relu: int, /) -> None:
        """Fill `out` (n, m) with rows (n, k) @ weights (k, m) + bias (m,), summed in one order."""


@functools.cache
def pick() -> Kernel:
    """Return the kernel of this process; the first call decides.

    Raises:
        InvalidRequest: when PERENNIAL_KERNEL is not c or numpy, or asks for a missing extension.
    """
    wanted = os.environ.get("PERENNIAL_KERNEL", "")
    if wanted not in {"", "c", "numpy"}:
        sentence = f"PERENNIAL_KERNEL is {wanted!r}, expected 'c' or 'numpy'; unset it"
        raise InvalidRequest(sentence)
    if wanted != "numpy":
        try:
            return cast("Kernel", importlib.import_module("bundle._flatforest"))
        except ImportError as error:
            if wanted == "c":
                sentence = "the C kernel was not built; run `python setup.py build_ext --inplace`"
                raise InvalidRequest(sentence) from error
            _LOG.warning(WITHOUT_C)
    from bundle import twin  # noqa: PLC0415 - where the C kernel is there, none needs it

    return twin
