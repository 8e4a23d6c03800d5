"""Training batches, epoch by epoch: of images as the loader makes them, or of kept features.

Both are a function of seed, epoch and position alone and go on anywhere in an epoch.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
import torch

import fastload
from fastload.augment import BatchMix
from train_ref.config import Config
from train_ref.data import balance_of, share_of_batch
from train_ref.distributed import Place
from train_ref.errors import TrainError
from train_ref.models.classifier import InputConfig
from train_ref.transforms import normaliser

__all__ = ["Batches", "FeatureBatches", "ImageBatches", "resolutions"]

Batch = tuple[torch.Tensor, torch.Tensor]


class Batches(Protocol):
    """What a training loop takes.

    Attributes:
        steps: batches of an epoch, on each process.
        resolution: of the images in this epoch; None for features.
    """

    steps: int
    resolution: int | None

    def begin(self, epoch: int) -> Iterator[Batch]:
        """Return the batches of an epoch; of one that a loaded state is in, the rest of them."""

    def model_input(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return what the model is given of a batch, or of a part of it."""

    def state_dict(self) -> dict[str, Any]:
        """Return where they stand, as plain values."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on at the next batch."""


class ImageBatches:
    """Batches of a loader: uint8 images, mixed in all epochs but the last ones, of growing size.

    Args:
        loader: of training batches, on the device.
        config: `mix_off`, `progressive` and `epochs`.
        wanted: the model's images.
        mix: MixUp or CutMix.
        device: of the batches.
    """

    def __init__(
        self,
        loader: fastload.DataLoader,
        config: Config,
        wanted: InputConfig,
        mix: BatchMix | None,
        device: torch.device,
    ) -> None:
        self._loader = loader
        self._mix = mix
        self._mixed_epochs = config.epochs - config.mix_off
        self._sizes = resolutions(config)
        self._own_size = wanted.size
        self.model_input = normaliser(wanted, device)
        self.steps = len(loader)
        self.resolution: int | None = wanted.size

    def begin(self, epoch: int) -> Iterator[Batch]:
        """See :class:`Batches`."""
        self._loader.mix = self._mix if epoch < self._mixed_epochs else None
        self.resolution = self._size(epoch)
        try:
            if self._sizes:
                self._loader.set_resolution(self.resolution)
            self._loader.set_epoch(epoch)
            batches: Iterator[Batch] = iter(self._loader)
        except (fastload.FastloadError, ValueError) as error:
            raise TrainError(str(error)) from error
        return batches

    def _size(self, epoch: int) -> int:
        reached = [size for first, size in self._sizes if first <= epoch]
        return reached[-1] if reached else self._own_size

    def state_dict(self) -> dict[str, Any]:
        """See :class:`Batches`."""
        return self._loader.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """See :class:`Batches`.

        Raises:
            TrainError: the pack or what is done to its images is another now.
        """
        try:
            self._loader.load_state_dict(state)
        except fastload.FastloadError as error:
            raise TrainError(f"The run cannot go on: {error}") from error


class FeatureBatches:
    """Batches of features that were computed once, drawn as the loader draws images.

    Args:
        features: float32, shape (n, width), of all training images.
        labels: int64, shape (n,).
        classes: names.
        config: batch size over all processes, balance and seed.
        place: this process, whose share of each batch it serves.

    Attributes:
        draws: of each class in the first epoch: float64, shape (classes,).

    Raises:
        TrainError: the batch cannot be cut into shares.
    """

    resolution: int | None = None

    def __init__(
        self,
        features: torch.Tensor,
        labels: torch.Tensor,
        classes: tuple[str, ...],
        config: Config,
        place: Place,
    ) -> None:
        self._features = features.to(place.device)
        self._labels = labels.to(place.device)
        self._place = place
        self._batch = config.batch_size
        self._share = share_of_batch(config, place.ranks)
        self._sampler = fastload.BalancedSampler(
            labels.cpu().numpy(),
            balance_of(config),
            max_repeats=config.max_repeats,
            seed=config.seed,
            classes=list(classes),
        )
        self.steps = max(1, len(self._sampler) // self._batch)
        self.draws = self._sampler.draws(0).astype(np.float64)
        self._epoch, self._done = 0, 0

    def begin(self, epoch: int) -> Iterator[Batch]:
        """See :class:`Batches`."""
        if epoch != self._epoch:
            self._epoch, self._done = epoch, 0
        order = self._sampler.order(epoch)
        if len(order) < self._batch:
            # One batch of all, and as many on each process.
            whole = -(-len(order) // self._place.ranks) * self._place.ranks
            order = np.resize(order, whole)
        mine = torch.from_numpy(order[self._place.rank :: self._place.ranks]).to(self._place.device)
        while self._done < self.steps:
            rows = mine[self._done * self._share : (self._done + 1) * self._share]
            self._done += 1
            yield self._features[rows], self._labels[rows]

    def model_input(self, inputs: torch.Tensor) -> torch.Tensor:
        """See :class:`Batches`."""
        return inputs

    def state_dict(self) -> dict[str, Any]:
        """See :class:`Batches`."""
        return {"epoch": self._epoch, "done": self._done}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """See :class:`Batches`."""
        self._epoch, self._done = state["epoch"], state["done"]


def resolutions(config: Config) -> list[tuple[int, int]]:
    """Read `progressive`.

    Returns:
        (first epoch, side in pixels) of each size, epochs ascending.

    Raises:
        TrainError: it is none.

    Example:
        >>> resolutions(Config(progressive=("0:128", "20:192")))
        [(0, 128), (20, 192)]
    """
    try:
        pairs = [
            (int(epoch), int(size)) for epoch, size in (p.split(":") for p in config.progressive)
        ]
    except ValueError:
        pairs = [(0, 0)]
    rising = all(one[0] < next_one[0] for one, next_one in pairwise(pairs))
    if not rising or any(epoch < 0 or size < 1 for epoch, size in pairs):
        raise TrainError(
            f"--progressive is {','.join(config.progressive)}; it is FIRST_EPOCH:SIZE, several of "
            "them with commas and epochs ascending, such as 0:128,20:192."
        )
    return pairs
