"""The name that was meant where another was written."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["nearest_name"]


def nearest_name(name: str, names: Iterable[str]) -> str | None:
    """The name that is most like another one; None where none is.

    Compared by letters: one that is wrong in two Korean syllables is one of five or six, and
    not half of the name.

    >>> nearest_name("dgo", ["cat", "dog"]), nearest_name("bird", ["cat", "dog"])
    ('dog', None)
    >>> nearest_name("오엽", ["오염", "훼손"])
    '오염'
    """
    by_letters = {unicodedata.normalize("NFD", known): known for known in names}
    nearest = get_close_matches(unicodedata.normalize("NFD", name), by_letters, n=1)
    return by_letters[nearest[0]] if nearest else None
