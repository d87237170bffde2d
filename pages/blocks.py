"""The blocks of a page. Each block is a value; the templates decide how it looks."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import ClassVar, Literal, get_args

from pages.svg import Svg

Level = Literal["good", "warn", "bad", "neutral"]
Align = Literal["left", "right", "center"]

_LINKS_ALLOWED = ("http://", "https://", "#", "./", "../", "/")


@dataclass(frozen=True)
class Status:
    """A verdict in a word, with the colour of its level beside it, never the colour alone."""

    level: Level
    word: str

    def __post_init__(self) -> None:
        """Refuse a level that no stylesheet knows."""
        _check_level(self.level)


@dataclass(frozen=True)
class Link:
    """A text that leads elsewhere when a person follows it; nothing is loaded by itself."""

    text: str
    href: str  # http, https, or a path beginning with /, ./, ../ or #

    def __post_init__(self) -> None:
        """Refuse an address that could run code."""
        if not self.href.startswith(_LINKS_ALLOWED):
            raise ValueError(
                f"link to {self.href!r}; expected one of {', '.join(_LINKS_ALLOWED)} in front"
            )


@dataclass(frozen=True)
class Paragraph:
    """Running text."""

    kind: ClassVar[str] = "paragraph"
    text: str


@dataclass(frozen=True)
class Facts:
    """A few named values, as cards: at most eight or so; more are a table."""

    kind: ClassVar[str] = "facts"
    values: Mapping[str, object]
    digits: int = 3  # significant digits of the numbers


@dataclass(frozen=True)
class TableBlock:
    """Rows under named columns; the first column names its row.

    A column is aligned right where all it holds is numbers, unless `align` says otherwise.
    """

    kind: ClassVar[str] = "table"
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    align: Sequence[Align] | None = None  # one a column; None: by what the column holds
    caption: str = ""
    highlight: Collection[int] = ()  # positions of the rows that matter, from 0
    digits: int = 3  # significant digits of the numbers
    empty: str = "Nothing to show."  # shown instead of a table without rows

    def __post_init__(self) -> None:
        """Refuse a row that does not fit the columns."""
        for position, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise ValueError(
                    f"row {position} has {len(row)} cells; the table has {len(self.columns)}"
                )
        if self.align is not None and len(self.align) != len(self.columns):
            raise ValueError(
                f"align names {len(self.align)} columns; the table has {len(self.columns)}"
            )

    @property
    def alignment(self) -> list[Align]:
        """The alignment of each column."""
        if self.align is not None:
            return list(self.align)
        return [_alignment([row[i] for row in self.rows]) for i in range(len(self.columns))]


@dataclass(frozen=True)
class Chart:
    """A drawing of `pages.charts`, with a sentence under it that says what to see."""

    kind: ClassVar[str] = "chart"
    svg: Svg
    caption: str = ""

    def __post_init__(self) -> None:
        """Refuse plain text, which would reach the page without having been escaped."""
        if not isinstance(self.svg, Svg):
            raise TypeError(f"a chart is an Svg made by pages; got {type(self.svg).__name__}")


@dataclass(frozen=True)
class Alert:
    """One sentence that a person should not miss."""

    kind: ClassVar[str] = "alert"
    level: Level
    sentence: str

    def __post_init__(self) -> None:
        """Refuse a level that no stylesheet knows."""
        _check_level(self.level)


@dataclass(frozen=True)
class Embed:
    """A foreign HTML report in a frame of its own: it reaches neither the page nor the network.

    Its scripts run where the page is opened as a file, and are stopped where the surrounding
    policy forbids scripts, as behind Airflow's login; a line under the frame explains it.
    """

    kind: ClassVar[str] = "embed"
    html: str
    title: str
    height: int = 640  # CSS pixels


@dataclass(frozen=True)
class Code:
    """Text as it stands: a command, JSON, a rule."""

    kind: ClassVar[str] = "code"
    text: str


@dataclass(frozen=True, init=False)
class BlockGrid:
    """Small blocks side by side, as many in a row as there is room for."""

    kind: ClassVar[str] = "grid"
    blocks: "tuple[Block, ...]"

    def __init__(self, *blocks: "Block") -> None:
        """Take the blocks one by one."""
        object.__setattr__(self, "blocks", blocks)


@dataclass(frozen=True, init=False)
class Details:
    """Blocks that stay folded until a person asks for them."""

    kind: ClassVar[str] = "details"
    summary: str
    blocks: "tuple[Block, ...]"

    def __init__(self, summary: str, *blocks: "Block") -> None:
        """Take the line that stays visible, then the blocks one by one."""
        object.__setattr__(self, "summary", summary)
        object.__setattr__(self, "blocks", blocks)


Block = Paragraph | Facts | TableBlock | Chart | Alert | Embed | Code | BlockGrid | Details


@dataclass(frozen=True, init=False)
class PageSection:
    """Blocks under a heading; `note` is the small print beside it."""

    heading: str
    blocks: tuple[Block, ...]
    note: str = field(default="")

    def __init__(self, heading: str, *blocks: Block, note: str = "") -> None:
        """Take the heading, then the blocks one by one."""
        object.__setattr__(self, "heading", heading)
        object.__setattr__(self, "blocks", blocks)
        object.__setattr__(self, "note", note)


def _alignment(cells: Sequence[object]) -> Align:
    present = [cell for cell in cells if cell is not None]
    numeric = [isinstance(cell, Real) and not isinstance(cell, bool) for cell in present]
    return "right" if numeric and all(numeric) else "left"


def _check_level(level: str) -> None:
    if level not in get_args(Level):
        raise ValueError(f"level {level!r}; expected one of {', '.join(get_args(Level))}")
