"""Lines over a common axis: a score a day, a search's progress."""

from collections.abc import Mapping, Sequence
from datetime import date

from contract.formatting import format_value
from pages.charts.frame import WIDTH, Scale, axes, finite, nothing, plain, scale, tooltip
from pages.svg import Svg, drawing, path, shortened, tag

_TOP = 14.0
_LEGEND = 32.0  # above the chart, where there is more than one series
_Y_NAME = 14.0  # the same, where the vertical axis has a name
_BOTTOM = 206.0
_LEFT = 58.0
_RIGHT = WIDTH - 20
_STYLES = 5  # line styles in the stylesheet: a sixth series would look like the first
_DOTS_UP_TO = 40  # arbitrary: past it the dots run into one another


def lines(
    series: Mapping[str, Sequence[float | None]],
    xs: Sequence[float | str | date] | None = None,
    *,
    title: str,
    x_label: str = "",
    y_label: str = "",
    limits: Mapping[str, float] | None = None,
) -> Svg:
    """Draw one line a series, at most five; the first has the accent colour.

    `xs` are common to all series: numbers are placed where they belong, names and times evenly;
    None counts from 1. A value that is None or NaN leaves a gap. `limits` are dashed lines, each
    with its name.
    """
    if len(series) > _STYLES:
        raise ValueError(
            f"{len(series)} series; a chart holds at most {_STYLES}: draw several charts"
        )
    count = max((len(values) for values in series.values()), default=0)
    positions: Sequence[float | str | date] = range(1, count + 1) if xs is None else xs
    for name, values in series.items():
        if len(values) != len(positions):
            raise ValueError(
                f"series {name!r} has {len(values)} values for {len(positions)} positions"
            )
    drawn = [value for values in series.values() for value in finite(values)]
    bounds = {name: value for name, value in (limits or {}).items() if finite([value])}
    if not drawn:
        return nothing(title)
    top = _LEGEND + _TOP if len(series) > 1 else _TOP + (_Y_NAME if y_label else 0.0)
    y = scale([*drawn, *bounds.values()], _BOTTOM, top)
    x, at, names = _horizontal(positions)
    parts = [*axes(x, y, x_label, y_label), *names, *_limits(bounds, y)]
    for order, (name, values) in enumerate(series.items()):
        points = [
            (position, y.at(value)) for position, value in zip(at, plain(values), strict=True)
        ]
        parts.append(tag("path", d=path(points), class_=f"stroke series-{order}"))
        if len(at) <= _DOTS_UP_TO and order == 0:
            parts.extend(_dots(name, positions, values, points))
    parts.extend(_legend(list(series)))
    description = "; ".join(_sentence(name, values) for name, values in series.items())
    return drawing("lines", title, description, (WIDTH, 250 if x_label else 230), parts)


def _horizontal(positions: Sequence[float | str | date]) -> tuple[Scale, list[float], list[Svg]]:
    """Place the values; names and times are written here, numbers by the axis itself."""
    numbers = [float(position) for position in positions if isinstance(position, int | float)]
    if len(numbers) == len(positions):
        x = scale(finite(numbers), _LEFT, _RIGHT, wanted=7, loose=False)
        return x, [x.at(position) for position in numbers], []
    step = (_RIGHT - _LEFT) / max(1, len(positions) - 1)
    at = [_LEFT + i * step for i in range(len(positions))]
    labels = [format_value(position) for position in positions]
    width = 7 * max((len(name) for name in labels), default=0) + 10  # of one name, at 12 px
    every = max(1, -(-len(labels) * width // int(_RIGHT - _LEFT)))
    names = [
        tag("text", shortened(labels[i], 24), x=at[i], y=_BOTTOM + 17, text_anchor="middle")
        for i in range(0, len(labels), every)
        if at[i] + width / 2 <= WIDTH + 5 or len(labels) == 1
    ]
    return Scale(0.0, 1.0, _LEFT, _RIGHT, (), 1.0), at, names


def _limits(bounds: Mapping[str, float], y: Scale) -> list[Svg]:
    parts = []
    for name, value in bounds.items():
        height = y.at(value)
        parts.append(tag("path", d=f"M{_LEFT:.1f} {height:.1f}H{_RIGHT:.1f}", class_="limit"))
        label = f"{name} {format_value(value)}"
        parts.append(
            tag("text", label, x=_RIGHT, y=height - 5, text_anchor="end", class_="limit-name")
        )
    return parts


def _dots(
    name: str,
    positions: Sequence[float | str | date],
    values: Sequence[float | None],
    points: Sequence[tuple[float, float]],
) -> list[Svg]:
    return [
        tag(
            "circle",
            tooltip(f"{name}, {format_value(position)}: {format_value(value)}"),
            cx=x,
            cy=y,
            r=3.5,
            class_="dot",
        )
        for position, value, (x, y) in zip(positions, values, points, strict=True)
        if finite([x, y]) == [x, y]
    ]


def _legend(names: Sequence[str]) -> list[Svg]:
    """Name the lines above the chart, where there is more than one."""
    if len(names) < 2:  # noqa: PLR2004 (one line needs no legend)
        return []
    width = (_RIGHT - _LEFT) / len(names)
    parts = []
    for order, name in enumerate(names):
        x = _LEFT + order * width
        parts.append(tag("path", d=f"M{x:.1f} 6h22", class_=f"stroke series-{order}"))
        parts.append(
            tag("text", shortened(name, int((width - 34) / 7)), tooltip(name), x=x + 28, y=10.0)
        )
    return parts


def _sentence(name: str, values: Sequence[float | None]) -> str:
    known = finite(values)
    if not known:
        return f"{name}: no value"
    ends = f"from {format_value(known[0])} to {format_value(known[-1])}"
    return f"{name}: {len(known)} values {ends}, lowest {format_value(min(known))}, highest {format_value(max(known))}"
