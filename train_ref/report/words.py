"""Numbers and names as the page writes them."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from markupsafe import Markup, escape

__all__ = ["METRICS", "duration", "marked_up", "percent", "printable", "short"]

METRICS = {
    "weighted_f1": "Weighted F1",
    "macro_f1": "Macro F1",
    "balanced_accuracy": "Balanced accuracy",
    "accuracy": "Accuracy",
}
"""The headline metrics by their names in the log."""


def printable(value: Any) -> Any:
    r"""What is written for a value in a page: names NFC, on one line, nothing unseen in them.

    >>> printable("two\nlines \u202egnorw")
    'two\\nlines \\u202egnorw'
    """
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode()
        for sign in unicodedata.normalize("NFC", value)
    )


def marked_up(text: str) -> Markup:
    """A sentence whose words between grave accents are commands.

    >>> marked_up("`fastload split` keeps <b> apart")
    Markup('<code>fastload split</code> keeps &lt;b&gt; apart')
    """
    # As a plain str: Markup would escape the tags that are put in.
    escaped = str(escape(printable(text)))
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped))  # noqa: S704


def percent(share: float, digits: int = 1) -> str:
    """A share in percent.

    >>> percent(0.0314), percent(1.0, 0)
    ('3.1 %', '100 %')
    """
    return f"{100 * share:.{digits}f} %"


def short(value: Any) -> str:
    """A metric's value, or a dash where there is none.

    >>> short(0.23456), short(None), short(float("nan"))
    ('0.235', '–', '–')
    """
    if value is None or value != value:
        return "–"
    return f"{value:.3f}"


def duration(seconds: float) -> str:
    """A time that has passed.

    >>> duration(7.25), duration(75), duration(4000)
    ('7.2 s', '1:15 min', '1:06:40 h')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d} h" if hours else f"{minutes}:{rest:02d} min"
