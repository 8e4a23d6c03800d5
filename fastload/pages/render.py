"""Templates to pages that need nothing beside them and run no script but their own."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from fastload.words import name_words

__all__ = ["Script", "render"]

_FOLDER = "page"


class Script(str):
    """JavaScript of our own making, which the page's policy allows by its very text."""

    @property
    def source(self) -> str:
        """How the content security policy names it."""
        digest = base64.b64encode(hashlib.sha256(self.encode()).digest()).decode()
        return f"'sha256-{digest}'"


def render(
    package: str,
    template: str,
    *,
    title: str,
    subtitle: Sequence[str] = (),
    sections: Mapping[str, str] | None = None,
    connect: str = "'none'",
    images: str = "data:",
    **context: Any,
) -> str:
    """Fill a template, which extends ``frame.html``.

    Whatever is put in is escaped and on one line, class and file names too; only ``Markup`` of our
    own making is not. The template's folder
    ``page`` may have a ``style.css`` and a ``page.js`` beside it: both become part of the page.

    Args:
        package: whose folder ``page`` has the template, as "fastload.survey".
        template: its file name.
        title: of the page.
        subtitle: what stands beneath, piece by piece.
        sections: where the page's own links lead: text by id.
        connect: where the page's script may fetch from, as the policy says it.
        images: where images may come from.
        context: the template's variables.

    Returns:
        The page.
    """
    pages = Environment(
        loader=ChoiceLoader([PackageLoader(package, _FOLDER), PackageLoader(__package__, _FOLDER)]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = _text(__package__, "frame.css") + _text(package, "style.css")
    script = Script(_text(__package__, "frame.js") + _text(package, "page.js"))
    return pages.get_template(template).render(
        title=title,
        subtitle=subtitle,
        sections=sections or {},
        style=Markup(style),  # noqa: S704 - our own
        script=Markup(script),  # noqa: S704 - our own
        policy=(
            f"default-src 'none'; img-src {images}; style-src 'unsafe-inline'; "
            f"script-src {script.source}; connect-src {connect}"
        ),
        **context,
    )


def _text(package: str, name: str) -> str:
    file = files(package) / _FOLDER / name
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def _printable(value: Any) -> Any:
    """What is written for a value: text on one line, nothing unseen in it."""
    return value if isinstance(value, Markup) or not isinstance(value, str) else name_words(value)
