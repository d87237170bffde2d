"""The whole product on public time-ordered sets, beside never, always and fixed schedules.

A set's rows are dealt in their order of time over simulated days, seven of which are a window; the
first third is history, and labels come a window late. The schedules retrain by the product's own
stages on all labels that are known, and deploy without a gate. A set whose package is not installed
is skipped with a sentence.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.monitoring.cells import Cell, days_of, read_days, simulate
from benchmarks.monitoring.public_sets import SETS, PublicSet
from benchmarks.monitoring.worlds import BEGIN, DAY_US, MOMENT, SOURCE
from benchmarks.report import table
from rehearsal.simulation import RehearsalPlan
from rehearsal.world import Landing, WorldDay

PART = "public"
WINDOW_DAYS = 7
MOST_WINDOWS = 52
LEAST_ROWS = 700
"""Of a window: a week of 100 rows a day, so that a loss can be measured within one."""
MOST_ROWS = 2_100
HISTORY = 1 / 3
SCHEDULES: Mapping[str, int | None] = {
    "product": None,
    "every window": 1,
    "every 2": 2,
    "every 4": 4,
    "every 8": 8,
}
LOW_GAP = 0.07
"""Share of the loss below which there is little to gain: such sets show the rate alone."""
RESAMPLES = 2_000


@dataclass(frozen=True)
class PublicWorld:
    """A public set's rows, dealt over days."""

    table: pa.Table
    target: str
    days: int
    history: int

    def once(self) -> Mapping[str, pa.Table]:
        """Return nothing."""
        return {}

    def day(self, number: int) -> WorldDay:
        """Return one day."""
        n = self.table.num_rows
        edges = np.linspace(0, n, self.days + self.history + 1).astype(int)
        start, end = edges[number + self.history], edges[number + self.history + 1]
        rows = self.table.slice(start, end - start)
        count = rows.num_rows
        begin = datetime(BEGIN.year, BEGIN.month, BEGIN.day, tzinfo=UTC) + timedelta(days=number)
        moments = int(begin.timestamp() * 1e6) + (
            (np.arange(count) + 0.5) / count * (DAY_US - 1_000_000)
        ).astype(np.int64)
        known = moments + WINDOW_DAYS * DAY_US
        asked = rows.drop_columns([self.target]).append_column(
            "row_name", pa.array([f"{number}-{row}" for row in range(count)])
        )
        asked = asked.append_column("happened", pa.array(moments, MOMENT))
        landed = asked.append_column(self.target, rows[self.target])
        landed = landed.append_column("known", pa.array(known, MOMENT))
        return WorldDay(
            asked=asked,
            moments=moments,
            truth=rows[self.target].to_pylist(),
            landings={SOURCE: Landing(landed, known)},
        )


def cells() -> list[Cell]:
    """Return a cell a set and schedule, for the sets whose packages are installed."""
    return [
        Cell(PART, f"{each.name}-{policy.replace(' ', '-')}", 0, _run(each, every))
        for each in SETS
        if find_spec(each.package) is not None
        for policy, every in SCHEDULES.items()
    ]


def skipped() -> str:
    """Return a sentence about the sets whose packages are not installed; empty if there is none."""
    absent = [each for each in SETS if find_spec(each.package) is None]
    told = ", ".join(f"{each.name} (package `{each.distribution}`)" for each in absent)
    return f"Not measured, since their packages are not installed: {told}." if absent else ""


