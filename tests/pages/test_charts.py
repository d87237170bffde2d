"""A chart is well-formed XML with a title, whatever its values are."""

import math
import re
from collections.abc import Callable, Sequence
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pages import (
    Svg,
    TimelineEntry,
    bars,
    curve,
    histogram,
    histogram_pair,
    interval,
    intervals,
    lines,
    scatter,
    sparkline,
    timeline,
)

Values = Sequence[float | None]


def names(values: Values) -> list[str]:
    return [f"n{i}" for i in range(len(values))]


KINDS: dict[str, Callable[[Values], Svg]] = {
    "bars": lambda v: bars(names(v), v, title="T", lows=v, highs=v, limit=0.5),
    "lines": lambda v: lines({"a": v, "b": v}, title="T", limits={"alarm": 0.5}),
    "named lines": lambda v: lines({"a": v}, names(v), title="T"),
    "histogram": lambda v: histogram(names(v), v, title="T"),
    "histogram with edges": lambda v: histogram(range(len(v) + 1), v, title="T"),
    "histogram_pair": lambda v: histogram_pair(names(v), v, v, title="T"),
    "sparkline": lambda v: sparkline(v, 0.5, title="T"),
    "curve": lambda v: curve(v, v, title="T", diagonal=True, dots=True),
    "scatter": lambda v: scatter(v, v, title="T"),
    "intervals": lambda v: intervals(names(v), v, v, v, title="T", margin=0.1),
}
kinds = pytest.mark.parametrize("draw", list(KINDS.values()), ids=list(KINDS))
NUMBERS = st.one_of(st.none(), st.floats(), st.floats(min_value=-1e6, max_value=1e6))


def parsed(svg: Svg) -> Element:
    return fromstring(svg.text)  # noqa: S314 (our own markup)


def coordinates(svg: Svg) -> list[float]:
    told = re.findall(r'(?:x|y|cx|cy|width|height|r|d)="([^"]*)"', svg.text)
    return [
        float(n) for text in told for n in re.findall(r"-?\d+\.?\d*(?:e[-+]?\d+)?|nan|inf", text)
    ]


@kinds
@pytest.mark.parametrize(
    "values", [[], [math.nan], [None, None], [0.0], [0.0, 0.0], [math.inf, 1.0]]
)
def test_a_chart_of_odd_values_is_well_formed(
    draw: Callable[[Values], Svg], values: Values
) -> None:
    svg = draw(values)

    assert parsed(svg).find("title") is not None
    assert all(math.isfinite(c) for c in coordinates(svg))


@kinds
@settings(max_examples=25)
@given(values=st.lists(NUMBERS, max_size=12))
def test_a_chart_stays_within_its_picture(draw: Callable[[Values], Svg], values: Values) -> None:
    svg = draw(values)

    picture = parsed(svg)
    _, _, width, height = (float(side) for side in picture.attrib["viewBox"].split())
    for mark in picture.iter("circle"):
        assert -1 <= float(mark.attrib["cx"]) <= width + 1
        assert -1 <= float(mark.attrib["cy"]) <= height + 1
    for mark in picture.iter("rect"):
        assert float(mark.attrib["width"]) >= 0
        assert float(mark.attrib["height"]) >= 0


@kinds
def test_a_chart_has_a_title_and_a_description(draw: Callable[[Values], Svg]) -> None:
    picture = parsed(draw([1.0, 2.0, 3.0]))

    assert picture.attrib["role"] == "img"
    assert picture.findtext("title") == "T"
    assert len(picture.findtext("desc") or "") > 10


def test_a_chart_of_nothing_says_so() -> None:
    assert "There is no value to draw." in lines({}, title="T").text
    assert "Nothing has happened yet." in timeline([], title="T").text
    assert "There is nothing to estimate from." in interval(None, None, None, title="T").text


def test_a_bar_is_as_long_as_its_value() -> None:
    picture = parsed(bars(["a", "b", "c"], [1.0, 2.0, -1.0], title="T"))

    one, two, minus = (float(mark.attrib["width"]) for mark in picture.iter("rect"))
    assert two == pytest.approx(2 * one, abs=0.2)
    assert minus == pytest.approx(one, abs=0.2)


def test_only_highlighted_bars_have_the_accent() -> None:
    picture = parsed(bars(["a", "b"], [1.0, 2.0], title="T", highlight=[1]))

    assert [mark.attrib["class"] for mark in picture.iter("rect")] == ["area-quiet", "area"]


def test_histograms_of_unlike_size_compare_as_shares() -> None:
    small = histogram(["a", "b"], [1, 3], title="T")
    large = histogram(["a", "b"], [1000, 3000], title="T")

    assert small == large


def test_a_pair_names_the_bin_that_changed_most() -> None:
    svg = histogram_pair([0.0, 1.0, 2.0, 3.0], [1, 1, 2], [2, 2, 0], title="T")

    assert "largest change in 2 to 3: 50\N{NO-BREAK SPACE}% to 0\N{NO-BREAK SPACE}%" in svg.text


def test_a_gap_breaks_the_line() -> None:
    picture = parsed(lines({"a": [1.0, None, 2.0, 3.0]}, title="T"))

    line = next(mark for mark in picture.iter("path") if "stroke" in mark.attrib["class"])
    assert line.attrib["d"].count("M") == 2


def test_an_interval_that_holds_zero_is_drawn_across_it() -> None:
    picture = parsed(interval(0.1, -0.2, 0.4, title="T"))

    zero = next(
        m for m in picture.iter("path") if m.attrib["class"] == "axis" and "V" in m.attrib["d"]
    )
    whisker = next(m for m in picture.iter("path") if m.attrib["class"] == "whisker")
    at_zero = float(re.findall(r"M([\d.]+)", zero.attrib["d"])[0])
    low, high = re.findall(r"M([\d.]+) [\d.]+H([\d.]+)", whisker.attrib["d"])[0]
    assert float(low) < at_zero < float(high)


def test_a_slice_that_cannot_be_estimated_keeps_its_row() -> None:
    svg = intervals(["EWR", "HA"], [0.1, None], [0.0, None], [0.2, None], title="T")

    assert "cannot be estimated" in svg.text
    assert "HA: cannot be estimated" in (parsed(svg).findtext("desc") or "")


def test_many_points_are_thinned() -> None:
    values = [float(i) for i in range(10_000)]

    assert len(scatter(values, values, title="T").text) < 40_000


@pytest.mark.parametrize(
    ("draw", "sentence"),
    [
        (lambda: bars(["a"], [1, 2], title="T"), "1 labels for 2 values"),
        (lambda: histogram(["a"], [1, 2, 3], title="T"), "1 edges or names for 3 counts"),
        (lambda: histogram_pair(["a"], [1, 2], [1], title="T"), "2 reference bins for 1 current"),
        (lambda: lines({"a": [1, 2]}, [1], title="T"), "series 'a' has 2 values for 1 positions"),
        (
            lambda: lines({f"{i}": [1] for i in range(6)}, title="T"),
            "6 series; a chart holds at most 5",
        ),
        (lambda: curve([1], [1, 2], title="T"), "1 xs for 2 ys"),
        (lambda: intervals(["a"], [], [], [], title="T"), "1 labels, 0 estimates"),
    ],
)
def test_lengths_that_do_not_fit_are_refused(draw: Callable[[], Svg], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        draw()


def test_a_timeline_keeps_the_order_given() -> None:
    svg = timeline(
        [TimelineEntry("week 2", "second"), TimelineEntry("week 1", "first", "d", "good")],
        title="T",
    )

    assert parsed(svg).findtext("desc") == "week 2: second. week 1: first, d"
