"""matplotlib figures as SVG inside a page: in its colours, by day and by night, and in its font."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.figure import Figure

__all__ = ["FAINT", "INK", "LINE", "SERIES", "Key", "Picture", "as_svg", "drawing"]

# Colours that are drawn with and that the page's own take the place of, whichever it shows in.
INK, FAINT, LINE = "#010201", "#010202", "#010203"
SERIES = ("#010211", "#010212", "#010213", "#010214")
_VARIABLES = {INK: "--ink", FAINT: "--faint", LINE: "--line"} | {
    colour: f"--series-{number}" for number, colour in enumerate(SERIES, 1)
}
# On a telephone a figure has the width that it was drawn for, on a desk a third more.
_SIZE = (3.6, 2.3)
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": LINE,
    "axes.labelcolor": FAINT,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.xmargin": 0.02,
    "grid.color": LINE,
    "grid.linewidth": 0.5,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": FAINT,
    "ytick.labelcolor": FAINT,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
}


@dataclass(frozen=True)
class Key:
    """A line's entry in the legend.

    Attributes:
        text: what the line is.
        series: its colour, 1 to 4.
        dashes: as SVG's `stroke-dasharray`; "" for a solid line.
    """

    text: str
    series: int
    dashes: str = ""


@dataclass(frozen=True)
class Picture:
    """A figure of the page.

    Attributes:
        title: above it.
        svg: what is drawn.
        says: what there is to see, for who cannot.
        keys: its legend.
    """

    title: str
    svg: Markup
    says: str
    keys: list[Key] = field(default_factory=list)


@contextmanager
def drawing(rows: tuple[float, ...] = (1.0,), height: float = _SIZE[1]) -> Iterator[Figure]:
    """Draw in the page's style.

    Args:
        rows: the relative heights of axes above one another, which share their x axis.
        height: in inches, of the whole.
    """
    with mpl.rc_context(_STYLE):
        figure = Figure((_SIZE[0], height), layout="constrained")
        figure.subplots(len(rows), 1, sharex=True, height_ratios=rows)
        yield figure


def as_svg(figure: Figure, name: str) -> Markup:
    """Return the figure as an SVG element.

    Args:
        figure: drawn within :func:`drawing`.
        name: another one for each figure of a page, since ids are made of it.
    """
    written = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": name}):
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(written, format="svg", transparent=True, metadata=nothing)
    text = written.getvalue()
    text = text[text.index("<svg") :]
    # It would hold for all of the page; the page's own style says the same of its figures.
    text = re.sub(r"<style.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r"<svg [^>]*?(viewBox=\"[^\"]*\")[^>]*>", r'<svg class="figure" \1>', text)
    # Of matplotlib's releases, some write font-family and some the short form.
    text = re.sub(r"font-family: [^;\"]*", "font-family: system-ui, sans-serif", text)
    text = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font: \1 system-ui, sans-serif", text)
    text = re.sub(r"#0102[0-9a-f]{2}\b", lambda found: f"var({_VARIABLES[found[0]]})", text)
    return Markup(_without_idle_ids(text))  # noqa: S704  (matplotlib has escaped what it was given)


def _without_idle_ids(svg: str) -> str:
    """Leave the ids that something refers to: those of two figures' axes are the same."""
    used = set(re.findall(r"(?:url\(#|href=\"#)([^\")]+)", svg))
    svg = re.sub(r" id=\"([^\"]+)\"", lambda one: one[0] if one[1] in used else "", svg)
    return re.sub(r"\s*\n\s*", "\n", svg)
