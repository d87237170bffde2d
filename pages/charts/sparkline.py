"""A line the size of a word, for a table's cell."""

import math
from collections.abc import Sequence

from contract.formatting import format_value
from pages.charts.frame import finite, plain, scale
from pages.svg import Svg, drawing, path, tag

_WIDTH = 120.0
_HEIGHT = 26.0


def sparkline(
    values: Sequence[float | None], threshold: float | None = None, *, title: str = "Course"
) -> Svg:
    """Draw the values in their order with a dot on the newest, and `threshold` as a dashed line.

    A gap stays a gap; without any value the picture is empty, which its title states.
    """
    known = finite(values)
    if not known:
        return drawing("spark", title, "no value", (_WIDTH, _HEIGHT), [])
    y = scale([*known, *finite([threshold])], _HEIGHT - 4, 4.0, loose=False)
    step = (_WIDTH - 10) / max(1, len(values) - 1)
    points = [(5 + i * step, y.at(value)) for i, value in enumerate(plain(values))]
    parts = [tag("path", d=path(points), class_="stroke")]
    parts.extend(
        tag("path", d=f"M0 {y.at(bound):.1f}H{_WIDTH:.0f}", class_="limit")
        for bound in finite([threshold])
    )
    newest = next(point for point in reversed(points) if math.isfinite(point[1]))
    parts.append(tag("circle", cx=newest[0], cy=newest[1], r=3.0, class_="dot"))
    description = f"{len(known)} values, newest {format_value(known[-1])}, lowest {format_value(min(known))}, highest {format_value(max(known))}"
    return drawing("spark", title, description, (_WIDTH, _HEIGHT), parts)
