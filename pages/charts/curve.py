"""Two quantities against each other: calibration, ROC, predicted against observed."""

import math
from collections.abc import Sequence

from contract.formatting import format_value
from pages.charts.frame import Scale, axes, nothing, plain, scale, tooltip
from pages.svg import Svg, drawing, path, tag

_SIDE = 400.0  # a square: both axes matter alike
_LEFT = 58.0
_TOP = 28.0
_BOTTOM = 352.0
_MOST_POINTS = 400  # a curve through more points looks the same; thinned evenly, both ends kept


def curve(
    xs: Sequence[float | None],
    ys: Sequence[float | None],
    *,
    title: str,
    x_label: str = "",
    y_label: str = "",
    diagonal: bool = False,
    dots: bool = False,
) -> Svg:
    """Draw a line through points in the order given.

    `diagonal` adds the line of equal values, for calibration and ROC; `dots` marks each point.
    """
    return _draw(xs, ys, title, (x_label, y_label), diagonal=diagonal, dots=dots, joined=True)


def scatter(
    xs: Sequence[float | None],
    ys: Sequence[float | None],
    *,
    title: str,
    x_label: str = "",
    y_label: str = "",
    diagonal: bool = False,
) -> Svg:
    """Draw a dot a point; more than 400 points are thinned evenly."""
    return _draw(xs, ys, title, (x_label, y_label), diagonal=diagonal, dots=True, joined=False)


def _draw(
    xs: Sequence[float | None],
    ys: Sequence[float | None],
    title: str,
    names: tuple[str, str],
    *,
    diagonal: bool,
    dots: bool,
    joined: bool,
) -> Svg:
    if len(xs) != len(ys):
        raise ValueError(f"{len(xs)} xs for {len(ys)} ys")
    pairs = zip(plain(xs), plain(ys), strict=True)
    points = _thinned([(a, b) for a, b in pairs if math.isfinite(a) and math.isfinite(b)])
    if not points:
        return nothing(title)
    across, up = [a for a, _ in points], [b for _, b in points]
    both = [*across, *up]
    x = scale(both if diagonal else across, _LEFT, _SIDE - 14)
    y = scale(both if diagonal else up, _BOTTOM, _TOP)
    parts = axes(x, y, *names)
    if diagonal:
        parts.append(
            tag(
                "path",
                d=path([(x.at(x.low), y.at(x.low)), (x.at(x.high), y.at(x.high))]),
                class_="axis",
            )
        )
    if joined:
        parts.append(tag("path", d=path([(x.at(a), y.at(b)) for a, b in points]), class_="stroke"))
    if dots or len(points) == 1:
        parts.extend(_dots(points, x, y, radius=3.5 if joined else 2.5))
    description = (
        f"{len(points)} points; {names[0] or 'x'} from {format_value(min(across))} to {format_value(max(across))}, "
        f"{names[1] or 'y'} from {format_value(min(up))} to {format_value(max(up))}"
    )
    return drawing("square", title, description, (_SIDE, 396), parts)


def _dots(points: Sequence[tuple[float, float]], x: Scale, y: Scale, *, radius: float) -> list[Svg]:
    return [
        tag(
            "circle",
            tooltip(f"{format_value(a)}, {format_value(b)}"),
            cx=x.at(a),
            cy=y.at(b),
            r=radius,
            class_="dot",
        )
        for a, b in points
    ]


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    if len(points) <= _MOST_POINTS:
        return points
    last = len(points) - 1
    return [points[round(i * last / (_MOST_POINTS - 1))] for i in range(_MOST_POINTS)]
