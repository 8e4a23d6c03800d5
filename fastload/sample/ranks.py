"""Which rank this process is, and of how many."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from torch import distributed

__all__ = ["Ranks", "checked_ranks", "ranks_of_process", "tell_of_ranks"]

_LOGGER = logging.getLogger("fastload")
_told = False


@dataclass(frozen=True)
class Ranks:
    """A place among the processes that share an epoch.

    Attributes:
        rank: which one.
        ranks: of how many.
        source: who says so.
    """

    rank: int = 0
    ranks: int = 1
    source: str = "one process"


def checked_ranks(rank: int | None, world_size: int | None) -> Ranks | None:
    """The ranks that a loader was given, or None where it was given none.

    Raises:
        ValueError: one of the two is missing, or they are no rank and number of ranks.

    >>> checked_ranks(1, 4)
    Ranks(rank=1, ranks=4, source='rank= and world_size=')
    """
    if rank is None and world_size is None:
        return None
    if rank is None or world_size is None:
        missing, given = ("rank", "world_size") if rank is None else ("world_size", "rank")
        raise ValueError(f"{given}= is given without {missing}=: give both, or neither.")
    if not (0 <= rank < world_size):
        raise ValueError(
            f"rank={rank} with world_size={world_size}: ranks count from 0 to world_size - 1."
        )
    return Ranks(int(rank), int(world_size), "rank= and world_size=")


def ranks_of_process() -> Ranks:
    """What ``torch.distributed`` says, where it is initialised; else the only rank."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return Ranks()
    return Ranks(distributed.get_rank(), distributed.get_world_size(), "torch.distributed")


def tell_of_ranks(ranks: Ranks, uneven: str) -> None:
    """Log once, on the first rank, that epochs are divided though nobody asked for it here."""
    global _told
    if _told or ranks.rank != 0:
        return
    _told = True
    _LOGGER.warning(
        "torch.distributed is initialised: each of its %d ranks is served its own share of an "
        "epoch (uneven=%r). For all of it on each, give the loader rank=0, world_size=1.",
        ranks.ranks,
        uneven,
    )
