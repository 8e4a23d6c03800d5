"""Numbers of bytes as people write them."""

from __future__ import annotations

import re

__all__ = ["parse_size"]

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "KI": 2**10, "MI": 2**20, "GI": 2**30}


def parse_size(text: str | int, name: str) -> int:
    """Bytes in a size such as ``"256MB"``, ``"64MiB"`` or ``1000000``.

    Args:
        text: the size.
        name: of the option, for the message.

    Raises:
        ValueError: the text is no size.

    >>> [parse_size(size, "--shard-size") for size in ("256MB", "1.5 GiB", 4096)]
    [256000000, 1610612736, 4096]
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMG]I?)?B?\s*", str(text), re.IGNORECASE)
    if match is None:
        raise ValueError(
            f"{name} is {str(text)!r}, it takes bytes, or a number with KB, MB, GB, KiB, MiB or GiB"
        )
    return round(float(match[1]) * _UNITS[(match[2] or "").upper()])
