"""Charts as SVG: bars with whiskers, and lines.

Places along the width are shares of it, and text is in pixels: so a chart fills whatever width it
is given and its text stays as large as the page's. What is written on it is escaped. Who has the
page read to them hears its figures.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from unicodedata import east_asian_width

from markupsafe import Markup

from fastload.pages.axis import Scale, number_words, powers_around, short_words
from fastload.words import name_words

__all__ = ["Bar", "Line", "bars", "lines"]

# Pixels. Text is 13 of them high (frame.css), from its baseline to the next one 17.
_LINE, _BASELINE, _BELOW, _BAR, _GAP, _WHISKER = 17, 13, 4, 14, 12, 4
_PLOT, _ABOVE = 220, 14
# Signs of a label that have room beside its number on a phone.
_SIGNS = 34
# Shares of the width that a plot of lines leaves at its sides: for the ticks' numbers.
_LEFT, _RIGHT = 0.14, 0.04
_TICKS, _TICKS_APART = 5, 0.17
_COLOURS = 4
_DASHES = ("none", "6 4", "2 3")


@dataclass(frozen=True)
class Bar:
    """One row of a bar chart.

    Attributes:
        label: what it is of.
        value: its length, from zero.
        low: where its whisker begins.
        high: where its whisker ends.
        note: what stands beneath, fainter.
        ours: drawn in the chart's first colour; others are grey.
    """

    label: str
    value: float
    low: float
    high: float
    note: str = ""
    ours: bool = False


@dataclass(frozen=True)
class Line:
    """One line of a chart: its name and its points, each x and y."""

    label: str
    points: Sequence[tuple[float, float]]


def bars(bars: Sequence[Bar], unit: str, title: str) -> Markup:
    """Horizontal bars from zero, in the order given, each with a whisker from low to high.

    Args:
        bars: at least one.
        unit: of the values, written once.
        title: what the chart is called for who does not see it; it is not drawn.

    Raises:
        ValueError: there is no bar, or a number is not finite.
    """
    if not bars:
        raise ValueError(f"{title}: there is nothing to draw.")
    _check(title, (number for bar in bars for number in (bar.value, bar.low, bar.high)))
    scale = Scale(0.0, max(0.0, *(max(bar.value, bar.high) for bar in bars)) or 1.0)
    top, rows = _LINE + _GAP / 2, []
    for bar in bars:
        drawn, top = _row(bar, scale, unit, top)
        rows.append(drawn)
    said = "; ".join(f"{bar.label}: {number_words(bar.value)} {unit}" for bar in bars)
    head = _text(1.0, _BASELINE, unit, anchor="end", faint=True)
    return _chart(f"{title}. {said}", top - _GAP + _BELOW, [head, *rows])


def _row(bar: Bar, scale: Scale, unit: str, top: float) -> tuple[Markup, float]:
    """A bar drawn with its words, and where the next one begins."""
    parts = [_text(1.0, top + _BASELINE, number_words(bar.value), anchor="end", bold=bar.ours)]
    for words in _wrapped(bar.label, _SIGNS):
        parts.append(_text(0.0, top + _BASELINE, words, bold=bar.ours))
        top += _LINE
    top += 1
    parts.append(
        Markup(
            '<rect x="0" y="{}" width="{}" height="{}" rx="2" fill="{}" fill-opacity="{}"/>'
        ).format(
            _pixels(top),
            _percent(scale.share(bar.value)),
            _BAR,
            "var(--series-1)" if bar.ours else "var(--faint)",
            1 if bar.ours else 0.55,
        )
    )
    if bar.high > bar.low:
        parts.append(_whisker(scale.share(bar.low), scale.share(bar.high), top + _BAR / 2))
    top += _BAR
    for words in _wrapped(bar.note, _SIGNS * 3 // 2):
        parts.append(_text(0.0, top + _BASELINE + 2, words, faint=True))
        top += _LINE
    said = f"{bar.label}: {number_words(bar.value)} {unit}"
    if bar.high > bar.low:
        said += f" ({number_words(bar.low)} to {number_words(bar.high)})"
    return Markup("<g><title>{}</title>{}</g>").format(name_words(said), _joined(parts)), top + _GAP


def _whisker(low: float, high: float, middle: float) -> Markup:
    """A line and its ends, with a rim that sets it off from the bar."""
    ends = [((at, middle - _WHISKER), (at, middle + _WHISKER)) for at in (low, high)]
    segments = [((low, middle), (high, middle)), *ends]
    return _joined(_segment(*one, role) for role in ("rim", "whisker") for one in segments)


def lines(
    lines: Sequence[Line], x: str, y: str, title: str, log_x: bool = False, log_y: bool = False
) -> Markup:
    """Lines through their points; the numbers beneath are places that have been measured.

    Args:
        lines: at least one, with a point each.
        x: name of the axis beneath, with its unit.
        y: name of the upright axis, which begins at zero if it is not logarithmic.
        title: what the chart is called for who does not see it; it is not drawn.
        log_x: equal factors along x are equally far apart.
        log_y: and along y.

    Raises:
        ValueError: there is no line or one without a point, a number is not finite, or one on a
            logarithmic axis is not above zero.
    """
    if not lines or not all(line.points for line in lines):
        raise ValueError(f"{title}: there is nothing to draw.")
    along = [point[0] for line in lines for point in line.points]
    up = [point[1] for line in lines for point in line.points]
    _check(title, along, above_zero=log_x)
    _check(title, up, above_zero=log_y)
    across = Scale(min(along), max(along), log_x)
    upright = powers_around(up) if log_y else Scale(min(0.0, *up), max(0.0, *up) or 1.0)
    ordered = sorted(lines, key=lambda line: -max(line.points)[1])
    plot = _Plot(across, upright, top=_legend_height(ordered) + _LINE + _ABOVE)
    parts = [
        _legend(ordered),
        _text(0.0, plot.top - _ABOVE, y, faint=True),
        *(plot.level(value) for value in upright.ticks(_TICKS)),
        *(plot.below(value) for value in across.kept_apart(along, _TICKS_APART)),
        *(plot.line(line, number) for number, line in enumerate(ordered)),
        _text(1 - _RIGHT, plot.bottom + 2 * _LINE + 4, x, anchor="end", faint=True),
    ]
    said = "; ".join(f"{line.label}: {_ends(line.points)}, {y} against {x}" for line in ordered)
    return _chart(f"{title}. {said}", plot.bottom + 2 * _LINE + 8, parts)


@dataclass(frozen=True)
class _Plot:
    """Where the points of lines lie."""

    across: Scale
    upright: Scale
    top: float

    @property
    def bottom(self) -> float:
        return self.top + _PLOT

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Share of the width, and pixels from above."""
        inner = 1 - _LEFT - _RIGHT
        return (
            _LEFT + inner * self.across.share(x),
            self.bottom - _PLOT * self.upright.share(y),
        )

    def level(self, value: float) -> Markup:
        """A line across the plot and its number."""
        height = self.at(self.across.low, value)[1]
        line = _segment((_LEFT - 0.01, height), (1.0, height), "grid")
        number = _text(_LEFT - 0.02, height + 4, short_words(value), anchor="end", faint=True)
        return line + number

    def below(self, value: float) -> Markup:
        """A number beneath the plot."""
        place = self.at(value, self.upright.low)[0]
        return _text(place, self.bottom + _LINE + 2, short_words(value), anchor="middle")

    def line(self, line: Line, number: int) -> Markup:
        """A line's points and what joins them."""
        colour, dash = _look(number)
        places = [self.at(*point) for point in sorted(line.points)]
        joined = [
            Markup('<g stroke="{}" stroke-width="2" stroke-dasharray="{}">{}</g>').format(
                colour, dash, _segment(one, other, "joined")
            )
            for one, other in pairwise(places)
        ]
        points = [
            Markup('<circle cx="{}" cy="{}" r="3.5" fill="{}"><title>{}</title></circle>').format(
                _percent(across),
                _pixels(height),
                colour,
                name_words(f"{line.label}: {number_words(y)} at {number_words(x)}"),
            )
            for (across, height), (x, y) in zip(places, sorted(line.points), strict=True)
        ]
        return _joined([*joined, *points])


