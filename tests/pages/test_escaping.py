"""Whatever a page is given, it is shown as text and never becomes markup."""

from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pages import (
    Alert,
    BlockGrid,
    Chart,
    Code,
    Details,
    Embed,
    Facts,
    Link,
    PageSection,
    Paragraph,
    Status,
    TableBlock,
    TimelineEntry,
    bars,
    histogram,
    intervals,
    lines,
    render,
    timeline,
)

MARKUP = "<script>alert(1)</script>"
TEXTS = st.one_of(
    st.text(max_size=30), st.sampled_from([MARKUP, "\"'><img src=x>", "]]>", "{{ 7 * 7 }}"])
)


class Elements(HTMLParser):
    """Every element that a browser would see, with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def elements_of(html: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Elements()
    parser.feed(html)
    return parser.seen


def page_of(text: str) -> str:
    """A page with `text` in every place that takes one."""
    svgs = [
        bars([text], [1.0], title=text),
        histogram([text], [3], title=text, x_label=text),
        intervals([text], [1.0], [0.5], [1.5], title=text, x_label=text),
        lines({text: [1.0, 2.0], f"{text}2": [1, 2]}, [text, text], title=text, limits={text: 1.5}),
        timeline([TimelineEntry(text, text, text)], title=text),
    ]
    return render(
        text,
        subtitle=text,
        status=Status("bad", text),
        lead=text,
        sections=[
            PageSection(
                text,
                Paragraph(text),
                Facts({text: text}),
                TableBlock([text], [[text], [Link(text, f"./{text}")]], caption=text),
                Alert("warn", text),
                Code(text),
                Details(text, BlockGrid(Paragraph(text))),
                *[Chart(svg, text) for svg in svgs],
                note=text,
            )
        ],
        footer={text: text},
    )


@settings(max_examples=40)
@given(TEXTS)
def test_a_text_never_adds_an_element(text: str) -> None:
    names = [name for name, _ in elements_of(page_of(text))]
    plain = [name for name, _ in elements_of(page_of("x" * len(text)))]

    assert names == plain


def test_markup_is_shown_as_text() -> None:
    html = page_of(MARKUP)

    assert MARKUP not in html
    assert "&lt;script&gt;" in html


def test_a_template_s_syntax_is_not_run() -> None:
    assert "49" not in render("{{ 7 * 7 }}", sections=[])


def test_an_embedded_report_stays_in_its_frame() -> None:
    html = render("page", sections=[PageSection("s", Embed(MARKUP, "report"))])

    names = [name for name, _ in elements_of(html)]

    assert "script" not in names
    frame = next(attributes for name, attributes in elements_of(html) if name == "iframe")
    assert frame["sandbox"] == "allow-scripts"  # never allow-same-origin beside it
    assert MARKUP in (frame["srcdoc"] or "")
    assert "default-src 'none'" in (frame["srcdoc"] or "")


def test_a_chart_that_is_plain_text_is_refused() -> None:
    with pytest.raises(TypeError, match="a chart is an Svg made by pages; got str"):
        Chart("<svg></svg>")  # type: ignore[arg-type]  # what a caller without types would do


@pytest.mark.parametrize("href", ["javascript:alert(1)", "data:text/html,x", " https://x", "x"])
def test_a_link_that_could_run_code_is_refused(href: str) -> None:
    with pytest.raises(ValueError, match="expected one of http"):
        Link("text", href)
