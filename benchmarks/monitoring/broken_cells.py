"""57 kinds of broken feed: what callers send is damaged from day 8 on, the sources get the truth."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.monitoring.cells import Cell, days_of, read_days, simulate
from benchmarks.monitoring.worlds import BEGIN, LEVELS, SCENARIOS, MadeUpWorld, problem
from rehearsal.simulation import RehearsalPlan
from rehearsal.world import WorldDay

PART = "broken"
FAULT = 8
LASTS = 5
"""Days that are damaged: three until each must be seen, and two in which nothing may be promoted."""
ROWS = 2_000
NUMBERS = (
    *("heavy", "second", "third", "skewed", "uniform", "counted", "noise", "noise_skewed"),
    *("n1", "n2", "amount"),
)

Random = np.random.Generator
Damage = Callable[[pa.Table, Random], pa.Table]


def _set(table: pa.Table, name: str, values: object) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, values)


def number(name: str, change: Callable[[Any, Random], Any]) -> Damage:
    """Return a damage of one column of numbers."""

    def damage(table: pa.Table, random: Random) -> pa.Table:
        values = table[name].to_numpy().astype(float)
        return _set(table, name, pa.array(change(values.copy(), random)))

    return damage


def times(factor: float, plus: float = 0.0) -> Callable[[Any, Random], Any]:
    """Return another unit."""
    return lambda values, _: values * factor + plus


def filled(share: float, value: float | None) -> Callable[[Any, Random], Any]:
    """Return a share of the values replaced by `value`, None: by the median."""

    def change(values: Any, random: Random) -> Any:  # noqa: ANN401 - an array
        values[random.random(len(values)) < share] = (
            np.nanmedian(values) if value is None else value
        )
        return values

    return change


def text(name: str, change: Callable[[str, Random], str | None]) -> Damage:
    """Return a damage of one column of texts, value by value."""
    return lambda table, random: _set(
        table, name, pa.array([change(value, random) for value in table[name].to_pylist()])
    )


def as_text(name: str, change: Callable[[float, Random], str]) -> Damage:
    """Return a column of numbers that comes as texts."""
    return lambda table, random: _set(
        table, name, pa.array([change(value, random) for value in table[name].to_pylist()])
    )


def swapped(one: str, other: str) -> Damage:
    """Return two columns under each other's name."""
    return lambda table, _: _set(_set(table, one, table[other]), other, table[one])


def shuffled(table: pa.Table, random: Random) -> pa.Table:
    """Return every column shuffled by itself: the values of a row no longer belong together."""
    for name in (*NUMBERS, *LEVELS):
        table = _set(table, name, table[name].take(pa.array(random.permutation(table.num_rows))))
    return table


def dates(days: int) -> Damage:
    """Return dates that lie `days` days off."""
    return lambda table, _: _set(
        table, "at", pc.add(table["at"], pa.scalar(days * 86_400_000_000, pa.duration("us")))
    )


