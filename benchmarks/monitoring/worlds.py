"""Made-up worlds with a known truth: a binary problem with weekdays and day effects, and what may happen to it.

Eleven numbers, three categories of 8, 30 and 200 levels, and a flag. Every day is a pure function
of the seed and its number; a scenario changes it from day `CHANGE` on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa

from bundle.arrays import Floats
from rehearsal.world import NEVER, Landing, Micros, WorldDay

BEGIN = date(2024, 1, 1)
CHANGE = 14
SOURCE = "visits"
LEVELS: Mapping[str, int] = {"kind": 8, "place": 30, "code": 200}
DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000
MOMENT = pa.timestamp("us", tz="UTC")


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


Scenario = Callable[[int], State]


def problem(**sections: object) -> dict[str, object]:
    """Return the problem file; `sections` override or add its top-level keys."""
    value: dict[str, object] = {
        "apiVersion": "perennial/v1",
        "kind": "Problem",
        "name": "world",
        "question": "Will the visitor buy?",
        "owner": "operations",
        "target": {
            "column": "bought",
            "task": "binary",
            "positive": True,
            "labels": {"from": SOURCE, "on": ["id"]},
        },
        "source": {
            SOURCE: {
                "kind": "files",
                "path": "",
                "key": ["id"],
                "event_time": "at",
                "known_at": "known",
            }
        },
        "models": {"budget": "4s", "candidates": ["boosting"]},
        "gates": {"latency_p99": "5s"},
    }
    return value | sections


@dataclass(frozen=True)
class MadeUpWorld:
    """Days of one scenario."""

    scenario: Scenario
    rows: int
    """A day."""
    seed: int
    delay_hours: float = 30.0
    """From an event to its label."""
    damage: Callable[[pa.Table, np.random.Generator, int], pa.Table] | None = None
    """What the feed does to the rows that callers send; the sources get the true ones."""

    def once(self) -> Mapping[str, pa.Table]:
        """Return nothing: every row has its time."""
        return {}

    def day(self, number: int) -> WorldDay:
        """Return one day."""
        random = np.random.default_rng([self.seed, number + 5_000])
        state = self.scenario(number)
        table, logit = features(number, random, round(self.rows * state.rows), state)
        n = table.num_rows
        chance = 1 / (1 + np.exp(-logit))
        chance = (1 - state.noise) * chance + state.noise * 0.35
        bought = random.random(n) < chance
        begin = datetime(BEGIN.year, BEGIN.month, BEGIN.day, tzinfo=UTC) + timedelta(days=number)
        moments = int(begin.timestamp() * 1e6) + (
            np.sort(random.random(n)) * (DAY_US - 1_000_000)
        ).astype(np.int64)
        known = moments + np.int64(self.delay_hours * HOUR_US)
        asked = table.append_column("id", pa.array([f"{number}-{i}" for i in range(n)]))
        asked = asked.append_column("at", pa.array(moments, MOMENT))
        landed = asked.append_column("bought", pa.array(bought)).append_column(
            "known", pa.array(known, MOMENT)
        )
        lands = known if state.labels else np.full(n, NEVER)
        if self.damage is not None and number >= 0:
            asked = self.damage(asked, random, number)
        return WorldDay(
            asked=asked,
            moments=moments,
            truth=bought.tolist(),
            landings={SOURCE: Landing(landed, lands)},
            chance=chance,
        )


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


def changed(state: State, at: int = CHANGE) -> Scenario:
    """Return a scenario that is quiet before day `at` and `state` from then on."""
    return lambda number: state if number >= at else State()


def _season(number: int) -> State:
    return State(shift=0.6 * float(np.sin(2 * np.pi * number / 365)))


def without_labels(scenario: Scenario, since: int) -> Scenario:
    """Return the scenario with labels that stop on day `since`."""
    return lambda number: replace(scenario(number), labels=number < since)


SCENARIOS: Mapping[str, Scenario] = {
    "stationary": lambda _: State(),
    "step": changed(State(shift=0.5)),
    "trend": lambda number: State(shift=0.02 * max(0, number - 7)),
    "season": _season,
    "concept": changed(State(concept=1.4)),
    "prior": changed(State(prior=1.0)),
    "segment": changed(State(segment=1.0)),
    "unfixable": changed(State(noise=0.5)),
    "stop": without_labels(lambda _: State(), CHANGE),
    "stop-concept": without_labels(changed(State(concept=1.4)), CHANGE),
    "outage": lambda number: State(rows=0.0 if 20 <= number < 24 else 1.0),
}


def moments_of(table: pa.Table) -> Micros:
    """Return the moments of asked rows, (n,)."""
    found: Micros = table.column("at").cast(pa.int64()).to_numpy()
    return found
