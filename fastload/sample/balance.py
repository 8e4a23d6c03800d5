"""How often each class is drawn.

A mode gives each class its share of an epoch's draws and says how long the epoch is if nobody else
does. All that it knows is how many images each class has.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np

from fastload.sample.apportion import Counts, Shares
from fastload.store.nearest import nearest_name

__all__ = [
    "Balance",
    "ClassBalance",
    "EffectiveNumber",
    "FunctionBalance",
    "NoBalance",
    "Progressive",
    "Quota",
    "RepeatFactor",
    "SquareRoot",
    "Weights",
    "balance_of",
    "checked_shares",
]

# ImageNet-LT is trained for 90 epochs in the paper.
_PROGRESSIVE_EPOCHS = 90
# Classes that a message names.
_NAMES_SHOWN = 10


class Balance(ABC):
    """The shares of the classes."""

    @abstractmethod
    def shares(self, counts: Counts, epoch: int) -> Shares:
        """Draws of each class in proportion to one another.

        Args:
            counts: int64, shape (classes,): images of each class.
            epoch: 0 or more.

        Returns:
            Shape (classes,): not negative; of a class without images it does not count.
        """

    def length(self, counts: Counts) -> int:
        """Draws of an epoch where none are asked for: as many as there are images."""
        return int(counts.sum())


@dataclass(frozen=True)
class NoBalance(Balance):
    """Each image as often as any other.

    >>> NoBalance().shares(np.array([6, 2]), 0).tolist()
    [6.0, 2.0]
    """

    def shares(self, counts: Counts, epoch: int) -> Shares:
        """In proportion to the classes' sizes."""
        del epoch
        return counts.astype(np.float64)


@dataclass(frozen=True)
class ClassBalance(Balance):
    """Each class as often as any other.

    >>> ClassBalance().shares(np.array([6, 2, 0]), 0).tolist()
    [1.0, 1.0, 0.0]
    """

    def shares(self, counts: Counts, epoch: int) -> Shares:
        """Equal for all classes that have images."""
        del epoch
        return (counts > 0).astype(np.float64)


@dataclass(frozen=True)
class SquareRoot(Balance):
    """In proportion to the square root of the class's size (Mahajan et al., ECCV 2018).

    >>> SquareRoot().shares(np.array([9, 4]), 0).tolist()
    [3.0, 2.0]
    """

    def shares(self, counts: Counts, epoch: int) -> Shares:
        """Half-way, in logarithms, between no balance and equal classes."""
        del epoch
        roots: Shares = np.sqrt(counts.astype(np.float64))
        return roots


@dataclass(frozen=True)
class EffectiveNumber(Balance):
    """Each image by the inverse of its class's effective number of samples.

    Cui et al., "Class-Balanced Loss Based on Effective Number of Samples" (CVPR 2019): n images
    count for (1 - beta^n) / (1 - beta). So a class of n images has the share n (1 - beta) / (1 -
    beta^n): in proportion to its size at beta = 0, equal for all as beta nears 1.

    >>> EffectiveNumber(0.5).shares(np.array([1, 2]), 0).round(3).tolist()
    [1.0, 1.333]
    """

    beta: float = 0.999

    def __post_init__(self) -> None:
        if not 0 <= self.beta < 1:
            raise ValueError(f"beta is {self.beta}: it takes a number from 0 to below 1")

    def shares(self, counts: Counts, epoch: int) -> Shares:
        """The size of each class over its effective number."""
        del epoch
        if self.beta == 0:
            return counts.astype(np.float64)
        effective = -np.expm1(counts * np.log(self.beta)) / (1 - self.beta)
        return np.where(counts > 0, counts / np.where(counts > 0, effective, 1), 0.0)


@dataclass(frozen=True)
class RepeatFactor(Balance):
    """Each image of a class of frequency f comes max(1, sqrt(threshold / f)) times an epoch.

    Gupta et al., "LVIS" (CVPR 2019). Rare classes are repeated, no image is left out, and an epoch
    is longer than the data set.

    Args:
        threshold: the frequency below which a class is repeated; None for that of a class of mean
            size, 1 / classes (LVIS has 1203 classes and takes 0.001).

    >>> RepeatFactor(0.5).shares(np.array([14, 2]), 0).tolist()
    [14.0, 4.0]
    """

    threshold: float | None = None

    def __post_init__(self) -> None:
        if self.threshold is not None and not 0 < self.threshold <= 1:
            raise ValueError(f"threshold is {self.threshold}: it takes a number above 0, up to 1")

    def shares(self, counts: Counts, epoch: int) -> Shares:
        """The size of each class times its images' repeats."""
        del epoch
        there = np.maximum(counts, 1)
        frequencies = there / counts.sum()
        threshold = self.threshold or 1 / np.count_nonzero(counts)
        repeats: Shares = counts * np.maximum(1.0, np.sqrt(threshold / frequencies))
        return repeats

    def length(self, counts: Counts) -> int:
        """All repeats of all images."""
        return round(float(self.shares(counts, 0).sum()))


