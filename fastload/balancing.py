"""What a loader's arguments say about how often each class comes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastload.classes import class_names, classes_of
from fastload.sample import BalancedSampler, EpochCounter

__all__ = ["EpochOrder"]


@dataclass(frozen=True)
class EpochOrder:
    """The arguments of a loader that decide how its epochs are drawn.

    Attributes:
        balance, epoch_length, max_repeats, per_batch: as ``BalancedSampler`` has them.
    """

    balance: Any
    epoch_length: int | None
    max_repeats: int | None
    per_batch: tuple[int, int] | None

    @property
    def is_balanced(self) -> bool:
        """Whether an epoch is anything else than each image once."""
        return bool(self._given())

    def _given(self) -> list[str]:
        """The arguments that make it so, as they are written."""
        plain = isinstance(self.balance, str) and self.balance == "none"
        given = {**vars(self), "balance": None if plain else self.balance}
        return [f"{name}=" for name, value in given.items() if value is not None]

    def check(self, sampler: Any, batch_sampler: Any, shuffle: bool | None) -> None:
        """Refuse what contradicts these.

        Raises:
            ValueError: another argument decides the order as well.
        """
        if not self.is_balanced:
            return
        mine = " and ".join(self._given())
        for name, given in (("sampler", sampler), ("batch_sampler", batch_sampler)):
            if given is not None:
                raise ValueError(f"{name} decides the order: leave out {mine}, or the {name}.")
        if shuffle is False:
            raise ValueError(f"shuffle=False, but {mine} shuffles: leave out one or the other.")

    def sampler(self, dataset: Any, seed: int, epochs: EpochCounter) -> BalancedSampler:
        """What draws the epochs of a dataset."""
        return BalancedSampler(
            classes_of(dataset),
            self.balance,
            epoch_length=self.epoch_length,
            max_repeats=self.max_repeats,
            per_batch=self.per_batch,
            seed=seed,
            classes=class_names(dataset),
            epochs=epochs,
        )

    def batch_size(self, given: Any) -> Any:
        """Images of a batch.

        Args:
            given: the loader's argument, 1 where there was none.

        Raises:
            ValueError: it is another number than ``per_batch`` makes.
        """
        if self.per_batch is None:
            return given
        classes, images = self.per_batch
        if given not in (1, classes * images):
            raise ValueError(
                f"batch_size={given}, but per_batch={self.per_batch} makes batches of "
                f"{classes * images}: leave batch_size out."
            )
        return classes * images
