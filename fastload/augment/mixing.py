"""MixUp and CutMix: the images of a batch are mixed with one another, and their targets alike.

How a batch is mixed is drawn from two blocks of random words that belong to the batch's place (see
``draws``). Nothing is kept between batches: the same place always gives the same mixture.

Each image's share follows Beta(alpha, alpha), and CutMix's box lies around a uniform point, as in
torchvision's ``v2.MixUp`` and ``v2.CutMix``. Partners are the batch rolled by 1 to n - 1 rows, how
many is drawn. The papers permute the batch, so that some images meet themselves; torchvision rolls
it by one row, so that in batches of K images of each of P classes most meet their own class. In a
shuffled epoch, all three are alike.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from typing_extensions import override

from fastload.augment.draws import Draws, Words, below, symmetric_beta, uniform
from fastload.augment.mixture import (
    Mixture,
    PairedTargets,
    mixed_images,
    paired_targets,
    soft_targets,
)

__all__ = ["BatchMix", "CutMix", "MixUp", "RandomMix"]

_STREAM = 0xFFFC
_BLOCKS = 2
_TARGETS = ("soft", "pairs")

Mixed = tuple[torch.Tensor, torch.Tensor | PairedTargets]


class BatchMix(ABC):
    """A way to mix the images of a batch with one another.

    Attributes:
        num_classes: how many classes there are.
        targets: "soft" or "pairs".
    """

    num_classes: int
    targets: str

    def __call__(
        self, images: torch.Tensor, targets: torch.Tensor, *, step: int, seed: int = 0
    ) -> Mixed:
        """Mix a batch, on its device; what is given is left as it is.

        Args:
            images: uint8 or floating, shape (n, channels, height, width).
            targets: classes, integers of shape (n,); or floating, shape (n, ``num_classes``).
            step: number of the batch, from 0 on, in the whole training.
            seed: 64 bits that decide, with the step, how the batch is mixed: each rank its own.

        Returns:
            images of the same dtype, shape and memory format, and targets: floating, shape
            (n, ``num_classes``), or ``PairedTargets``.

        Raises:
            TypeError: images or targets are no tensors, or of another dtype.
            ValueError: they are of another shape, or there are more classes.

        >>> mix = MixUp(num_classes=10, alpha=0.2)
        >>> images, targets = mix(torch.rand(8, 3, 32, 32), torch.arange(8), step=17)
        >>> images.shape, targets.shape
        (torch.Size([8, 3, 32, 32]), torch.Size([8, 10]))
        """
        return self.at(images, targets, Draws(seed, 0, np.array([step], np.int64)))

    def at(self, images: torch.Tensor, targets: torch.Tensor, draws: Draws) -> Mixed:
        """As a call, with the random words of a place instead of a step.

        Args:
            images: as above.
            targets: as above.
            draws: of one position, that of the batch.
        """
        _check_images(images)
        _check_targets(targets, len(images), self.num_classes)
        rows, _, height, width = images.shape
        mixture = self.mixture(draws.words(_STREAM, _BLOCKS)[0], rows, height, width)
        mixed = mixed_images(images, mixture)
        if self.targets == "pairs":
            return mixed, paired_targets(targets, mixture)
        return mixed, soft_targets(targets, mixture, self.num_classes)

    @abstractmethod
    def mixture(self, words: Words, rows: int, height: int, width: int) -> Mixture:
        """How a batch is mixed.

        Args:
            words: uint32, shape (2, 4): four for share and partners, two for the box, one for the
                choice of ``RandomMix``.
            rows: images of the batch.
            height: of each image.
            width: of each image.
        """


@dataclass(frozen=True)
class _BetaMix(BatchMix):
    num_classes: int
    alpha: float = 1.0
    targets: str = "soft"

    def __post_init__(self) -> None:
        classes: Any = self.num_classes
        if not (isinstance(classes, int) and classes > 0):
            raise ValueError(f"num_classes is {classes!r}: say how many classes there are.")
        if not 0 < self.alpha < math.inf:
            raise ValueError(f"alpha is {self.alpha!r}: give a number above 0.")
        if self.targets not in _TARGETS:
            raise ValueError(f"targets is {self.targets!r}: choose one of {', '.join(_TARGETS)}.")

    def _share(self, words: Words) -> float:
        return float(symmetric_beta(words[0, :3], self.alpha))


@dataclass(frozen=True)
class MixUp(_BetaMix):
    """Each image is a weighted mean of itself and a partner (Zhang et al., ICLR 2018).

    Args:
        num_classes: how many classes there are.
        alpha: above 0: shares follow Beta(alpha, alpha); the smaller, the nearer to 0 or 1.
        targets: "soft" for a share of each class, "pairs" for ``PairedTargets``.

    Raises:
        ValueError: an argument is none of these.
    """

    @override
    def mixture(self, words: Words, rows: int, height: int, width: int) -> Mixture:
        return Mixture(self._share(words), _shift(words, rows))


@dataclass(frozen=True)
class CutMix(_BetaMix):
    """A box of each image is a partner's (Yun et al., ICCV 2019).

    The box has the image's ratio of sides and 1 - Beta(alpha, alpha) of its area, around a uniform
    point; what lies outside is cut off. The share is what the cut box really leaves.

    Args:
        num_classes: how many classes there are.
        alpha: above 0.
        targets: "soft" for a share of each class, "pairs" for ``PairedTargets``.

    Raises:
        ValueError: an argument is none of these.
    """

    @override
    def mixture(self, words: Words, rows: int, height: int, width: int) -> Mixture:
        half = 0.5 * math.sqrt(1 - self._share(words))
        left, right = _around(int(below(words[1, 0], width)), int(half * width), width)
        top, bottom = _around(int(below(words[1, 1], height)), int(half * height), height)
        share = 1 - (right - left) * (bottom - top) / (width * height)
        return Mixture(share, _shift(words, rows), (top, left, bottom, right))


class RandomMix(BatchMix):
    """For each batch one of several ways to mix it, or none.

    Args:
        mixes: the ways, all with the same classes and targets.
        p: how likely each is; what is missing to 1 is the share of batches that are not mixed. Left
            out, all are alike.

    Raises:
        ValueError: the ways differ, or these are no probabilities.

    >>> RandomMix([MixUp(10, alpha=0.2), CutMix(10)], p=[0.5, 0.3]).num_classes
    10
    """

    def __init__(self, mixes: Sequence[BatchMix], p: Sequence[float] | None = None) -> None:
        self.mixes = tuple(mixes)
        if len({(mix.num_classes, mix.targets) for mix in self.mixes}) != 1:
            raise ValueError(f"mixes is {mixes!r}: give some of the same classes and targets.")
        self.p = (1 / len(self.mixes),) * len(self.mixes) if p is None else tuple(p)
        if len(self.p) != len(self.mixes) or min(self.p) < 0 or sum(self.p) > 1 + 1e-9:
            raise ValueError(
                f"p is {p!r}: give a probability for each of the {len(self.mixes)} mixes, together "
                "at most 1."
            )
        self.num_classes, self.targets = self.mixes[0].num_classes, self.mixes[0].targets

    def __repr__(self) -> str:
        return f"RandomMix({list(self.mixes)!r}, p={list(self.p)!r})"

    @override
    def mixture(self, words: Words, rows: int, height: int, width: int) -> Mixture:
        drawn = float(uniform(words[1, 2], 0, 1))
        chosen = int(np.searchsorted(np.cumsum(self.p), drawn, side="right"))
        if chosen == len(self.mixes):
            return Mixture(share=1.0, shift=0)
        return self.mixes[chosen].mixture(words, rows, height, width)


def _shift(words: Words, rows: int) -> int:
    return 1 + int(below(words[0, 3], rows - 1)) if rows > 1 else 0


def _around(centre: int, half: int, side: int) -> tuple[int, int]:
    return max(centre - half, 0), min(centre + half, side)


def _check_images(images: torch.Tensor) -> None:
    if not isinstance(images, torch.Tensor):
        raise TypeError(
            f"The images are a {type(images).__name__}: give a tensor of a whole batch."
        )
    if images.dtype != torch.uint8 and not images.is_floating_point():
        raise TypeError(f"The images are {images.dtype}: give uint8 or floating ones.")
    if images.ndim != 4:
        raise ValueError(
            f"The images have shape {tuple(images.shape)}: give (n, channels, height, width)."
        )


def _check_targets(targets: torch.Tensor, rows: int, num_classes: int) -> None:
    if not isinstance(targets, torch.Tensor):
        raise TypeError(f"The targets are a {type(targets).__name__}: give a tensor.")
    soft = targets.is_floating_point()
    if targets.dtype == torch.bool or targets.is_complex():
        raise TypeError(f"The targets are {targets.dtype}: give classes as integers, or floats.")
    if tuple(targets.shape) != ((rows, num_classes) if soft else (rows,)):
        raise ValueError(
            f"The targets are {targets.dtype} of shape {tuple(targets.shape)}: of {rows} images "
            f"give ({rows},) integers, or floats of shape ({rows}, {num_classes})."
        )
    # On a GPU, to look would be to wait for it.
    if not soft and targets.device.type == "cpu" and rows:
        low, high = int(targets.min()), int(targets.max())
        if low < 0 or high >= num_classes:
            raise ValueError(
                f"The targets are classes from {low} to {high}, num_classes is {num_classes}: give "
                "the mix as many classes as there are."
            )