def _look(number: int) -> tuple[str, str]:
    """Colour and dashes: the colours come again with other dashes."""
    return (
        f"var(--series-{number % _COLOURS + 1})",
        _DASHES[number // _COLOURS % len(_DASHES)],
    )


def _legend_height(ordered: Sequence[Line]) -> int:
    return _LINE * sum(len(_wrapped(line.label, _SIGNS)) for line in ordered) + _GAP


def _legend(ordered: Sequence[Line]) -> Markup:
    parts, top = [], 0
    for number, line in enumerate(ordered):
        colour, dash = _look(number)
        parts.append(
            Markup(
                '<line x1="0" x2="22" y1="{0}" y2="{0}" stroke="{1}" stroke-width="3" '
                'stroke-dasharray="{2}"/>'
            ).format(top + _BASELINE - 4, colour, dash)
        )
        for words in _wrapped(line.label, _SIGNS):
            parts.append(Markup('<text x="30" y="{}">{}</text>').format(top + _BASELINE, words))
            top += _LINE
    return _joined(parts)


def _ends(points: Sequence[tuple[float, float]]) -> str:
    (x, y), (last_x, last_y) = min(points), max(points)
    first = f"{number_words(y)} at {number_words(x)}"
    return (
        first if len(points) == 1 else f"{first}, {number_words(last_y)} at {number_words(last_x)}"
    )


def _check(title: str, numbers: Iterable[float], above_zero: bool = False) -> None:
    for number in numbers:
        if not math.isfinite(number) or (above_zero and number <= 0):
            wanted = "a number above zero" if above_zero else "a finite number"
            raise ValueError(f"{title}: {number} cannot be drawn: give {wanted}.")


def _chart(said: str, height: float, parts: Sequence[Markup]) -> Markup:
    return Markup(
        '<svg class="chart" role="img" aria-label="{}" width="100%" height="{}" '
        'style="height: {}px">{}</svg>'
    ).format(name_words(said), _pixels(height), _pixels(height), _joined(parts))


def _text(
    x: float, y: float, words: str, anchor: str = "start", faint: bool = False, bold: bool = False
) -> Markup:
    return Markup('<text x="{}" y="{}" text-anchor="{}"{}{}>{}</text>').format(
        _percent(x),
        _pixels(y),
        anchor,
        Markup(' class="faint"') if faint else "",
        Markup(' font-weight="650"') if bold else "",
        name_words(words),
    )


def _segment(one: tuple[float, float], other: tuple[float, float], role: str) -> Markup:
    (x1, y1), (x2, y2) = one, other
    return Markup('<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(
        role, _percent(x1), _pixels(y1), _percent(x2), _pixels(y2)
    )


def _joined(parts: Iterable[Markup]) -> Markup:
    return Markup("").join(parts)


def _percent(share: float) -> str:
    return f"{100 * share:.2f}%"


def _pixels(place: float) -> str:
    return f"{place:.1f}"


def _wrapped(label: str, signs: int) -> list[str]:
    """A label's lines; those without a blank to break at are broken anywhere.

    >>> _wrapped("a name of some length", 12), _wrapped("", 12)
    (['a name of', 'some length'], [])
    """
    rows: list[str] = []
    row = ""
    for word in _pieces(name_words(label), signs):
        if row and _width(row) + 1 + _width(word) > signs:
            rows.append(row)
            row = word
        else:
            row = f"{row} {word}" if row else word
    return [*rows, row] if row else rows


def _pieces(label: str, signs: int) -> Iterable[str]:
    for word in label.split():
        piece = ""
        for sign in word:
            if _width(piece + sign) > signs:
                yield piece
                piece = ""
            piece += sign
        yield piece


def _width(words: str) -> int:
    """Columns that it takes: Hangul and its like take two each."""
    return sum(2 if east_asian_width(sign) in "WF" else 1 for sign in words)
