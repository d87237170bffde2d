"""One page from its parts: the only function that makes HTML."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from contract.formatting import format_value
from pages.blocks import Block, BlockGrid, Details, Embed, Link, PageSection, Status
from pages.svg import Svg, printable

_TEMPLATES = Path(__file__).parent / "templates"
_NOTHING: Mapping[str, object] = MappingProxyType({})
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
# A foreign report may run the scripts that it brings, and still load nothing.
_POLICY_WITH_EMBED = f"{_POLICY}; script-src 'unsafe-inline'; font-src data:"

_LEVELS_IN_WORDS: Mapping[str, str] = MappingProxyType(
    {"good": "Good.", "warn": "Look at this.", "bad": "Act on this.", "neutral": "Note."}
)


def render(
    title: str,
    *,
    sections: Sequence[PageSection],
    subtitle: str = "",
    status: Status | None = None,
    lead: str = "",
    footer: Mapping[str, object] = _NOTHING,
) -> str:
    """Make a whole page.

    The first line shows `title` and `status`; `lead` is the one sentence that a person who reads
    nothing else should read. `footer` holds what identifies the page: run, problem, digest.
    The same arguments give the same bytes.
    """
    has_embed = any(isinstance(block, Embed) for block in _blocks(sections))
    page = _environment().get_template("page.html.jinja")
    return page.render(
        title=title,
        subtitle=subtitle,
        status=status,
        lead=lead,
        sections=sections,
        footer=footer,
        policy=_POLICY_WITH_EMBED if has_embed else _POLICY,
    )


def _blocks(sections: Sequence[PageSection]) -> Iterator[Block]:
    """Walk through every block of a page, also through those inside others."""
    waiting: list[Block] = [block for section in sections for block in section.blocks]
    while waiting:
        block = waiting.pop()
        yield block
        if isinstance(block, BlockGrid | Details):
            waiting.extend(block.blocks)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_finalize,
    )
    environment.filters["written"] = _written
    environment.globals["words"] = _LEVELS_IN_WORDS
    environment.globals["guarded"] = _guarded
    return environment


def _guarded(html: str) -> str:
    """Put our policy before a foreign report, so that it loads nothing from elsewhere."""
    rule = f'<meta http-equiv="Content-Security-Policy" content="{_POLICY_WITH_EMBED}">'
    return f'<!DOCTYPE html>{rule}<meta charset="utf-8">{html}'


def _finalize(value: object) -> object:
    """Replace what no markup may hold in any text on its way into a page."""
    return printable(value) if type(value) is str else value


def _written(value: object, digits: int = 3) -> object:
    """Write a cell's value; blocks that know how they look stay as they are."""
    if isinstance(value, Svg | Link | Status):
        return value
    return format_value(value, digits)
