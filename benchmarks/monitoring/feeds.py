"""Fifty-nine things that happen to a feed on one day: 57 faults, nothing at all, and a new column.

A kind changes the rows that are served; the world itself stays as it is. Four of them do no harm and
are told apart as controls: nothing wrong, a new column, a number sent as its own text, and rows of
one moment, which no column shows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from benchmarks.monitoring.worlds import LEVELS
from bundle.arrays import Floats

Random = np.random.Generator
Change = Callable[[pa.Table, Random], pa.Table]
NUMBERS = (
    "heavy", "second", "third", "skewed", "uniform", "counted", "noise", "noise_skewed", "n1", "n2",
    "amount",
)  # fmt: skip


@dataclass(frozen=True)
class BrokenFeed:
    """What happens to a day's rows."""

    change: Change | None = None
    """Of the features."""
    volume: float = 1.0
    """Times the usual rows."""
    twice: bool = False
    """The day comes twice."""
    yesterday: bool = False
    """The feed stands still: the last good day's features come instead of today's."""
    old_keys: bool = False
    """Under their old keys: rows that come twice keep theirs, yesterday's come with theirs."""
    away: bool = False
    """No row belongs to the day: nothing is answered, or the times are of another day."""


def _put(table: pa.Table, name: str, values: object) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, values)


def _number(name: str, change: Callable[[Floats, Random], Floats]) -> BrokenFeed:
    def changed(table: pa.Table, random: Random) -> pa.Table:
        values = np.array(table.column(name).to_numpy(), dtype=np.float64)
        return _put(table, name, pa.array(change(values, random)))

    return BrokenFeed(changed)


def _text(name: str, change: Callable[[str, Random], str | None]) -> BrokenFeed:
    def changed(table: pa.Table, random: Random) -> pa.Table:
        texts = [change(text, random) for text in table.column(name).to_pylist()]
        return _put(table, name, pa.array(texts, pa.string()))

    return BrokenFeed(changed)


def _as_text(name: str, spell: Callable[[float, Random], str]) -> BrokenFeed:
    def changed(table: pa.Table, random: Random) -> pa.Table:
        texts = [spell(value, random) for value in table.column(name).to_pylist()]
        return _put(table, name, pa.array(texts))

    return BrokenFeed(changed)


def _filled(name: str, share: float, value: float | None) -> BrokenFeed:
    """Fill a share of the rows with a value; None: with the median."""

    def changed(values: Floats, random: Random) -> Floats:
        rows = random.random(len(values)) < share
        return np.where(rows, np.nanmedian(values) if value is None else value, values)

    return _number(name, changed)


def _exchanged(one: str, other: str) -> BrokenFeed:
    def changed(table: pa.Table, _: Random) -> pa.Table:
        first, second = table.column(one), table.column(other)
        return _put(_put(table, one, second), other, first)

    return BrokenFeed(changed)


def _shuffled(table: pa.Table, random: Random) -> pa.Table:
    for name in (*NUMBERS, *LEVELS):
        table = _put(table, name, table.column(name).take(pa.array(random.permutation(len(table)))))
    return table


def _moved_on(name: str) -> Callable[[str, Random], str]:
    return lambda text, _: f"{name}-{(int(text.split('-')[1]) + 3) % LEVELS[name]}"


CONTROLS = ("nothing wrong", "a new column", "a number sent as text", "all rows at one moment")

