"""SVG markup: the only module that builds it, and that escapes what goes into it."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

_HEADING = 26.0  # the height that the title takes above the picture
_FORBIDDEN = re.compile(
    r"[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010fffd]"
)


@dataclass(frozen=True)
class Svg:
    """Markup that is safe to place in a page as it is; made by `tag` alone."""

    text: str

    def __html__(self) -> str:
        """Return the text, which is already escaped; called by the templates."""
        return self.text


def tag(name: str, *children: "Svg | str", **attributes: object) -> Svg:
    """Make one element; texts and attributes are escaped, None leaves an attribute out.

    An attribute's underscores become hyphens and a trailing one is dropped: `class_`,
    `text_anchor`. Coordinates are written to a tenth of a unit, which keeps pages small.

    >>> tag("text", "a < b", x=1.25, class_="tick").text
    '<text x="1.2" class="tick">a &lt; b</text>'
    """
    markup = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_attribute(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    inside = "".join(
        child.text if isinstance(child, Svg) else escape(printable(child)) for child in children
    )
    return Svg(f"<{name}{markup}>{inside}</{name}>" if inside else f"<{name}{markup}/>")


def drawing(
    kind: str, title: str, description: str, size: tuple[float, float], children: Iterable[Svg]
) -> Svg:
    """Make a whole picture, with its title and description for those who do not see it.

    The title is also written above the picture, unless it is the size of a word.
    """
    width, height = size
    if kind != "spark":
        heading = tag("text", shortened(title, 64), x=2.0, y=13.0, class_="title")
        moved = tag("g", *children, transform=f"translate(0 {_HEADING:g})")
        children, height = [heading, moved], height + _HEADING
    return tag(
        "svg",
        tag("title", title),
        tag("desc", description) if description else "",
        *children,
        class_=kind,
        viewBox=f"0 0 {width:g} {height:g}",
        role="img",
    )


def shortened(text: str, length: int) -> str:
    """Cut a label to at most `length` characters, with an ellipsis where something is missing.

    >>> shortened("scheduled_departure", 10)
    'scheduled…'
    """
    return text if len(text) <= length else f"{text[: length - 1]}…"


def path(points: Iterable[tuple[float, float]]) -> str:
    """Write a path through points; a NaN breaks the line instead of bridging the gap."""
    steps: list[str] = []
    pen_is_down = False
    for x, y in points:
        if not (math.isfinite(x) and math.isfinite(y)):
            pen_is_down = False
            continue
        steps.append(f"{'L' if pen_is_down else 'M'}{_attribute(x)} {_attribute(y)}")
        pen_is_down = True
    return "".join(steps)


def _attribute(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.1f}".removesuffix(".0")
    return escape(printable(str(value)))


def printable(text: str) -> str:
    """Replace the characters that no markup may hold: controls, lone surrogates, non-characters."""
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
