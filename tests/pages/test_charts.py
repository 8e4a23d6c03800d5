from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastload.pages.axis import Scale
from fastload.pages.charts import Bar, Line, bars, lines

NAMESPACE = "{http://www.w3.org/2000/svg}"


def parsed(chart: str) -> ET.Element:
    return ET.fromstring(chart)


def places(chart: ET.Element) -> list[float]:
    """Every place along the width, as a share of it in percent."""
    return [
        float(value[:-1])
        for element in chart.iter()
        for name, value in element.attrib.items()
        if value.endswith("%") and (element.tag, name) != ("svg", "width")
    ]


def words(chart: ET.Element) -> list[str]:
    return [element.text or "" for element in chart.iter("text")]


def one_bar(value: float, low: float | None = None, high: float | None = None) -> Bar:
    return Bar("one", value, value if low is None else low, value if high is None else high)


def test_bars_are_as_long_as_their_values() -> None:
    drawn = parsed(bars([one_bar(50.0), one_bar(200.0), one_bar(0.0)], "images/s", "speed"))
    assert [rect.get("width") for rect in drawn.iter("rect")] == ["25.00%", "100.00%", "0.00%"]
    assert {"50.0", "200", "0", "images/s"} <= set(words(drawn))


def test_whiskers_reach_from_low_to_high() -> None:
    drawn = parsed(bars([one_bar(100.0, 50.0, 200.0)], "s", "time"))
    whiskers = [line for line in drawn.iter("line") if line.get("class") == "whisker"]
    across = [line for line in whiskers if line.get("y1") == line.get("y2")]
    assert [(line.get("x1"), line.get("x2")) for line in across] == [("25.00%", "100.00%")]
    assert list(parsed(bars([one_bar(100.0)], "s", "time")).iter("line")) == []


def test_who_does_not_see_it_is_told() -> None:
    drawn = parsed(bars([one_bar(1234.0)], "images/s", "speed"))
    assert drawn.get("role") == "img"
    assert drawn.get("aria-label") == "speed. one: 1,234 images/s"
    line = parsed(lines([Line("one", [(1, 10), (4, 40)])], "threads", "images/s", "speed"))
    assert (
        line.get("aria-label") == "speed. one: 10.0 at 1.00, 40.0 at 4.00, images/s against threads"
    )


def test_names_are_text() -> None:
    name = '<script>alert("1")</script>&\n\u202e'
    drawings = [
        bars([Bar(name, 1, 1, 1, note=name)], name, name),
        lines([Line(name, [(1, 2)])], name, name, name),
    ]
    for drawn in drawings:
        assert "<script" not in drawn and "\u202e" not in drawn
        assert "<script>alert" in "".join(words(parsed(drawn)))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match=r"speed: .* cannot be drawn"):
        bars([Bar("one", 1, 1, value)], "s", "speed")
    with pytest.raises(ValueError, match=r"speed: .* cannot be drawn"):
        lines([Line("one", [(1, value)])], "x", "y", "speed")


def test_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to draw"):
        bars([], "s", "speed")
    with pytest.raises(ValueError, match="nothing to draw"):
        lines([Line("one", [])], "x", "y", "speed")


def test_logarithms_are_of_numbers_above_zero() -> None:
    for point in ((0, 1), (1, 0)):
        with pytest.raises(ValueError, match="above zero"):
            lines([Line("one", [point])], "x", "y", "speed", log_x=True, log_y=True)


def test_one_point_is_a_dot() -> None:
    drawn = parsed(lines([Line("one", [(3, 0)])], "x", "y", "t"))
    assert len(list(drawn.iter("circle"))) == 1
    assert [line for line in drawn.iter("line") if line.get("class") == "joined"] == []


def test_equal_factors_are_equally_far_apart_on_logarithmic_axes() -> None:
    points = [(10, 1), (100, 10), (1000, 100)]
    drawn = parsed(lines([Line("one", points)], "x", "y", "t", log_x=True, log_y=True))
    circles = list(drawn.iter("circle"))
    x = [float(circle.attrib["cx"][:-1]) for circle in circles]
    y = [float(circle.attrib["cy"]) for circle in circles]
    assert x[1] - x[0] == pytest.approx(x[2] - x[1])
    assert y[0] - y[1] == pytest.approx(y[1] - y[2])


def test_many_lines_look_different() -> None:
    many = [Line(f"line {number}", [(1, number), (2, number)]) for number in range(8)]
    drawn = parsed(lines(many, "x", "y", "t"))
    looks = [(line.get("stroke"), line.get("stroke-dasharray")) for line in drawn.iter("line")]
    assert len({look for look in looks if look[0]}) == 8


@pytest.mark.parametrize("label", ["x" * 300, "긴이름" * 50, "many words " * 30])
def test_long_labels_are_broken(label: str) -> None:
    drawn = parsed(bars([Bar(label, 1, 1, 1)], "s", "t"))
    rows = [row for row in words(drawn) if row not in ("s", "1.00")]
    assert len(rows) > 5 and max(map(len, rows)) <= 34
    assert "".join(rows).replace(" ", "") == label.replace(" ", "")


NUMBERS = st.floats(-1e9, 1e12, allow_nan=False)


@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=5))
def test_bars_stay_inside(rows: list[tuple[float, float, float]]) -> None:
    drawn = parsed(bars([Bar("one", *row) for row in rows], "s", "t"))
    assert all(0 <= place <= 100 for place in places(drawn))


@given(
    st.lists(st.tuples(st.floats(1e-6, 1e12), st.floats(1e-6, 1e12)), min_size=1, max_size=5),
    st.booleans(),
    st.booleans(),
)
def test_lines_stay_inside(points: list[tuple[float, float]], log_x: bool, log_y: bool) -> None:
    drawn = parsed(lines([Line("one", points)], "x", "y", "t", log_x, log_y))
    height = float(drawn.attrib["height"])
    assert all(0 <= place <= 100 for place in places(drawn))
    assert all(0 <= float(circle.attrib["cy"]) <= height for circle in drawn.iter("circle"))


@given(st.floats(0, 1e9), st.floats(1e-3, 1e9), st.integers(2, 8))
def test_ticks_are_on_the_axis(low: float, length: float, most: int) -> None:
    ticks = Scale(low, low + length).ticks(most)
    assert len(ticks) <= most
    assert all(low - 1e-6 * length <= tick <= low + length * (1 + 1e-6) for tick in ticks)
    steps = [other - one for one, other in pairwise(ticks)]
    assert all(step == pytest.approx(steps[0], rel=1e-3) for step in steps)