@dataclass(frozen=True)
class Progressive(Balance):
    """From no balance to equal classes, a step each epoch.

    Kang et al., "Decoupling Representation and Classifier" (ICLR 2020): in epoch t of T the share
    of a class is (1 - t / T) n / N + (t / T) / C.

    Args:
        epochs: T; from then on classes are equal.

    >>> Progressive(4).shares(np.array([6, 2]), 2).tolist()
    [0.625, 0.375]
    """

    epochs: int

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise ValueError(f"epochs is {self.epochs}: it takes 1 or more")

    def shares(self, counts: Counts, epoch: int) -> Shares:
        """The mixture of both."""
        done = min(1.0, epoch / self.epochs)
        there = counts > 0
        plain: Shares = counts / counts.sum()
        return (1 - done) * plain + done / np.count_nonzero(there) * there


@dataclass(frozen=True)
class Weights(Balance):
    """Classes in proportion to given weights, whatever their sizes.

    Args:
        weights: one a class.

    >>> Weights((3.0, 1.0)).shares(np.array([6, 2]), 0).tolist()
    [3.0, 1.0]
    """

    weights: tuple[float, ...]

    def shares(self, counts: Counts, epoch: int) -> Shares:
        """The weights themselves."""
        del counts, epoch
        return np.array(self.weights, np.float64)


@dataclass(frozen=True)
class Quota(Balance):
    """A given number of images of each class an epoch: "augment up to N", without writing a file.

    Args:
        images: one number a class; None for as many as the class has.

    >>> Quota((None, 4)).shares(np.array([6, 2]), 0).tolist()
    [6.0, 4.0]
    """

    images: tuple[int | None, ...]

    def shares(self, counts: Counts, epoch: int) -> Shares:
        """The numbers themselves."""
        del epoch
        wanted = [
            int(count) if images is None else images
            for images, count in zip(self.images, counts, strict=True)
        ]
        return np.where(counts > 0, np.array(wanted, np.float64), 0.0)

    def length(self, counts: Counts) -> int:
        """The sum of the numbers."""
        return int(self.shares(counts, 0).sum())


@dataclass(frozen=True)
class FunctionBalance(Balance):
    """What a function of the user's says.

    Args:
        function: takes the counts (int64, shape (classes,)) and the epoch, and gives the shares.

    >>> FunctionBalance(lambda counts, epoch: counts ** 0.25).shares(np.array([16, 1]), 0).tolist()
    [2.0, 1.0]
    """

    function: Callable[[Counts, int], Any]

    def __repr__(self) -> str:
        named = getattr(self.function, "__qualname__", type(self.function).__qualname__)
        return f"{type(self).__name__}({named})"

    def shares(self, counts: Counts, epoch: int) -> Shares:
        """What the function gives."""
        return np.asarray(self.function(counts.copy(), epoch), np.float64)


def checked_shares(balance: Balance, counts: Counts, epoch: int) -> Shares:
    """The shares of an epoch: shape (classes,), 0 for a class without images.

    Raises:
        ValueError: the mode gives no shares of these classes, or draws none that has images.
    """
    shares = balance.shares(counts, epoch)
    if shares.shape == counts.shape:
        shares = np.where(counts > 0, shares, 0.0)
    if shares.shape != counts.shape or not np.isfinite(shares).all() or (shares < 0).any():
        raise ValueError(
            f"The balance ({type(balance).__name__}) gave {shares!r} for epoch {epoch}: it has to "
            f"give {len(counts)} finite numbers that are not negative, one a class."
        )
    if not shares.any():
        raise ValueError(f"No class with images is drawn in epoch {epoch}.")
    return shares


def _plain(mode: Callable[[], Balance]) -> Callable[[str], Balance]:
    def parse(number: str) -> Balance:
        if number:
            raise ValueError("this mode takes no number")
        return mode()

    return parse


