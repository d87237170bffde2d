"""What happened when: the ledger's entries, or days with their decisions, from top to bottom."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from contract.formatting import format_value
from pages.blocks import Level
from pages.charts.frame import WIDTH, nothing
from pages.svg import Svg, drawing, shortened, tag

_ROW = 44.0
_AXIS = 158.0
_LETTERS = 56  # that fit beside the axis


@dataclass(frozen=True)
class TimelineEntry:
    """One thing that happened."""

    when: date | str  # a datetime, a date, or a text such as "week 3"
    what: str
    detail: str = ""
    level: Level = "neutral"


def timeline(entries: Sequence[TimelineEntry], *, title: str) -> Svg:
    """Draw the entries in the order given, each with its time, its level's colour and its text.

    A text too long for its line is cut there; the mark's title has all of it.
    """
    if not entries:
        return nothing(title, "Nothing has happened yet.")
    height = _ROW * len(entries) + 8
    parts = [tag("path", d=f"M{_AXIS:.0f} 18V{height - 30:.1f}", class_="axis")]
    descriptions = []
    for i, entry in enumerate(entries):
        y = _ROW * i + 20
        text = f"{format_value(entry.when)}: {entry.what}" + (
            f", {entry.detail}" if entry.detail else ""
        )
        descriptions.append(text)
        parts.append(
            tag(
                "text",
                shortened(format_value(entry.when), 21),
                x=_AXIS - 16,
                y=y + 4,
                text_anchor="end",
            )
        )
        parts.append(
            tag(
                "circle",
                tag("title", text),
                cx=_AXIS,
                cy=y,
                r=6.0,
                class_=f"dot level-{entry.level}",
            )
        )
        parts.append(
            tag("text", shortened(entry.what, _LETTERS), x=_AXIS + 18, y=y + 4, class_="name")
        )
        if entry.detail:
            parts.append(tag("text", shortened(entry.detail, _LETTERS), x=_AXIS + 18, y=y + 20))
    return drawing("timeline", title, ". ".join(descriptions), (WIDTH, height), parts)
