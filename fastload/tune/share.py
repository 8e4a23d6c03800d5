"""Trials run on the CPUs that one of several training processes will have."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from fastload.tune.budget import Budget

__all__ = ["on_its_share"]


@contextmanager
def on_its_share(budget: Budget) -> Iterator[None]:
    """Keep this thread, and what it starts, to its share of the CPUs; nothing where it has all."""
    allowed = os.sched_getaffinity(0)
    if budget.ranks == 1 or len(allowed) <= budget.cpus:
        yield
        return
    os.sched_setaffinity(0, sorted(allowed)[: budget.cpus])
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)
