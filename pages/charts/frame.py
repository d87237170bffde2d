"""What charts share: a scale with round ticks, axes, and the sentence for a chart with no values."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pages.svg import Svg, drawing, tag

WIDTH = 560.0  # the unit of every full chart: about one CSS pixel on a wide screen
_MOST_DECIMALS = 6  # arbitrary: past these two a tick is wider than its place
_LARGEST_TICK = 1e9
_LARGEST = 1e300
_ROUND_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Scale:
    """A linear map from values to units of the drawing, with its ticks."""

    low: float
    high: float
    start: float  # where `low` is drawn
    end: float  # where `high` is drawn
    ticks: tuple[float, ...]
    step: float

    def at(self, value: float) -> float:
        """Place a value; what lies outside the scale is drawn at its edge."""
        if not math.isfinite(value):
            return math.nan
        share = (value - self.low) / (self.high - self.low)
        return self.start + (self.end - self.start) * min(1.0, max(0.0, share))

    def format_tick(self, tick: float) -> str:
        """Write a tick with as many decimals as the step needs."""
        decimals = max(0, -math.floor(math.log10(self.step) + 1e-9))
        if decimals > _MOST_DECIMALS or abs(tick) >= _LARGEST_TICK:
            return f"{tick:.3g}"
        if decimals and round(self.step * 10**decimals, 6) % 1:
            decimals += 1
        return f"{tick:,.{decimals}f}".replace("-", "\N{MINUS SIGN}")


def finite(values: Iterable[float | None]) -> list[float]:
    """Keep the values that can be drawn."""
    return [value for value in plain(values) if math.isfinite(value)]


def plain(values: Iterable[float | None]) -> list[float]:
    """Make every value a float that a scale can hold; None becomes NaN and keeps its position.

    What is larger than 1e300 becomes infinite, what is smaller than 1e-300 zero: between those two
    a scale's differences and steps neither overflow nor vanish.
    """
    return [_within_reach(math.nan if value is None else float(value)) for value in values]


def _within_reach(value: float) -> float:
    if abs(value) > _LARGEST:
        return math.copysign(math.inf, value)
    return 0.0 if abs(value) < 1 / _LARGEST else value


def scale(
    values: Sequence[float], start: float, end: float, *, wanted: int = 5, loose: bool = True
) -> Scale:
    """Fit a scale to finite values.

    With `loose` the scale ends on round ticks; without it, on the values themselves. A single
    value gets room on both sides.
    """
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if high - low <= 1e-12 * max(abs(low), abs(high)):
        room = abs(low) * 0.1 or 0.5
        low, high = low - room, high + room
    raw = (high - low) / max(1, wanted - 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = power * min(step for step in _ROUND_STEPS if step * power >= raw * (1 - 1e-9))
    first = math.floor(low / step + 1e-9) if loose else math.ceil(low / step - 1e-9)
    last = math.ceil(high / step - 1e-9) if loose else math.floor(high / step + 1e-9)
    ticks = tuple(i * step for i in range(first, last + 1))
    if loose:
        low, high = ticks[0], ticks[-1]
    return Scale(low, high, start, end, ticks, step)


def axes(x: Scale, y: Scale, x_label: str, y_label: str) -> list[Svg]:
    """Draw the grid lines, the ticks' numbers and the names of both axes.

    `y` runs from its start at the bottom to its end at the top. A scale without ticks is only
    a place.
    """
    parts: list[Svg] = []
    for tick in y.ticks:
        height = y.at(tick)
        parts.append(tag("path", d=f"M{x.start:.1f} {height:.1f}H{x.end:.1f}", class_="gridline"))
        parts.append(
            tag("text", y.format_tick(tick), x=x.start - 8, y=height + 4, text_anchor="end")
        )
    parts.append(tag("path", d=f"M{x.start:.1f} {y.start:.1f}H{x.end:.1f}", class_="axis"))
    parts.extend(
        tag("text", x.format_tick(tick), x=x.at(tick), y=y.start + 17, text_anchor="middle")
        for tick in x.ticks
    )
    if x_label:
        middle = (x.start + x.end) / 2
        parts.append(tag("text", x_label, x=middle, y=y.start + 36, text_anchor="middle"))
    if y_label:
        parts.append(tag("text", y_label, x=2.0, y=y.end - 14))
    return parts


def nothing(title: str, sentence: str = "There is no value to draw.") -> Svg:
    """Draw a chart without values: a text instead of an empty space."""
    text = tag("text", sentence, x=WIDTH / 2, y=32.0, text_anchor="middle")
    return drawing("empty", title, sentence, (WIDTH, 56), [text])


def tooltip(sentence: str) -> Svg:
    """Make the title of one mark, which a browser shows on hovering."""
    return tag("title", sentence)
