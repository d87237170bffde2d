"""Distributions: how the rows of one column spread over bins, now and in the reference."""

import math
from collections.abc import Sequence
from itertools import pairwise

from contract.formatting import format_share, format_value
from pages.charts.frame import Scale, finite, nothing, plain, scale, tooltip
from pages.svg import Svg, drawing, shortened, tag

_WIDTH = 400.0  # narrower than other charts: histograms stand in a grid, a column each
_HEIGHT = 190.0
_BOTTOM = 146.0
_TOP = 24.0
_LEFT = 46.0


def histogram(
    bins: Sequence[float | str], counts: Sequence[float | None], *, title: str, x_label: str = ""
) -> Svg:
    """Draw the share of rows in each bin.

    `bins` holds either the edges of the bins (one more than the counts) or a name a bin.
    """
    return _draw(bins, counts, None, title, x_label)


def histogram_pair(
    bins: Sequence[float | str],
    reference: Sequence[float | None],
    current: Sequence[float | None],
    *,
    title: str,
    x_label: str = "",
) -> Svg:
    """Draw two distributions over the same bins: the reference as quiet areas, the current as a line.

    `bins` holds either the edges of the bins (one more than the counts) or a name a bin. Counts
    are turned into shares of their own sum, so that windows of unlike size compare.
    """
    return _draw(bins, current, reference, title, x_label)


def _draw(
    bins: Sequence[float | str],
    current: Sequence[float | None],
    reference: Sequence[float | None] | None,
    title: str,
    x_label: str,
) -> Svg:
    if reference is not None and len(reference) != len(current):
        raise ValueError(f"{len(reference)} reference bins for {len(current)} current bins")
    if len(bins) not in {len(current), len(current) + 1}:
        raise ValueError(f"{len(bins)} edges or names for {len(current)} counts")
    now = _shares(current)
    before = _shares(reference) if reference is not None else None
    if not finite(now) and not finite(before or ()):
        return nothing(title)
    y = scale([0.0, *finite(now), *finite(before or ())], _BOTTOM, _TOP, wanted=4)
    width = (_WIDTH - _LEFT - 8) / len(now)
    lefts = [_LEFT + i * width for i in range(len(now))]
    names = _names(bins, len(now))
    parts = _grid(y)
    areas, style = (now, "area") if before is None else (before, "area-quiet")
    for x, value, name in zip(lefts, areas, names, strict=True):
        if value > 0:
            parts.append(
                tag(
                    "rect",
                    tooltip(f"{name}: {format_share(value)}"),
                    x=x + 0.5,
                    y=y.at(value),
                    width=max(0.5, width - 1),
                    height=_BOTTOM - y.at(value),
                    class_=style,
                )
            )
    if before is not None:
        parts.append(tag("path", d=_steps(lefts, width, now, y), class_="step"))
        parts.extend(_legend())
    parts.append(tag("path", d=f"M{_LEFT:.1f} {_BOTTOM:.1f}H{_WIDTH - 8:.1f}", class_="axis"))
    parts.extend(_labels(bins, lefts, width, len(now)))
    if x_label:
        middle = (_LEFT + _WIDTH) / 2
        parts.append(tag("text", x_label, x=middle, y=_BOTTOM + 36, text_anchor="middle"))
    height = _HEIGHT if x_label else _HEIGHT - 18
    return drawing("histogram", title, _sentence(names, now, before), (_WIDTH, height), parts)


def _shares(counts: Sequence[float | None]) -> list[float]:
    known = [value if math.isfinite(value) else 0.0 for value in plain(counts)]
    total = sum(known)
    return [value / total for value in known] if total > 0 else []


def _names(bins: Sequence[float | str], count: int) -> list[str]:
    if len(bins) == count:
        return [format_value(name) for name in bins]
    return [f"{format_value(low)} to {format_value(high)}" for low, high in pairwise(bins)]


def _grid(y: Scale) -> list[Svg]:
    parts = []
    for tick in y.ticks:
        parts.append(
            tag("path", d=f"M{_LEFT:.1f} {y.at(tick):.1f}H{_WIDTH - 8:.1f}", class_="gridline")
        )
        parts.append(
            tag("text", format_share(tick), x=_LEFT - 6, y=y.at(tick) + 4, text_anchor="end")
        )
    return parts


def _steps(lefts: Sequence[float], width: float, values: Sequence[float], y: Scale) -> str:
    """Follow the tops of the bins as one line."""
    steps = [f"M{lefts[0]:.1f} {_BOTTOM:.1f}"]
    steps.extend(
        f"V{y.at(value):.1f}H{x + width:.1f}" for x, value in zip(lefts, values, strict=True)
    )
    return "".join([*steps, f"V{_BOTTOM:.1f}"])


def _legend() -> list[Svg]:
    return [
        tag("rect", x=_WIDTH - 172, y=0.0, width=12.0, height=10.0, class_="area-quiet"),
        tag("text", "reference", x=_WIDTH - 154, y=9.0),
        tag("path", d=f"M{_WIDTH - 84:.1f} 5H{_WIDTH - 66:.1f}", class_="step"),
        tag("text", "current", x=_WIDTH - 58, y=9.0),
    ]


def _labels(
    bins: Sequence[float | str], lefts: Sequence[float], width: float, count: int
) -> list[Svg]:
    """Write the edges below the ticks, or the names below the bins, as many as there is room for."""
    are_edges = len(bins) == count + 1
    positions = [*lefts, lefts[-1] + width] if are_edges else [x + width / 2 for x in lefts]
    every = -(-len(bins) // (8 if are_edges else max(1, min(12, count))))
    room = max(3, int(width * every / 7))
    return [
        tag(
            "text",
            shortened(format_value(bins[i]), max(room, 6) if are_edges else room),
            x=positions[i],
            y=_BOTTOM + 16,
            text_anchor="middle",
        )
        for i in range(0, len(bins), every)
    ]


def _sentence(names: Sequence[str], now: Sequence[float], before: Sequence[float] | None) -> str:
    if not now:
        return "The current window holds no rows."
    largest = max(range(len(now)), key=lambda i: now[i])
    summary = f"{len(now)} bins; most rows, {format_share(now[largest])}, in {names[largest]}"
    if not before:
        return summary
    moved = max(range(len(now)), key=lambda i: abs(now[i] - before[i]))
    return f"{summary}; largest change in {names[moved]}: {format_share(before[moved])} to {format_share(now[moved])}"