def _run(each: PublicSet, every: int | None) -> Callable[[Path], Mapping[str, Any]]:
    def run(folder: Path) -> Mapping[str, Any]:
        table = each.load()
        windows = min(MOST_WINDOWS, table.num_rows // LEAST_ROWS)
        most = windows * MOST_ROWS
        if table.num_rows > most:  # thinned evenly in time
            chosen = np.linspace(0, table.num_rows - 1, most).astype(int)
            table = table.take(pa.array(chosen))
        history = round(windows * HISTORY) * WINDOW_DAYS
        days = windows * WINDOW_DAYS - history
        plan = RehearsalPlan(
            problem=_problem(each),
            begin=BEGIN,
            days=days,
            history=history,
            every=None if every is None else every * WINDOW_DAYS,
            overrides={} if every is None else {"split.vault": 0.01},
        )
        return days_of(simulate(folder, plan, PublicWorld(table, each.target, days, history)))

    return run


def _problem(each: PublicSet) -> dict[str, object]:
    return {
        "apiVersion": "perennial/v1",
        "kind": "Problem",
        "name": "public",
        "question": each.question,
        "target": {
            "column": each.target,
            "task": each.task,
            "labels": {"from": SOURCE, "on": ["row_name"], "horizon": f"{WINDOW_DAYS}d"},
        },
        "source": {
            SOURCE: {
                "kind": "files",
                "path": "",
                "key": ["row_name"],
                "event_time": "happened",
                "known_at": "known",
            }
        },
        # The calendar of the simulation is none of the set's.
        "columns": {"happened": {"role": "drop"}},
        "models": {"budget": "10s", "candidates": ["boosting"]},
        "gates": {"latency_p99": "5s"},
    }


HEADS = ("set", "policy", "windows", "retrained, of windows", "mean loss", "gap closed")


def text(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Return the table of the sets, and the product against the best schedule of its rate."""
    lines: list[list[object]] = []
    whole: list[_Measured] = []
    for each in SETS:
        measured = {
            policy: _windows(found[f"{each.name}-{policy.replace(' ', '-')}"][0])
            for policy in SCHEDULES
            if found.get(f"{each.name}-{policy.replace(' ', '-')}")
        }
        if set(measured) != set(SCHEDULES):
            continue
        one = _Measured(each.name, measured)
        if one.gap >= LOW_GAP:
            whole.append(one)
        lines += one.rows()
    parts = [skipped(), table(HEADS, lines) if lines else "No set is measured in full yet."]
    if whole:
        parts.append(_against_schedules(whole))
    return "\n\n".join(part for part in parts if part)


@dataclass(frozen=True)
class _Windows:
    """Sums over each window: loss of the served model and of the first one, rows, retrainings."""

    loss: Any
    first: Any
    rows: Any
    runs: Any


def _windows(result: Mapping[str, Any]) -> _Windows:
    days = read_days(result)
    window = np.array([day.number // WINDOW_DAYS for day in days])

    def add(values: list[float]) -> Any:  # noqa: ANN401 - an array
        return np.bincount(window, np.array(values))

    return _Windows(
        loss=add([day.rows * (day.loss or 0.0) for day in days]),
        first=add([day.rows * (day.first_loss or 0.0) for day in days]),
        rows=add([float(day.rows) for day in days]),
        runs=add([float(day.run is not None) for day in days]),
    )


@dataclass(frozen=True)
class _Measured:
    """One set under every policy."""

    name: str
    by_policy: Mapping[str, _Windows]

    @property
    def gap(self) -> float:
        """Share of the loss of always retraining that never retraining adds."""
        everything = np.arange(len(self.by_policy["product"].rows))
        never, always = self.losses(everything)["never"], self.losses(everything)["every window"]
        return float(never / always - 1)

    def losses(self, chosen: Any) -> dict[str, float]:  # noqa: ANN401 - positions of windows
        """Return the mean loss by policy over some of the windows."""
        rows = self.by_policy["product"].rows[chosen].sum()
        found = {
            policy: float(windows.loss[chosen].sum() / rows)
            for policy, windows in self.by_policy.items()
        }
        return {"never": float(self.by_policy["product"].first[chosen].sum() / rows), **found}

    def closed(self, chosen: Any) -> dict[str, float]:  # noqa: ANN401 - as above
        """Return the share of the gap that each policy closes."""
        losses = self.losses(chosen)
        gap = losses["never"] - losses["every window"]
        return {policy: (losses["never"] - loss) / gap for policy, loss in losses.items()}

    def rates(self) -> dict[str, float]:
        """Return retrainings a window by policy."""
        found = {policy: float(each.runs.mean()) for policy, each in self.by_policy.items()}
        return {"never": 0.0, **found}

    def rows(self) -> list[list[object]]:
        """Return the set's lines of the table."""
        everything = np.arange(len(self.by_policy["product"].rows))
        losses, closed, rates = self.losses(everything), self.closed(everything), self.rates()
        is_low = self.gap < LOW_GAP
        return [
            [
                self.name,
                policy,
                len(everything),
                rates[policy],
                f"{losses[policy]:.4g}",
                "little to gain" if is_low else f"{closed[policy]:.2f}",
            ]
            for policy in losses
        ]


def _against_schedules(sets: Sequence[_Measured]) -> str:
    """Return the product's mean gap closed, and its lead over a schedule of its own rate."""
    random = np.random.default_rng(0)
    product, lead = [], []
    for draw in range(RESAMPLES + 1):
        closed, ahead = [], []
        for each in sets:
            count = len(each.by_policy["product"].rows)
            chosen = np.arange(count) if draw == 0 else random.integers(0, count, count)
            shares, rates = each.closed(chosen), each.rates()
            schedules = sorted((rates[name], shares[name]) for name in shares if name != "product")
            equal = float(
                np.interp(
                    rates["product"],
                    [rate for rate, _ in schedules],
                    [share for _, share in schedules],
                )
            )
            closed.append(shares["product"])
            ahead.append(shares["product"] - equal)
        product.append(float(np.mean(closed)))
        lead.append(float(np.mean(ahead)))
    rate = float(np.mean([each.rates()["product"] for each in sets]))
    low, high = np.quantile(product[1:], [0.025, 0.975])
    low_lead, high_lead = np.quantile(lead[1:], [0.025, 0.975])
    return (
        f"On {len(sets)} sets where something is to gain the whole product closes "
        f"{product[0]:.2f} [{low:.2f}, {high:.2f}] of the gap between never and every window at "
        f"{rate:.2f} retrainings a window; against a fixed schedule of the same rate, between the "
        f"measured ones, that is {lead[0]:+.2f} [{low_lead:+.2f}, {high_lead:+.2f}] (bootstrap over "
        "windows)."
    )
