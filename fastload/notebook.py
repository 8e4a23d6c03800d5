"""A data set as notebooks show it: one small piece of HTML without a script."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from markupsafe import Markup

from fastload.summary import QUANTILES, Summary

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["summary_html"]

# The histogram, in units of its own: as wide as a cell, however many classes there are.
_WIDTH, _HEIGHT = 480, 72
# Bars that can be told apart; of more classes, each bar is the mean of some that follow.
_MOST_BARS = 160
# Where a bar of one image begins, so that it can be seen.
_BELOW_ONE = 0.6


def summary_html(summary: Summary) -> str:
    """Images, classes, sizes, and a histogram of the classes from the largest to the smallest."""
    parts = [
        Markup("<p><b>{}</b><br>{}</p>").format(summary.name, " · ".join(summary.head())),
        _classes(summary),
        _pixels(summary),
    ]
    # Colours are the notebook's, light or dark.
    return str(Markup('<div class="fastload-summary">{}</div>').format(Markup("").join(parts)))


def _classes(summary: Summary) -> Markup:
    if summary.largest is None or summary.smallest is None or summary.imbalance is None:
        return Markup("")
    rows = [
        ("largest class", f"{summary.largest[0]} ({summary.largest[1]:,})"),
        ("smallest class", f"{summary.smallest[0]} ({summary.smallest[1]:,})"),
        ("imbalance ratio", f"{summary.imbalance:,.1f}"),
    ]
    if summary.empty:
        rows.append(("classes without images", f"{summary.empty:,}"))
    return _histogram(summary.counts) + _table(rows)


def _pixels(summary: Summary) -> Markup:
    if not summary.pixels:
        return Markup("")
    head = ("pixels", *QUANTILES)
    rows = ((name, *(f"{value:,}" for value in values)) for name, values in summary.pixels.items())
    return _table([head, *rows])


def _table(rows: Iterable[Iterable[object]]) -> Markup:
    cells = (
        Markup("").join(
            Markup("<{0} style='text-align: {1}'>{2}</{0}>").format(
                "td" if place else "th", "right" if place else "left", value
            )
            for place, value in enumerate(row)
        )
        for row in rows
    )
    lines = Markup("").join(Markup("<tr>{}</tr>").format(row) for row in cells)
    return Markup("<table>{}</table>").format(lines)


def _histogram(counts: NDArray[np.int64]) -> Markup:
    ordered = sorted(counts.tolist(), reverse=True)
    step = math.ceil(len(ordered) / _MOST_BARS)
    runs = [ordered[at : at + step] for at in range(0, len(ordered), step)]
    means = [sum(run) / len(run) for run in runs]
    width = _WIDTH / len(means)
    full = math.log(max(means) / _BELOW_ONE)
    bars = Markup("").join(
        Markup('<rect x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}"/>').format(
            place * width, _HEIGHT - height, width * 0.85, height
        )
        for place, mean in enumerate(means)
        if (height := _HEIGHT * max(0.0, math.log(max(mean, _BELOW_ONE) / _BELOW_ONE)) / full)
    )
    title = f"images of each of {len(ordered):,} classes, largest first, logarithmic"
    return Markup(
        '<svg viewBox="0 0 {} {}" role="img" aria-label="{}" fill="currentColor" '
        'style="display: block; max-width: 30rem; width: 100%; opacity: .7">{}</svg>'
    ).format(_WIDTH, _HEIGHT, title, bars)
