"""Made-up worlds with a known truth: a binary problem with weekdays and day effects, and what may happen to it.

Eleven numbers, three categories of 8, 30 and 200 levels, and a flag. Every day is a pure function
of the seed and its number; a scenario changes it from day `CHANGE` on.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from bundle.arrays import Floats

LEVELS: Mapping[str, int] = {"kind": 8, "place": 30, "code": 200}


@dataclass(frozen=True)
class State:
    """How one day differs from a quiet one."""

    shift: float = 0.0
    """Of `heavy`, in standard deviations."""
    concept: float = 0.0
    """Taken from the coefficient of `heavy`, which is 1.2."""
    prior: float = 0.0
    """Added to the logit."""
    segment: float = 0.0
    """Where `kind` is the second one (18 % of the rows) the coefficient of `heavy` changes its sign: 1."""
    noise: float = 0.0
    """Share of the rows whose label is a coin that no column knows."""
    rows: float = 1.0
    """Times the usual number."""
    labels: bool = True
    """False: they never come."""


def features(
    number: int, random: np.random.Generator, n: int, state: State
) -> tuple[pa.Table, Floats]:
    """Return the columns of a day and the logit of each row."""
    weekend = number % 7 >= 5
    weekday = 0.35 if weekend else -0.14
    effects, label_effect = random.normal(0, 0.06, 4), random.normal(0, 0.08)
    first, second = random.normal(size=(2, n))
    heavy = first + weekday + effects[0] + state.shift
    c: dict[str, Floats] = {
        "heavy": heavy,
        "second": 0.6 * first + 0.8 * second + effects[1],
        "third": random.normal(size=n) + weekday * 0.5,
        "skewed": random.lognormal(0, 0.8, n) * np.exp(effects[2]),
        "uniform": random.uniform(0, 1, n),
        "counted": random.poisson(3, n).astype(float),
        "noise": random.normal(size=n) + effects[3],
        "noise_skewed": random.lognormal(0, 0.5, n),
        "n1": random.normal(size=n),
        "n2": random.normal(size=n),
        "amount": random.lognormal(3, 1, n),
    }
    codes = {}
    for name, levels in LEVELS.items():
        weights = 1 / np.arange(1, levels + 1)
        codes[name] = random.choice(levels, n, p=weights / weights.sum())
    if weekend:
        codes["kind"][random.random(n) < 0.2] = 0
    slope = np.full(n, 1.2 - state.concept)
    slope = np.where(codes["kind"] == 1, slope * (1 - 2 * state.segment), slope)
    logit = (
        -1 + state.prior + label_effect + slope * heavy - 0.8 * c["second"] + 0.6 * c["third"]
        + 0.6 * np.tanh(c["skewed"] - 1) + 0.1 * codes["kind"] + 0.3 * (np.log(c["amount"]) - 3)
    )  # fmt: skip
    third = np.where(random.random(n) < 0.03, np.nan, c["third"])
    flag = heavy + random.normal(size=n) > 0
    columns: dict[str, object] = {**c, "third": third, "flag": flag}
    columns |= {name: [f"{name}-{code}" for code in code_s] for name, code_s in codes.items()}
    return pa.table(columns), logit
