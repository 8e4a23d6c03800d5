"""How many processors this process may use."""

from __future__ import annotations

import os

__all__ = ["usable_processors"]


def usable_processors() -> int:
    """Processors that the affinity mask leaves to this process.

    >>> usable_processors() >= 1
    True
    """
    return len(os.sched_getaffinity(0))
