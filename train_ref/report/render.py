"""Templates to pages that need nothing beside them and run no script but their own."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from train_ref.report.heat import style_of_cells
from train_ref.report.words import duration, marked_up, percent, printable, short

__all__ = ["render"]


def render(template: str, **context: Any) -> bytes:
    """Fill a template of the folder `page`.

    All that is put in is escaped, except SVG of our own making. The page's policy lets the browser
    run the one script with this very text, whatever a class may be called.

    Args:
        template: its file name.
        context: its variables.

    Returns:
        The page, UTF-8.
    """
    pages = Environment(
        loader=PackageLoader("train_ref.report", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=printable,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    pages.filters |= {
        "percent": percent,
        "short": short,
        "duration": duration,
        "marked_up": marked_up,
    }
    loader = pages.loader
    assert loader is not None
    script = loader.get_source(pages, "page.js")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page = pages.get_template(template).render(
        style=Markup(loader.get_source(pages, "style.css")[0] + style_of_cells()),  # noqa: S704
        script=Markup(script),  # noqa: S704
        script_hash=f"sha256-{digest}",
        **context,
    )
    return page.encode()