FEATURE_FAULTS: Mapping[str, Damage] = {
    "unit x100, symmetric, 43 % importance": number("heavy", times(100)),
    "unit x100, positive": number("skewed", times(100)),
    "unit x100, wide log-normal": number("amount", times(100)),
    "unit x1000": number("amount", times(1_000)),
    "unit /100": number("amount", times(0.01)),
    "inches for centimetres": number("skewed", times(2.54)),
    "miles for kilometres": number("uniform", times(1.609344)),
    "Fahrenheit for Celsius": number("third", times(1.8, 32)),
    "sign flipped": number("heavy", times(-1)),
    "shifted by one": number("heavy", times(1, 1)),
    "null, 43 % importance": number("heavy", filled(1, np.nan)),
    "null, no importance": number("noise", filled(1, np.nan)),
    "30 % null, top number": number("heavy", filled(0.3, np.nan)),
    "30 % null, third number": number("third", filled(0.3, np.nan)),
    "10 % null, top number": number("heavy", filled(0.1, np.nan)),
    "30 % null, category": text("kind", lambda v, r: None if r.random() < 0.3 else v),
    "categories in upper case": text("kind", lambda v, _: v.upper()),
    "largest of 8 categories renamed": text("kind", lambda v, _: v.replace("kind-0", "Kind-0")),
    "a 9 % category renamed": text("kind", lambda v, _: v.replace("kind-3", "Kind-3")),
    "encoding damage, every row": text("code", lambda v, _: v.replace("o", "\u00c3\u00b3")),
    "encoding damage, 20 % of the rows": text(
        "kind", lambda v, r: v.replace("i", "\u00c3\u00af") if r.random() < 0.2 else v
    ),
    "categories merged": text("kind", lambda v, _: "kind-0" if int(v[-1]) < 4 else "kind-1"),
    "categories permuted": text("kind", lambda v, _: f"kind-{(int(v[-1]) + 3) % 8}"),
    "30 % filled with 0": number("heavy", filled(0.3, 0)),
    "30 % filled with -1": number("heavy", filled(0.3, -1)),
    "30 % filled with -1, positive": number("amount", filled(0.3, -1)),
    "30 % filled with 0, where 0 is usual": number("counted", filled(0.3, 0)),
    "30 % filled with the median": number("heavy", filled(0.3, None)),
    "15 % filled with the median": number("heavy", filled(0.15, None)),
    "8 % filled with -999": number("heavy", filled(0.08, -999)),
    "30 % filled with the mode, category": text(
        "kind", lambda v, r: "kind-0" if r.random() < 0.3 else v
    ),
    "constant number": number("heavy", filled(1, 1.5)),
    "constant category": text("kind", lambda _v, _r: "kind-0"),
    "constant flag": lambda table, _: _set(table, "flag", pa.array([True] * table.num_rows)),
    "second and third number swapped": swapped("second", "third"),
    "top and an idle number swapped": swapped("heavy", "n1"),
    "top number and amount swapped": swapped("heavy", "amount"),
    "two categories swapped": swapped("kind", "place"),
    "every column shuffled by itself": shuffled,
    "number as text": as_text("heavy", lambda v, _: str(v)),
    "number as text with a comma": as_text("heavy", lambda v, _: str(v).replace(".", ",")),
    "20 % words among numbers": as_text(
        "amount", lambda v, r: "n/a" if r.random() < 0.2 else str(v)
    ),
    "clipped at one deviation": number("heavy", lambda v, _: np.clip(v, -1, 1)),
    "rounded to whole numbers": number("heavy", lambda v, _: np.round(v)),
    "noise of one deviation added": number("heavy", lambda v, r: v + r.normal(0, 1, len(v))),
    "column gone": lambda table, _: table.drop_columns(["heavy"]),
    "unknown column added": lambda table, r: table.append_column(
        "brandnew", pa.array(r.normal(size=table.num_rows))
    ),
    "dates two days early": dates(-2),
    "dates a year early": dates(-365),
}
ROW_FAULTS = (
    "every row twice",
    "every row twice, new keys",
    "a fifth of the rows",
    "half of the rows",
    "2.5 times the rows",
    "ten times the rows",
    "yesterday's rows, new keys and times",
    "yesterday's rows, their keys and times",
)
KINDS = (*FEATURE_FAULTS, *ROW_FAULTS)


class BrokenFeed:
    """The quiet world, whose feed is damaged in one way from day `FAULT` on."""

    def __init__(self, kind: str, seed: int) -> None:
        self._kind, self._seed = kind, seed
        self._world = MadeUpWorld(SCENARIOS["stationary"], ROWS, seed)

    def once(self) -> Mapping[str, pa.Table]:
        """Return nothing, as the quiet world."""
        return self._world.once()

    def day(self, number: int) -> WorldDay:
        """Return one day."""
        day = self._world.day(number)
        if number < FAULT:
            return day
        random = np.random.default_rng([self._seed, number, 9])
        damage = FEATURE_FAULTS.get(self._kind)
        if damage is not None:
            return replace(day, asked=damage(day.asked, random))
        return self._rows(day, number, random)

    def _rows(self, day: WorldDay, number: int, random: Random) -> WorldDay:
        n, kind = day.asked.num_rows, self._kind
        if kind.startswith("every row twice"):
            twice = np.repeat(np.arange(n), 2)
            changed = _chosen(day, twice)
            if kind.endswith("new keys"):
                names = [f"{number}-twice-{i}" for i in range(2 * n)]
                changed = replace(changed, asked=_set(changed.asked, "id", pa.array(names)))
            return changed
        if kind.startswith("yesterday"):
            before = self._world.day(number - 1)
            asked = before.asked
            if kind.endswith("new keys and times"):
                asked = _set(_set(asked, "id", day.asked["id"]), "at", day.asked["at"])
            return replace(day, asked=asked)
        shares = {"a fifth": 0.2, "half": 0.5, "2.5": 2.5, "ten": 10.0}
        share = next(value for start, value in shares.items() if kind.startswith(start))
        if share < 1:
            return _chosen(day, np.sort(random.choice(n, int(n * share), replace=False)))
        return MadeUpWorld(SCENARIOS["stationary"], int(ROWS * share), self._seed).day(number)


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
    return [Cell(PART, _slug(kind), 0, _run(kind)) for kind in KINDS]


def _run(kind: str) -> Callable[[Path], Mapping[str, Any]]:
    def run(folder: Path) -> Mapping[str, Any]:
        plan = RehearsalPlan(problem=problem(), begin=BEGIN, days=FAULT, history=60)
        quiet = folder.parent / "quiet"
        simulate(quiet, plan, MadeUpWorld(SCENARIOS["stationary"], ROWS, 0))
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(quiet, folder)
        # A source knows its files by their path below the pattern's fixed part, size and sha256.
        found = simulate(folder, replace(plan, days=FAULT + LASTS), BrokenFeed(kind, 0))
        return {"kind": kind, **days_of(found)}

    return run


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


HEADS = (
    "broken feed",
    "blocked on day",
    "first word on day",
    "by, or the last verdict",
    "promoted",
)


def _slug(kind: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in kind.lower())