FEEDS: Mapping[str, BrokenFeed] = {
    "nothing wrong": BrokenFeed(),
    "heavy x 100 (symmetric)": _number("heavy", lambda x, _: x * 100),
    "skewed x 100 (positive)": _number("skewed", lambda x, _: x * 100),
    "amount x 100 (wide)": _number("amount", lambda x, _: x * 100),
    "amount x 1000": _number("amount", lambda x, _: x * 1000),
    "amount / 100": _number("amount", lambda x, _: x / 100),
    "skewed x 2.54": _number("skewed", lambda x, _: x * 2.54),
    "uniform x 1.609": _number("uniform", lambda x, _: x * 1.609344),
    "sign of heavy turned": _number("heavy", lambda x, _: -x),
    "third in Fahrenheit": _number("third", lambda x, _: x * 1.8 + 32),
    "heavy null": _number("heavy", lambda x, _: np.full(len(x), np.nan)),
    "noise null (no importance)": _number("noise", lambda x, _: np.full(len(x), np.nan)),
    "heavy null in 30 %": _filled("heavy", 0.3, np.nan),
    "third null in 30 %": _filled("third", 0.3, np.nan),
    "heavy null in 10 %": _filled("heavy", 0.1, np.nan),
    "kind null in 30 %": _text("kind", lambda x, r: None if r.random() < 0.3 else x),
    "kind in capitals": _text("kind", lambda x, _: x.upper()),
    "largest kind renamed": _text("kind", lambda x, _: "other" if x == "kind-0" else x),
    "largest kind in capitals": _text("kind", lambda x, _: "Kind-0" if x == "kind-0" else x),
    "a kind of 9 % renamed": _text("kind", lambda x, _: "other" if x == "kind-3" else x),
    "code badly decoded": _text("code", lambda x, _: x.replace("o", "Ã³")),
    "kind badly decoded in 20 %": _text(
        "kind", lambda x, r: x.replace("i", "Ã¯") if r.random() < 0.2 else x
    ),
    "kinds merged into two": _text("kind", lambda x, _: "kind-0" if int(x[-1]) < 4 else "kind-1"),
    "kinds exchanged": _text("kind", _moved_on("kind")),
    "heavy 0 in 30 %": _filled("heavy", 0.3, 0.0),
    "heavy -1 in 30 %": _filled("heavy", 0.3, -1.0),
    "amount -1 in 30 %": _filled("amount", 0.3, -1.0),
    "counted 0 in 30 % (usual)": _filled("counted", 0.3, 0.0),
    "heavy median in 30 %": _filled("heavy", 0.3, None),
    "heavy median in 15 %": _filled("heavy", 0.15, None),
    "heavy -999 in 8 %": _filled("heavy", 0.08, -999.0),
    "most frequent kind in 30 %": _text("kind", lambda x, r: "kind-0" if r.random() < 0.3 else x),
    "heavy constant": _number("heavy", lambda x, _: np.full(len(x), 1.5)),
    "kind constant": _text("kind", lambda *_: "kind-0"),
    "flag constant": BrokenFeed(lambda t, _: _put(t, "flag", pa.array([True] * len(t)))),
    "second and third exchanged": _exchanged("second", "third"),
    "heavy and n1 exchanged": _exchanged("heavy", "n1"),
    "heavy and amount exchanged": _exchanged("heavy", "amount"),
    "kind and place exchanged": _exchanged("kind", "place"),
    "columns shuffled": BrokenFeed(_shuffled),
    "a number sent as text": _as_text("heavy", lambda x, _: str(x)),
    "decimal comma": _as_text("heavy", lambda x, _: str(x).replace(".", ",")),
    "amount a word in 20 %": _as_text("amount", lambda x, r: "n/a" if r.random() < 0.2 else str(x)),
    "heavy clipped at 1": _number("heavy", lambda x, _: np.clip(x, -1, 1)),
    "heavy rounded": _number("heavy", lambda x, _: np.round(x)),
    "noise added to heavy": _number("heavy", lambda x, r: x + r.normal(0, 1, len(x))),
    "heavy did not come": BrokenFeed(lambda t, _: t.drop_columns(["heavy"])),
    "a new column": BrokenFeed(
        lambda t, r: t.append_column("new", pa.array(r.normal(size=len(t))))
    ),
    "day twice, same keys": BrokenFeed(twice=True, old_keys=True),
    "day twice, new keys": BrokenFeed(twice=True),
    "half the rows": BrokenFeed(volume=0.5),
    "a fifth of the rows": BrokenFeed(volume=0.2),
    "2.5 times the rows": BrokenFeed(volume=2.5),
    "ten times the rows": BrokenFeed(volume=10.0),
    "yesterday again, new keys": BrokenFeed(yesterday=True),
    "yesterday again, same keys": BrokenFeed(yesterday=True, old_keys=True),
    "dates a year back": BrokenFeed(away=True),
    "dates a year on": BrokenFeed(away=True),
    "dates two days back": BrokenFeed(away=True),
    "all rows at one moment": BrokenFeed(),
    "no request": BrokenFeed(away=True),
    "every request refused": BrokenFeed(away=True),
}
