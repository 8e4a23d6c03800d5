"""That all ranks serve shares of one and the same order.

The first rank lays down what it serves, in the store by which the ranks of ``torch.distributed``
found one another; each other rank reads that before its first batch. The first rank waits for
nobody: a loader that it alone looks into does not hang.
"""

from __future__ import annotations

import json
import time
from itertools import count
from typing import Any

from fastload.errors import RanksError
from fastload.sample.ranks import ranks_of_process

__all__ = ["SeedAgreement"]

# Seconds between two looks: a pass begins that much later at most.
_ASK_AGAIN = 0.005
_numbers = count()


class SeedAgreement:
    """One loader's seed, the same on all ranks.

    Ranks find one another's loaders by their number: the order in which a process makes those that
    share their epochs.

    Args:
        seed: this rank's.
        given: whether the user has given it; what was drawn gives way to the first rank's.
        shared: whether the loader's epochs are shared by the ranks of ``torch.distributed``.
    """

    def __init__(self, seed: int, *, given: bool, shared: bool) -> None:
        self.seed = seed
        self.given = given
        self._number = next(_numbers) if shared else None
        self._settled = not shared

    def settle(self, served: dict[str, Any]) -> int:
        """The seed that all ranks take.

        Args:
            served: what this rank serves, as JSON takes it; a seed that was drawn is not compared.

        Raises:
            RanksError: the ranks do not serve the same, or the first one serves nothing.
        """
        ranks = ranks_of_process()
        if ranks.ranks == 1 or self._settled:
            return self.seed
        # Builds of torch without distribution come as far as the line above.
        from torch.distributed.distributed_c10d import _get_default_store

        mine: dict[str, Any] = {**served, "seed": self.seed}
        store, key = _get_default_store(), f"fastload/loader/{self._number}"
        if ranks.rank == 0:
            store.set(key, json.dumps(mine))
        else:
            self._follow(mine, _read(store, key, ranks.rank), ranks.rank)
        self._settled = True
        return self.seed

    def _follow(self, mine: dict[str, Any], first: dict[str, Any], rank: int) -> None:
        if not self.given:
            self.seed = mine["seed"] = first["seed"]
        mine = json.loads(json.dumps(mine))
        for name in {**first, **mine}:
            if mine.get(name) != first.get(name):
                raise RanksError(
                    f"Rank {rank} serves {name} {mine.get(name)!r}, rank 0 {first.get(name)!r} "
                    f"(loader number {self._number} of each): their shares are not of one epoch. "
                    "Make the same loaders in the same order on all ranks; one that is not for "
                    "all ranks takes rank=0, world_size=1."
                )


def _read(store: Any, key: str, rank: int) -> dict[str, Any]:
    """What the first rank has laid down. Asks again and again, so that Ctrl-C is heard."""
    patience: float = store.timeout.total_seconds()
    deadline = time.monotonic() + patience
    while not store.check([key]):
        if time.monotonic() > deadline:
            raise RanksError(
                f"Rank {rank} has waited for {patience:.0f} s for rank 0 to begin a pass of its "
                f"own ({key}). Make the same loaders in the same order on all ranks; one that is "
                "not for all ranks takes rank=0, world_size=1."
            )
        time.sleep(_ASK_AGAIN)
    said: dict[str, Any] = json.loads(store.get(key))
    return said
