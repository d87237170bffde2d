"""Horizontal bars: a value a name, such as scores of candidates or weights of columns."""

import math
from collections.abc import Collection, Sequence

from contract.formatting import format_value
from pages.charts.frame import WIDTH, Scale, finite, nothing, plain, scale, tooltip
from pages.svg import Svg, drawing, shortened, tag

_ROW = 26.0
_LETTER = 6.8  # mean width of a letter at 12 px
_LONGEST_NAME = 26


def bars(
    labels: Sequence[str],
    values: Sequence[float | None],
    *,
    title: str,
    lows: Sequence[float | None] | None = None,
    highs: Sequence[float | None] | None = None,
    highlight: Collection[int] = (),
    limit: float | None = None,
    digits: int = 3,
) -> Svg:
    """Draw a bar a label, from zero, in the order given, with its number at the end.

    `lows` and `highs` add the interval of each value. `highlight` names positions from 0: these
    keep the accent colour and the others become quiet; empty: all have it. `limit` is a dashed
    line. A value that is None or NaN has a row and no bar.
    """
    if len(labels) != len(values):
        raise ValueError(f"{len(labels)} labels for {len(values)} values")
    numbers = plain(values)
    ends = [*finite(lows or ()), *finite(highs or ()), *finite([limit])]
    drawn = finite(numbers)
    if not drawn:
        return nothing(title)
    names = [shortened(label, _LONGEST_NAME) for label in labels]
    left = 14 + _LETTER * max(len(name) for name in names)
    x = scale([0.0, *drawn, *ends], left, WIDTH - 70, loose=False)
    spans = list(
        zip(
            plain(lows or [None] * len(numbers)), plain(highs or [None] * len(numbers)), strict=True
        )
    )
    parts: list[Svg] = []
    for i, (name, value) in enumerate(zip(names, numbers, strict=True)):
        is_accent = not highlight or i in highlight
        parts.extend(
            _row(i, name, labels[i], value, spans[i], x, is_accent=is_accent, digits=digits)
        )
    height = _ROW * len(numbers) + 8
    parts.append(tag("path", d=f"M{x.at(0):.1f} 2V{height - 4:.1f}", class_="axis"))
    if limit is not None and math.isfinite(limit):
        parts.append(
            tag(
                "path",
                tooltip(f"limit {format_value(limit, digits)}"),
                class_="limit",
                d=f"M{x.at(limit):.1f} 2V{height - 4:.1f}",
            )
        )
    description = ", ".join(
        f"{label} {format_value(value, digits)}"
        for label, value in zip(labels, numbers, strict=True)
    )
    return drawing("bars", title, description, (WIDTH, height), parts)


def _row(  # noqa: PLR0917 (one row of the one caller above)
    i: int,
    name: str,
    label: str,
    value: float,
    span: tuple[float, float],
    x: Scale,
    *,
    is_accent: bool,
    digits: int,
) -> list[Svg]:
    top = _ROW * i + 4
    middle = top + 9
    parts = [
        tag(
            "text",
            name,
            tooltip(label),
            x=x.start - 10,
            y=middle + 4,
            text_anchor="end",
            class_="name",
        )
    ]
    if not math.isfinite(value):
        return [*parts, tag("text", format_value(value), x=x.at(0) + 6, y=middle + 4)]
    zero, end = x.at(0), x.at(value)
    parts.append(
        tag(
            "rect",
            tooltip(f"{label}: {format_value(value, digits)}"),
            x=min(zero, end),
            y=top,
            width=max(0.5, abs(end - zero)),
            height=18.0,
            rx=2,
            class_="area" if is_accent else "area-quiet",
        )
    )
    low, high = span
    reach = max(zero, end)
    if math.isfinite(low) and math.isfinite(high):
        parts.append(
            tag("path", d=f"M{x.at(low):.1f} {middle:.1f}H{x.at(high):.1f}", class_="whisker")
        )
        reach = max(reach, x.at(high))
    parts.append(
        tag("text", format_value(value, digits), x=reach + 7, y=middle + 4, class_="value")
    )
    return parts
