"""Each kind of broken feed through the real stages: what callers send is damaged from day 8 on.

`benchmarks.monitoring.broken` looks at the first days of many seeds cheaply, without a model; this
goes on for days, with refused requests, retrainings and the gate.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.monitoring.cells import Cell, days_of, read_days, simulate
from benchmarks.monitoring.feeds import CONTROLS, FEEDS
from benchmarks.monitoring.worlds import BEGIN, DAY_US, SCENARIOS, MadeUpWorld, problem
from rehearsal.simulation import RehearsalPlan
from rehearsal.world import WorldDay

PART = "broken"
FAULT = 8
LASTS = 5
"""Days that are damaged: three until each must be seen, and two in which nothing may be promoted."""
ROWS = 2_000
DATES: Mapping[str, int] = {
    "dates a year back": -365,
    "dates a year on": 365,
    "dates two days back": -2,
}
"""Days by which the times are off; to the model alone such rows are away."""


class DamagedDays:
    """The quiet world, whose feed is damaged in one way from day `FAULT` on."""

    def __init__(self, kind: str, seed: int) -> None:
        self._kind, self._seed = kind, seed
        self._feed = FEEDS[kind]
        self._world = MadeUpWorld(SCENARIOS["stationary"], ROWS, seed)
        self._more = MadeUpWorld(
            SCENARIOS["stationary"], int(ROWS * max(1.0, self._feed.volume)), seed
        )

    def once(self) -> Mapping[str, pa.Table]:
        """Return nothing, as the quiet world."""
        return {}

    def day(self, number: int) -> WorldDay:
        """Return one day."""
        if number < FAULT:
            return self._world.day(number)
        random = np.random.default_rng([self._seed, number, 9])
        day = self._more.day(number)
        if self._feed.volume < 1:
            count = int(ROWS * self._feed.volume)
            day = _chosen(day, np.sort(random.choice(ROWS, count, replace=False)))
        if self._feed.yesterday:
            day = replace(day, asked=self._yesterday(day, number))
        if self._feed.twice:
            day = self._twice(day)
        if self._feed.change is not None:
            day = replace(day, asked=self._feed.change(day.asked, random))
        return self._of_times(day)

    def _yesterday(self, day: WorldDay, number: int) -> pa.Table:
        """Return the last good day's rows; with its keys, or with today's."""
        del number
        asked = self._world.day(FAULT - 1).asked
        if self._feed.old_keys:
            return asked
        return _put(_put(asked, "id", day.asked["id"]), "at", day.asked["at"])

    def _twice(self, day: WorldDay) -> WorldDay:
        doubled = _chosen(day, np.repeat(np.arange(day.asked.num_rows), 2))
        if self._feed.old_keys:
            return doubled
        keys = [f"{key}-{row}" for row, key in enumerate(doubled.asked["id"].to_pylist())]
        return replace(doubled, asked=_put(doubled.asked, "id", pa.array(keys)))

    def _of_times(self, day: WorldDay) -> WorldDay:
        if self._kind in DATES:
            by = pa.scalar(DATES[self._kind] * DAY_US, pa.duration("us"))
            return replace(day, asked=_put(day.asked, "at", pc.add(day.asked["at"], by)))
        if self._kind == "all rows at one moment":
            moment = pa.repeat(day.asked["at"][0], day.asked.num_rows)
            return replace(day, asked=_put(day.asked, "at", moment))
        if self._kind == "no request":
            return _chosen(day, np.arange(0))
        if self._kind == "every request refused":
            words = pa.array(["n/a"] * day.asked.num_rows)
            return replace(day, asked=_put(day.asked, "heavy", words))
        return day


def _put(table: pa.Table, name: str, values: object) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, values)


def _chosen(day: WorldDay, rows: Any) -> WorldDay:  # noqa: ANN401 - an array of positions
    return replace(
        day,
        asked=day.asked.take(pa.array(rows)),
        moments=day.moments[rows],
        truth=[day.truth[row] for row in rows.tolist()],
        chance=None if day.chance is None else day.chance[rows],
    )


def cells() -> list[Cell]:
    """Return a cell a kind; the quiet days before are simulated once for all of them."""
    return [Cell(PART, _slug(kind), 0, _run(kind)) for kind in FEEDS]


def _run(kind: str) -> Callable[[Path], Mapping[str, Any]]:
    def run(folder: Path) -> Mapping[str, Any]:
        plan = RehearsalPlan(problem=problem(), begin=BEGIN, days=FAULT, history=60)
        quiet = folder.parent / "quiet"
        simulate(quiet, plan, MadeUpWorld(SCENARIOS["stationary"], ROWS, 0))
        shutil.rmtree(folder, ignore_errors=True)
        # A source knows its files by their path below the pattern, size, time and sha256.
        shutil.copytree(quiet, folder)
        found = simulate(folder, replace(plan, days=FAULT + LASTS), DamagedDays(kind, 0))
        return {"kind": kind, **days_of(found)}

    return run


HEADS = (
    "broken feed",
    "blocked on day",
    "first word on day",
    "by, or the last verdict",
    "promoted",
)


def table_row(result: Mapping[str, Any]) -> list[object]:
    """Return a kind's line: on which day it was blocked, what else was said, whether promoted."""
    days = read_days(result)[FAULT:]
    blocked = next(
        (n for n, day in enumerate(days, 1) if day.verdict == "blocked_data_quality"), None
    )
    said = next((n for n, day in enumerate(days, 1) if day.verdict != "ok"), None)
    promoted = sum(day.run is not None and day.run.outcome == "deployed" for day in days)
    by = ", ".join(days[blocked - 1].faults[:2]) if blocked else str(days[-1].verdict)
    return [result["kind"], blocked or "never", said or "never", by, promoted]


def text(rows: list[list[object]]) -> str:
    """Return what the lines of all kinds come to."""
    faults = [row for row in rows if row[0] not in CONTROLS]
    first = sum(row[1] == 1 for row in faults)
    third = sum(isinstance(row[1], int) and row[1] <= 3 for row in faults)
    false = sum(row[1] != "never" for row in rows if row[0] in CONTROLS)
    promoted = sum(int(str(row[4])) for row in faults)
    return (
        f"Of {len(faults)} kinds of broken feed (of {len(FEEDS) - len(CONTROLS)}), each from day "
        f"{FAULT} on for {LASTS} days of {ROWS:,} rows, {first} were blocked on the first day and "
        f"{third} within three; models promoted meanwhile: {promoted}. Of the "
        f"{len(rows) - len(faults)} harmless controls {false} were blocked."
    )


def _slug(kind: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in kind.lower())
