"""HTML pages and charts: every page of every stage is made here.

A page is one HTML file that loads nothing: its stylesheet is inside, its charts are inline SVG,
and it holds no script. It follows the reader's light or dark scheme, prints, reads on a phone,
and every text in it is escaped. Nothing here knows a stage.

Build a page from sections, sections from blocks, charts by functions that return `Svg`:

    render(
        "Evaluation of flights",
        status=Status("good", "accepted"),
        lead="The challenger is better by 0.013 of ROC AUC, on rows that neither has seen.",
        sections=[
            PageSection(
                "The gate",
                Facts({"gain": 0.0132, "rows judged": 21_874}),
                Chart(interval(0.0132, 0.006, 0.021, title="Gain over the champion")),
                TableBlock(["check", "value", "limit"], [["beats dummy", 0.71, 0.5]]),
            ),
        ],
        footer={"run": "manual__2013-10-01", "problem": "flights"},
    )

Anything may stand in a cell or a fact: a text, a number, a time, None, a `Status`, a `Link`, a chart.
Numbers are written by `number`; write shares, durations and sizes with `share`, `seconds`, `size`.
"""

from contract.formatting import format_bytes, format_duration, format_share, format_value
from pages.blocks import (
    Alert,
    Block,
    BlockGrid,
    Chart,
    Code,
    Details,
    Embed,
    Facts,
    Level,
    Link,
    PageSection,
    Paragraph,
    Status,
    TableBlock,
)
from pages.charts.bars import bars
from pages.charts.curve import curve, scatter
from pages.charts.histogram import histogram, histogram_pair
from pages.charts.interval import interval, intervals
from pages.charts.lines import lines
from pages.charts.sparkline import sparkline
from pages.charts.timeline import TimelineEntry, timeline
from pages.page import render
from pages.svg import Svg

__all__ = [
    "Alert",
    "Block",
    "BlockGrid",
    "Chart",
    "Code",
    "Details",
    "Embed",
    "Facts",
    "Level",
    "Link",
    "PageSection",
    "Paragraph",
    "Status",
    "Svg",
    "TableBlock",
    "TimelineEntry",
    "bars",
    "curve",
    "format_bytes",
    "format_duration",
    "format_share",
    "format_value",
    "histogram",
    "histogram_pair",
    "interval",
    "intervals",
    "lines",
    "render",
    "scatter",
    "sparkline",
    "timeline",
]