_NAMED: dict[str, Callable[[str], Balance]] = {
    "none": _plain(NoBalance),
    "class": _plain(ClassBalance),
    "sqrt": _plain(SquareRoot),
    "effective": lambda beta: EffectiveNumber(float(beta)) if beta else EffectiveNumber(),
    "repeat_factor": lambda factor: RepeatFactor(float(factor)) if factor else RepeatFactor(),
    "progressive": lambda epochs: Progressive(int(epochs)) if epochs else _assumed_progressive(),
}


def _of_name(text: str) -> Balance:
    name, _, number = text.partition(":")
    if name in _NAMED:
        try:
            return _NAMED[name](number)
        except ValueError as error:
            raise ValueError(f"balance={text!r}: {error}.") from error
    near = get_close_matches(name, _NAMED, 1)
    meant = f" Do you mean {near[0]!r}?" if near else ""
    raise ValueError(
        f"balance={text!r} is not known: choose one of {', '.join(_NAMED)} (with a number, as in "
        "'effective:0.999', 'repeat_factor:0.001', 'progressive:90'), {class: weight}, {class: "
        f"images an epoch}} or a function.{meant}"
    )


def _assumed_progressive() -> Balance:
    warnings.warn(
        f"balance='progressive' goes from no balance to equal classes within "
        f"{_PROGRESSIVE_EPOCHS} epochs: say 'progressive:EPOCHS' for the number that you train.",
        stacklevel=2,
    )
    return Progressive(_PROGRESSIVE_EPOCHS)


def balance_of(balance: Any, classes: Sequence[str]) -> Balance:
    """The mode that is meant.

    Args:
        balance: a mode, its name, a mapping from class (name or label) to images an epoch
            (integers) or to weight (any other numbers), or a function of counts and epoch.
        classes: the names.

    Raises:
        ValueError: it means no mode.

    >>> balance_of("effective:0.9", ["a", "b"])
    EffectiveNumber(beta=0.9)
    >>> balance_of({"b": 300}, ["a", "b"])
    Quota(images=(None, 300))
    >>> balance_of({"a": 1.5, "b": 1}, ["a", "b"])
    Weights(weights=(1.5, 1.0))
    """
    if isinstance(balance, Balance):
        return balance
    if balance is None:
        return NoBalance()
    if isinstance(balance, str):
        return _of_name(balance)
    if isinstance(balance, Mapping):
        return _of_mapping(balance, classes)
    if callable(balance):
        return FunctionBalance(balance)
    raise ValueError(
        f"balance is {balance!r}: give the name of a mode, {{class: weight}}, {{class: images an "
        "epoch} or a function of counts and epoch."
    )


def _of_mapping(balance: Mapping[Any, Any], classes: Sequence[str]) -> Balance:
    labels = {name: label for label, name in enumerate(classes)}
    by_label: dict[int, Any] = {}
    for name, value in balance.items():
        label = _label_of(name, labels)
        if label in by_label:
            raise ValueError(f"balance names the class {classes[label]!r} twice.")
        by_label[label] = value
    values = list(by_label.values())
    if not values or any(not _is_natural(value) for value in values):
        wrong = next((value for value in values if not _is_natural(value)), balance)
        raise ValueError(f"balance has {wrong!r}: it takes finite numbers that are not negative.")
    if all(isinstance(value, (int, np.integer)) for value in values):
        wanted = [by_label.get(label) for label in range(len(classes))]
        return Quota(tuple(None if images is None else int(images) for images in wanted))
    missing = [classes[label] for label in range(len(classes)) if label not in by_label]
    if missing:
        raise ValueError(
            f"balance has no weight for {len(missing)} classes: "
            f"{', '.join(missing[:_NAMES_SHOWN])}. Give each class one (0 leaves a class out), or "
            "whole numbers for images an epoch."
        )
    return Weights(tuple(float(by_label[label]) for label in range(len(classes))))


def _is_natural(value: Any) -> bool:
    number = isinstance(value, (int, float, np.integer, np.floating))
    return number and not isinstance(value, bool) and bool(0 <= value < np.inf)


def _label_of(name: Any, labels: Mapping[str, int]) -> int:
    if isinstance(name, (int, np.integer)) and 0 <= name < len(labels):
        return int(name)
    if name in labels:
        return labels[name]
    classes = list(labels)
    near = nearest_name(str(name), classes)
    there_are = ", ".join(classes[:_NAMES_SHOWN]) + (" ..." if len(classes) > _NAMES_SHOWN else "")
    meant = f"Do you mean {near!r}?" if near else f"There are {there_are}."
    raise ValueError(f"balance names the class {name!r}, which is not there. {meant}")
