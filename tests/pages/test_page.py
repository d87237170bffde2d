"""A page is one well-formed file that loads nothing and says its status first."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from pages import (
    Alert,
    BlockGrid,
    Chart,
    Details,
    Embed,
    Facts,
    Link,
    PageSection,
    Paragraph,
    Status,
    TableBlock,
    bars,
    curve,
    histogram_pair,
    interval,
    lines,
    render,
    sparkline,
)

VOID = {"meta", "br", "img", "hr", "input", "link"}
LOADING = {"src", "srcset", "data", "action", "poster", "background", "xlink:href"}


class Balance(HTMLParser):
    """Every element is closed, in order, and what it would load is written down."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []
        self.loads: list[str] = []
        self.ids: list[str] = []
        self.names: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in LOADING or (name == "href" and tag != "a"):
                self.loads.append(f"{tag} {name}={value}")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)


def balance_of(html: str) -> Balance:
    parser = Balance()
    parser.feed(html)
    parser.close()
    return parser


def rich_page(columns: int = 3) -> str:
    edges = [float(edge) for edge in range(11)]
    counts = [float(count) for count in range(10)]
    rows = [
        [f"column_{i}", 1234.5, sparkline(counts, 4.0), Status("warn", "moved")]
        for i in range(columns)
    ]
    charts = [
        Chart(histogram_pair(edges, counts, counts[::-1], title=f"column_{i}"))
        for i in range(columns)
    ]
    return render(
        "Monitoring of flights",
        subtitle="2013-06-29",
        status=Status("warn", "watch"),
        lead="Two columns have moved.",
        sections=[
            PageSection("Facts", Facts({"rows": 1234, "day": datetime(2013, 6, 29, tzinfo=UTC)})),
            PageSection(
                "Columns", TableBlock(["column", "mean", "course", "state"], rows, highlight=[0])
            ),
            PageSection("Shapes", BlockGrid(*charts), note="against the reference"),
            PageSection(
                "More",
                Alert("bad", "Look."),
                Chart(interval(0.1, 0.0, 0.2, title="gain"), "caption"),
                Chart(lines({"a": [1, 2], "b": [2, 1]}, title="days", limits={"alarm": 1.5})),
                Chart(bars(["a", "b"], [1.0, -1.0], title="weights")),
                Chart(curve([0, 1], [0, 1], title="ROC", diagonal=True)),
            ),
            PageSection("Last", Details("folded", TableBlock(["a"], [])), Paragraph("end")),
        ],
        footer={"run": "r1", "service": Link("docs", "http://127.0.0.1:3000/docs")},
    )


def test_every_element_is_closed_in_order() -> None:
    parser = balance_of(rich_page())

    assert parser.faults == []
    assert parser.open == []


def test_no_id_stands_twice() -> None:
    ids = balance_of(rich_page()).ids

    assert len(ids) == len(set(ids))


def test_a_page_loads_nothing() -> None:
    html = rich_page()

    assert balance_of(html).loads == []
    assert "url(" not in html
    assert "@import" not in html


def test_a_page_holds_no_script() -> None:
    html = rich_page()

    assert "script" not in balance_of(html).names
    assert not re.search(r"\son\w+=", html)


def test_a_page_carries_the_policy_that_airflow_s_plugin_sets() -> None:
    assert (
        'content="default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;; img-src data:"'
        in rich_page()
    )


def test_scripts_are_allowed_only_beside_an_embedded_report() -> None:
    deep = Details("folded", BlockGrid(Embed("<p>x</p>", "report")))

    assert "script-src" in render("page", sections=[PageSection("s", deep)])
    assert "script-src" not in rich_page()


def test_the_status_stands_beside_the_title() -> None:
    html = rich_page()

    first_line = html[html.index("<h1>") : html.index("</header>")]
    assert re.search(r'</h1>\s*<span class="badge warn">watch</span>', first_line)
    assert "<title>Monitoring of flights · watch</title>" in html


def test_headings_do_not_skip_a_level() -> None:
    levels = [name for name in balance_of(rich_page()).names if re.fullmatch(r"h[1-6]", name)]

    assert levels == ["h1", "h2", "h2", "h2", "h2", "h2"]


def test_a_table_names_its_columns_and_rows() -> None:
    html = render(
        "t", sections=[PageSection("s", TableBlock(["a", "b"], [["x", 1.0]], caption="C"))]
    )

    assert re.findall(r'<th scope="(\w+)"', html) == ["col", "col", "row"]
    assert "<caption>C</caption>" in html


def test_numbers_stand_right_and_texts_left() -> None:
    table = TableBlock(["name", "value", "truth"], [["a", 1.0, True], ["b", None, False]])

    assert table.alignment == ["left", "right", "left"]


def test_a_table_without_rows_says_so() -> None:
    html = render("t", sections=[PageSection("s", TableBlock(["a"], [], caption="Quarantine"))])

    assert "Quarantine: Nothing to show." in html
    assert "<table" not in html


def test_a_row_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="row 1 has 1 cells; the table has 2"):
        TableBlock(["a", "b"], [[1, 2], [1]])


def test_an_alignment_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="align names 1 columns; the table has 2"):
        TableBlock(["a", "b"], [], align=["left"])


@pytest.mark.parametrize("block", [Status, Alert])
def test_an_unknown_level_is_refused(block: type[Status | Alert]) -> None:
    with pytest.raises(ValueError, match="level 'red'; expected one of good, warn, bad, neutral"):
        block("red", "word")  # type: ignore[arg-type]  # what a caller without types would do


def test_the_same_arguments_give_the_same_bytes() -> None:
    assert rich_page() == rich_page()


def test_a_page_of_thirty_columns_is_small() -> None:
    assert len(rich_page(columns=30).encode()) <= 120_000


def test_a_page_without_sections_is_a_page() -> None:
    parser = balance_of(render("Empty", sections=[]))

    assert (parser.open, parser.faults) == ([], [])
