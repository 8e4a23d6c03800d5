"""Balanced epochs: how often each class comes is decided first, then which of its samples.

In two stages. Each class has its number of draws of an epoch (``balance``, ``apportion``), and the
classes of the epoch's positions are these, shuffled. The draws of one class go on in its own random
cycle of all its samples, through the epochs: each sample comes once before any comes twice, and in
an epoch no sample comes more than once more often than another one of its class.

All of it is a pure function of seed and epoch. Cycles begin anew each ``ERA`` epochs, so that no
epoch's order needs to know more than that many epochs before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from fastload.native.library import class_order
from fastload.sample.apportion import Apportioned, Counts, Shares, apportion, limited
from fastload.sample.balance import Balance, balance_of, checked_shares
from fastload.sample.class_lists import MOST_SAMPLES, ClassLists
from fastload.sample.epochs import EpochCounter
from fastload.sample.order import Order, OrderSampler
from fastload.sample.seeds import checked_seed

__all__ = ["ERA", "BalancedSampler"]

ERA = 1024
"""Epochs after which the classes' cycles begin anew."""

# Of a balance's name in a saved state, and of the digest that takes the place of a longer one.
_LONGEST_NAME = 200
_DIGITS = 16


class BalancedSampler(OrderSampler):
    """Draws samples so that classes come as often as a mode says.

    Serves torch's ``DataLoader`` as ``sampler=``, and is what ``fastload.DataLoader(balance=...)``
    makes. The latter divides an epoch among the ranks of ``torch.distributed``; in torch's loader
    each rank gets all of it. Epochs count by themselves, or ``set_epoch`` says which one comes
    next.

    Args:
        labels: the class of each sample, such as ``dataset.targets``, or a dataset with such.
        balance: "none", "class", "sqrt", "effective", "repeat_factor" or "progressive", some with
            a number behind a colon; {class: weight}; {class: images an epoch}, integers; or a
            function of counts and epoch. See :mod:`fastload.sample.balance`.
        epoch_length: samples an epoch, fewer than 2**32; None for as many as there are, or as the
            mode wants.
        max_repeats: no sample comes more often than this in an epoch; what that takes from a class
            is spread over the others.
        per_batch: (P, K): each P * K samples in a row are K samples of P classes each. Use it with
            a batch size of P * K.
        seed: 0 to 2**64 - 1.
        classes: names, for modes that name classes and for messages; labels by default.
        epochs: the counter to take epochs from (a loader shares its own).

    Raises:
        ValueError: arguments contradict one another or the labels.

    >>> sampler = BalancedSampler([0, 0, 0, 0, 0, 0, 1, 1], balance="class", seed=1)
    >>> len(sampler), sampler.draws(0).tolist()
    (8, [4, 4])
    >>> first, second = (sampler.order(epoch).tolist() for epoch in (0, 1))
    >>> sorted(set(first) | set(second))  # six of class 0 in two epochs of four: all of them
    [0, 1, 2, 3, 4, 5, 6, 7]
    """

    seed: int

    def __init__(
        self,
        labels: Any,
        balance: Any = "class",
        *,
        epoch_length: int | None = None,
        max_repeats: int | None = None,
        per_batch: tuple[int, int] | None = None,
        seed: int = 0,
        classes: Sequence[str] | None = None,
        epochs: EpochCounter | None = None,
    ) -> None:
        super().__init__(epochs)
        self.lists = labels if isinstance(labels, ClassLists) else _lists_of(labels)
        self.counts = self.lists.counts
        if not self.counts.sum():
            raise ValueError("There are no samples to draw from.")
        names = classes if classes is not None else getattr(labels, "classes", None)
        if names is None or len(names) < len(self.counts):
            names = [str(label) for label in range(len(self.counts))]
        self.classes = list(names)
        self._add_empty_classes()
        self.seed = checked_seed(seed)
        self.balance: Balance = balance_of(balance, self.classes)
        self.max_repeats = _checked_natural(max_repeats, "max_repeats")
        self.per_batch = _checked_pair(per_batch)
        self._slots, self._images = self._epoch_slots(
            _checked_natural(epoch_length, "epoch_length")
        )
        self.run = 1 if self.per_batch is None else self.per_batch[0] * self.per_batch[1]
        self._limits = self._slot_limits()
        self._wanted(0)
        self._known: dict[int, _Drawn] = {}

    def _add_empty_classes(self) -> None:
        """Classes without samples behind the last one that has any."""
        more = len(self.classes) - len(self.counts)
        self.counts = np.concatenate([self.counts, np.zeros(more, np.int64)])
        starts = self.lists.starts
        self.lists = ClassLists(
            np.concatenate([starts, starts[-1:].repeat(more)]), self.lists.members
        )

    def _epoch_slots(self, epoch_length: int | None) -> tuple[int, int]:
        """How many times a class is chosen in an epoch, and for how many samples each time."""
        length = self.balance.length(self.counts) if epoch_length is None else epoch_length
        if length >= MOST_SAMPLES:
            raise ValueError(f"An epoch of {length} samples: balanced ones have fewer than 2**32.")
        if self.per_batch is None:
            return length, 1
        classes, images = self.per_batch
        batches = length // (classes * images)
        if not batches:
            raise ValueError(
                f"An epoch of {length} samples has no batch of {self.per_batch}: give a longer "
                "epoch_length or smaller batches."
            )
        return batches * classes, images

    def _slot_limits(self) -> Counts:
        limits = np.full(len(self.counts), self._slots, np.int64)
        if self.per_batch is not None:
            # No class twice in a batch.
            limits = np.minimum(limits, self._slots // self.per_batch[0])
        if self.max_repeats is not None:
            # No more than an epoch has room for, so that no product overflows.
            room = len(self) // np.maximum(self.counts, 1) + 1
            repeats = np.minimum(room, min(self.max_repeats, MOST_SAMPLES))
            limits = np.minimum(limits, self.counts * repeats // self._images)
        return limits

    def _wanted(self, epoch: int) -> tuple[Shares, Counts]:
        """What each class is to have of an epoch, and at most.

        Raises:
            ValueError: no epoch can be drawn so.
        """
        shares = checked_shares(self.balance, self.counts, epoch)
        limits = np.where(shares > 0, self._limits, 0)
        most, drawn = int(limits.sum()), np.count_nonzero(shares)
        if most >= self._slots:
            return limited(shares, self._slots, limits), limits
        if self.per_batch is not None and drawn < self.per_batch[0]:
            raise ValueError(
                f"per_batch={self.per_batch} wants {self.per_batch[0]} classes in each batch, "
                f"{drawn} are drawn in epoch {epoch}."
            )
        raise ValueError(
            f"max_repeats={self.max_repeats} allows {most * self._images} draws in epoch {epoch}, "
            f"{len(self)} are wanted: give epoch_length={most * self._images}, or more repeats."
        )

    def __len__(self) -> int:
        return self._slots * self._images

    def identity(self) -> dict[str, Any]:
        """What decides the order: beside the seed, all that was asked for."""
        return super().identity() | {
            "balance": self._balance_name,
            "max_repeats": self.max_repeats,
            "per_batch": None if self.per_batch is None else list(self.per_batch),
        }

    @cached_property
    def _balance_name(self) -> str:
        """What tells this balance from others: a digest where it would be long."""
        name = repr(self.balance)
        if len(name) <= _LONGEST_NAME:
            return name
        return f"{type(self.balance).__name__} {sha256(name.encode()).hexdigest()[:_DIGITS]}"

    def order(self, epoch: int) -> Order:
        """The samples of one epoch: int64, shape (len(self),)."""
        return class_order(
            self.seed,
            epoch,
            epoch // ERA,
            self.lists.starts,
            self.lists.members,
            self.draws(epoch),
            self._drawn(epoch).begun,
            self.per_batch,
        )

    def draws(self, epoch: int) -> Counts:
        """How often each class is drawn in an epoch: int64, shape (classes,)."""
        return self._drawn(epoch).draws * self._images

    def means(self, epoch: int) -> Shares:
        """How often each class would be drawn if draws could be parted: shape (classes,)."""
        return self._wanted(epoch)[0] * len(self)

    def _drawn(self, epoch: int) -> _Drawn:
        """How an epoch is drawn, by way of those of its era before it that are not known."""
        first = epoch - epoch % ERA
        known = [number for number in self._known if first <= number <= epoch]
        number = max(known, default=first)
        drawn = self._known[number] if known else self._next(number, None)
        while number < epoch:
            number += 1
            drawn = self._next(number, drawn)
        # An epoch and its neighbours are asked for again.
        self._known = {n: d for n, d in self._known.items() if abs(n - epoch) <= 1}
        self._known[epoch] = drawn
        return drawn

    def _next(self, epoch: int, before: _Drawn | None) -> _Drawn:
        owed = None if before is None else before.owed
        shares, limits = self._wanted(epoch)
        one = apportion(shares, self._slots, limits, owed)
        begun = np.zeros(len(self.counts), np.int64)
        if before is not None:
            begun = (before.begun + before.draws * self._images) % np.maximum(self.counts, 1)
        return _Drawn(one.draws, one.owed, begun)


@dataclass(frozen=True)
class _Drawn(Apportioned):
    """The draws of one epoch, and where in their cycles the classes go on: (classes,), int64."""

    begun: Counts


def _lists_of(labels: Any) -> ClassLists:
    targets = getattr(labels, "targets", None)
    if targets is None and isinstance(labels, Dataset):
        # Numpy would load it, sample by sample.
        raise ValueError(
            f"{type(labels).__name__} has no targets: give the class of each of its samples as "
            "labels, or fastload.DataLoader(dataset, balance=...), which knows parts and unions."
        )
    return ClassLists.of_labels(labels if targets is None else targets)


def _checked_natural(value: Any, name: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"{name} is {value!r}: it takes an integer from 1 on.")
    return int(value)


def _checked_pair(per_batch: Any) -> tuple[int, int] | None:
    if per_batch is None:
        return None
    if not isinstance(per_batch, (tuple, list)) or len(per_batch) != 2:
        raise ValueError(f"per_batch is {per_batch!r}: it takes (classes, images of each).")
    classes = _checked_natural(per_batch[0], "per_batch's number of classes")
    images = _checked_natural(per_batch[1], "per_batch's number of images")
    assert classes is not None
    assert images is not None
    return classes, images
