"""Compare the reader with the training library on rows that are hard to get right.

Plain rows hide the faults of converters: `<` for `<=`, a float32 input read as float64, a missing
value sent the wrong way. Thresholds, their neighbours, NaN and unseen codes show them.
"""

from collections.abc import Callable

import numpy as np

from bundle.arrays import Floats
from bundle.members import read_member
from bundle.tensors import Tensors
from contract.errors import Refused
from methods.models.converters.nodes import CATEGORICAL

LIMIT = 1e-12  # relative above 1, absolute below
_ROWS = 2_000  # arbitrary: every threshold of a usual model is met, in a second
_FEATURE_MASK = 0x00FFFFFF
_MISSING = 0.1  # of all cells


def check_agreement(
    tensors: Tensors,
    native: Callable[[Floats], Floats],
    rows: Floats | None = None,
    *,
    raw: bool = False,
    seed: int = 0,
) -> float:
    """Return the largest difference between the reader and the library on hard rows.

    `native` takes rows (n, inputs) and gives scores (n,) or (n, outputs), as the member does;
    `raw` compares both before the link, where nothing is squeezed. See `hard_rows` for `rows`.

    Raises:
        Refused: when they differ by more than 1e-12 or one is not finite.
    """
    hard = hard_rows(tensors, rows, seed=seed)
    actual = read_member(tensors, raw=raw).batch(hard)
    expected = np.asarray(native(hard), np.float64).reshape(len(hard), -1)
    if actual.shape != expected.shape:
        sentence = f"the reader gives {actual.shape[1]} scores, the library {expected.shape[1]}"
        raise Refused(sentence)
    differences = np.abs(actual - expected) / np.maximum(1.0, np.abs(expected))
    largest = float(differences.max())
    if not largest <= LIMIT:  # NaN compares false
        row = int(differences.max(axis=1).argmax())
        sentence = (
            f"the reader says {actual[row].tolist()} and the library {expected[row].tolist()} "
            f"of one row; do not serve this model, its converter does not know the library"
        )
        raise Refused(sentence)
    return largest


def hard_rows(
    tensors: Tensors, rows: Floats | None = None, *, count: int = _ROWS, seed: int = 0
) -> Floats:
    """Return rows (count, inputs) on which a tree member is easily evaluated wrongly.

    Of each cell: 40 % are a threshold of that column, half of them moved by one ulp of float64 or
    float32; 10 % are missing; in categorical columns 20 % are codes that no row had. The rest
    comes from `rows` (n, inputs), or lies about the thresholds when there are none.
    """
    random = np.random.default_rng(seed)
    nodes = tensors.arrays["nodes"]
    inner = nodes[nodes["child"] != np.arange(len(nodes))]
    feature = inner["feature"] & _FEATURE_MASK
    categorical = inner["feature"] & CATEGORICAL != 0
    inputs = int(str(tensors.meta["inputs"]))
    columns = []
    for column in range(inputs):
        here = feature == column
        thresholds = inner["threshold"][here & ~categorical].astype(np.float64)
        thresholds = thresholds[np.isfinite(thresholds)]
        if rows is not None:
            plain = random.choice(rows[:, column], count)
        elif (here & categorical).any():
            plain = random.integers(0, 100, count).astype(np.float64)
        else:
            plain = random.choice(np.append(thresholds, 0.0), count) + random.normal(size=count)
        if (here & categorical).any():
            unseen = random.choice([-1.0, -0.5, 1e4, 1e9, 3.5], count)
            plain = np.where(random.random(count) < 0.2, unseen, plain)  # noqa: PLR2004 - see above
        elif len(thresholds):
            plain = _at_thresholds(plain, thresholds, random)
        columns.append(np.where(random.random(count) < _MISSING, np.nan, plain))
    return np.ascontiguousarray(np.column_stack(columns))


def _at_thresholds(plain: Floats, thresholds: Floats, random: np.random.Generator) -> Floats:
    at = random.choice(thresholds, len(plain))
    single = at.astype(np.float32)
    choices = [
        at,
        at,
        np.nextafter(at, np.inf),
        np.nextafter(at, -np.inf),
        np.nextafter(single, np.float32(np.inf)).astype(np.float64),
        np.nextafter(single, np.float32(-np.inf)).astype(np.float64),
        *[plain] * 9,
    ]
    return np.choose(random.integers(0, len(choices), len(plain)), choices)
