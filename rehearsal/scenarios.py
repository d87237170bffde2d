"""What may happen to a user's own problem from day `CHANGE` on, as a change of rows or of truth.

A scenario is data: which column moves and how far, how the probabilities turn, how late labels are,
what the feed does to the rows that callers send.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bundle.arrays import Floats

CHANGE = 14
"""The day on which a change begins: two quiet weeks before it. Arbitrary."""
OUTAGE_DAYS = 3
FAULT_DAYS = 3
SHIFT = 0.5
"""Of a step, in standard deviations of the column."""
SLOPE = 0.02
"""Of a trend, in standard deviations a day."""
AMPLITUDE = 0.6
"""Of a season of 365 days, in standard deviations."""
LOGITS = 1.0
"""Added to the rarest class by a moved base rate."""
NOISE = 0.5
"""Share of the labels that no column explains any more."""


@dataclass(frozen=True)
class Pool:
    """What a scenario must know of the user's rows."""

    number: str | None
    """The most important numeric column; None: there is none."""
    deviation: float
    middle: float
    """Its standard deviation and its median."""
    category: str | None
    """The most important column of words; None: there is none."""
    level: object
    """The level of it whose share is nearest a fifth."""
    other: str | None
    """The second numeric column."""


Rows = Callable[[pa.Table, int, Pool, np.random.Generator], pa.Table]
Turn = Callable[[Floats, pa.Table, int, Pool], Floats]
Change = Callable[[Floats], Floats]


@dataclass(frozen=True)
class OwnScenario:
    """One scenario; every part is idle unless it is given."""

    says: str
    rows: Rows | None = None
    """Changes the rows of a day, before their labels are drawn."""
    turn: Turn | None = None
    """Changes probabilities (n, classes), or means (n,)."""
    noise: float = 0.0
    """Share of labels that are drawn from the base rates, from `CHANGE` on."""
    delay_days: int | None = None
    """From an event to its label; None: as the problem's `labels.horizon` says."""
    labels_until: int | None = None
    """The last day whose labels come."""
    silent: range = field(default_factory=lambda: range(0))
    """Days without a request."""
    feed: Rows | None = None
    """Damages what callers send, for `FAULT_DAYS` days; the sources get the true rows."""


def _moved(by: Callable[[int], float]) -> Rows:
    def change(table: pa.Table, number: int, pool: Pool, random: np.random.Generator) -> pa.Table:
        del random
        shift = by(number)
        if pool.number is None or not shift:
            return table
        return _numbers(table, pool.number, _linear(1.0, shift * pool.deviation))

    return change


def _linear(factor: float, plus: float) -> Change:
    return lambda values: np.asarray(values * factor + plus, dtype=np.float64)


def _numbers(table: pa.Table, name: str, change: Change) -> pa.Table:
    column = table[name]
    values = column.cast(pa.float64()).to_numpy()
    changed = pa.array(change(values.astype(np.float64)), from_pandas=True)
    if pa.types.is_integer(column.type):
        changed = pc.round(changed)
    return table.set_column(
        table.column_names.index(name), name, changed.cast(column.type, safe=False)
    )


def _reversed(chances: Floats, chosen: np.ndarray) -> Floats:
    """Return the classes' probabilities, or the values, turned round where `chosen`."""
    turned = chances.copy()
    turned[chosen] = (
        2 * chances.mean() - chances[chosen] if chances.ndim == 1 else chances[chosen][:, ::-1]
    )
    return turned


def _concept(chances: Floats, table: pa.Table, number: int, pool: Pool) -> Floats:
    if number < CHANGE or pool.number is None:
        return chances
    return _reversed(chances, table[pool.number].cast(pa.float64()).to_numpy() > pool.middle)


def _segment(chances: Floats, table: pa.Table, number: int, pool: Pool) -> Floats:
    if number < CHANGE or pool.category is None:
        return chances
    levels = table[pool.category].to_pylist()
    return _reversed(chances, np.array([level == pool.level for level in levels]))


def _base_rate(chances: Floats, table: pa.Table, number: int, pool: Pool) -> Floats:
    del table, pool
    if number < CHANGE:
        return chances
    if chances.ndim == 1:
        return np.asarray(chances + SHIFT * chances.std(), dtype=np.float64)
    factor = np.ones(chances.shape[1])
    factor[int(chances.mean(axis=0).argmin())] = np.e**LOGITS
    found = chances * factor
    return np.asarray(found / found.sum(axis=1, keepdims=True), dtype=np.float64)


def _feed(name: str) -> Rows:
    def change(table: pa.Table, number: int, pool: Pool, random: np.random.Generator) -> pa.Table:
        del number
        if name == "shuffled":
            order = pa.array(random.permutation(table.num_rows))
            for each in (pool.number, pool.other):
                if each is not None:
                    place = table.column_names.index(each)
                    table = table.set_column(place, each, table[each].take(order))
            return table
        if pool.number is None:
            return table
        factor = {"unit": 100.0, "null": np.nan, "sign": -1.0}[name]
        return _numbers(table, pool.number, _linear(factor, 0.0))

    return change


SCENARIOS: Mapping[str, OwnScenario] = {
    "stationary": OwnScenario("nothing changes"),
    "step": OwnScenario(
        f"the most important number rises by {SHIFT} deviations on day {CHANGE}",
        rows=_moved(lambda number: SHIFT if number >= CHANGE else 0.0),
    ),
    "trend": OwnScenario(
        f"the most important number rises by {SLOPE} deviations a day from day {CHANGE} on",
        rows=_moved(lambda number: SLOPE * max(0, number - CHANGE)),
    ),
    "season": OwnScenario(
        f"the most important number swings by {AMPLITUDE} deviations over a year",
        rows=_moved(lambda number: AMPLITUDE * float(np.sin(2 * np.pi * number / 365))),
    ),
    "concept": OwnScenario(
        f"from day {CHANGE} on the answer turns round where the most important number is high",
        turn=_concept,
    ),
    "base-rate": OwnScenario(
        f"from day {CHANGE} on the rarest answer has {LOGITS:g} logit more", turn=_base_rate
    ),
    "segment": OwnScenario(
        f"from day {CHANGE} on the answer turns round in one segment of the rows", turn=_segment
    ),
    "noise": OwnScenario(
        f"from day {CHANGE} on {NOISE:.0%} of the labels are chance, which no model can learn",
        noise=NOISE,
    ),
    **{
        f"late-{days}": OwnScenario(
            f"labels come {days} days late, and the concept changes on day {CHANGE}",
            turn=_concept,
            delay_days=days,
        )
        for days in (1, 7, 30, 90)
    },
    "labels-stop": OwnScenario(
        f"no label comes of day {CHANGE} and later, and the concept changes on that day",
        turn=_concept,
        labels_until=CHANGE - 1,
    ),
    "outage": OwnScenario(
        f"nobody asks for {OUTAGE_DAYS} days from day {CHANGE} on",
        silent=range(CHANGE, CHANGE + OUTAGE_DAYS),
    ),
    **{
        f"feed-{name}": OwnScenario(f"for {FAULT_DAYS} days {says}", feed=_feed(name))
        for name, says in {
            "unit": "the most important number comes in another unit (x 100)",
            "null": "the most important number is empty",
            "sign": "the most important number has the other sign",
            "shuffled": "two important numbers belong to other rows",
        }.items()
    },
}
HISTORY = "history"
"""The landed rows themselves, day after day with their own labels."""
