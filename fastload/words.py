"""Numbers and names as commands and pages print them."""

from __future__ import annotations

import unicodedata

__all__ = ["bytes_words", "display_name", "duration_words", "name_words"]

_STEP = 1000


def bytes_words(count: float) -> str:
    """A number of bytes with three digits or so.

    >>> bytes_words(999), bytes_words(256_000_000), bytes_words(1_234_567_890)
    ('999 B', '256.0 MB', '1.2 GB')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if abs(count) < _STEP:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= _STEP
    return f"{count:.1f} TB"


def duration_words(seconds: float) -> str:
    """A time to wait for.

    >>> duration_words(7.25), duration_words(75), duration_words(4000)
    ('7.2 s', '1:15', '1:06:40')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def display_name(name: str) -> str:
    r"""A name as people read it: NFC, with bytes that are no UTF-8 shown as U+FFFD.

    >>> display_name("a\u0308")
    'ä'
    """
    readable = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return unicodedata.normalize("NFC", readable)


def name_words(name: str) -> str:
    r"""A file or class name on one line: NFC, with what cannot be printed escaped.

    >>> name_words("two\nlines")
    'two\\nlines'
    """
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode()
        for sign in display_name(name)
    )
