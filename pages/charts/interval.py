"""Estimates with their uncertainty, against the value that would mean no difference."""

import math
from collections.abc import Sequence

from contract.formatting import format_value
from pages.charts.frame import WIDTH, Scale, axes, finite, nothing, plain, scale, tooltip
from pages.svg import Svg, drawing, shortened, tag

_ROW = 28.0
_LETTER = 6.8  # mean width of a letter at 12 px
_LONGEST_NAME = 26


def interval(
    estimate: float | None,
    low: float | None,
    high: float | None,
    *,
    title: str,
    zero: float = 0.0,
    margin: float | None = None,
    x_label: str = "",
) -> Svg:
    """Draw one estimate with its interval against `zero`; `margin` is a second, dashed line."""
    return intervals(
        [""], [estimate], [low], [high], title=title, zero=zero, margin=margin, x_label=x_label
    )


def intervals(
    labels: Sequence[str],
    estimates: Sequence[float | None],
    lows: Sequence[float | None],
    highs: Sequence[float | None],
    *,
    title: str,
    zero: float = 0.0,
    margin: float | None = None,
    x_label: str = "",
) -> Svg:
    """Draw a row a label: a dot for the estimate, a line for its interval, all against `zero`.

    A row that cannot be estimated keeps its place and says so. An end that is not finite is drawn
    at the edge of the chart.
    """
    if not len(labels) == len(estimates) == len(lows) == len(highs):
        raise ValueError(
            f"{len(labels)} labels, {len(estimates)} estimates, {len(lows)} lows, {len(highs)} highs"
        )
    values = plain(estimates)
    known = finite([*values, *lows, *highs])
    if not finite(values):
        return nothing(title, "There is nothing to estimate from.")
    names = [shortened(label, _LONGEST_NAME) for label in labels]
    left = 24 + _LETTER * max(len(name) for name in names)
    bottom = _ROW * len(values) + 14
    x = scale([*known, zero, *finite([margin])], left, WIDTH - 24, wanted=6)
    parts = axes(x, Scale(0.0, 1.0, bottom, 4.0, (), 1.0), x_label, "")
    parts.append(tag("path", d=f"M{x.at(zero):.1f} 4V{bottom:.1f}", class_="axis"))
    if margin is not None and math.isfinite(margin):
        parts.append(
            tag(
                "path",
                tooltip(f"margin {format_value(margin)}"),
                d=f"M{x.at(margin):.1f} 4V{bottom:.1f}",
                class_="limit",
            )
        )
    bounds = (
        format_value(zero)
        if margin is None
        else f"{format_value(zero)} and a margin of {format_value(margin)}"
    )
    descriptions = []
    for i, (name, value, low, high) in enumerate(
        zip(names, values, plain(lows), plain(highs), strict=True)
    ):
        middle = _ROW * i + 24
        if name:
            parts.append(
                tag(
                    "text",
                    name,
                    tooltip(labels[i]),
                    x=left - 12,
                    y=middle + 4,
                    text_anchor="end",
                    class_="name",
                )
            )
        text = (
            f"{format_value(value)}, from {format_value(low)} to {format_value(high)}"
            if math.isfinite(value)
            else "cannot be estimated"
        )
        descriptions.append(f"{labels[i]}: {text}" if name else text)
        parts.extend(_row(value, low, high, middle, x, text))
    return drawing(
        "intervals",
        title,
        f"{'; '.join(descriptions)}; against {bounds}",
        (WIDTH, bottom + (46 if x_label else 26)),
        parts,
    )


def _row(  # noqa: PLR0917 (one row of the one caller above)
    value: float, low: float, high: float, middle: float, x: Scale, text: str
) -> list[Svg]:
    if not math.isfinite(value):
        return [tag("text", text, x=x.start + 6, y=middle + 4)]
    parts = []
    if not (math.isnan(low) or math.isnan(high)):
        start = x.at(low) if math.isfinite(low) else x.start
        end = x.at(high) if math.isfinite(high) else x.end
        line = f"M{start:.1f} {middle:.1f}H{end:.1f}M{start:.1f} {middle - 5:.1f}v10M{end:.1f} {middle - 5:.1f}v10"
        parts.append(tag("path", d=line, class_="whisker"))
    parts.append(tag("circle", tooltip(text), cx=x.at(value), cy=middle, r=5.0, class_="dot"))
    where = x.at(value)
    parts.append(
        tag(
            "text", format_value(value), x=where, y=middle - 9, text_anchor="middle", class_="value"
        )
    )
    return parts
