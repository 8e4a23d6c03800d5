"""Where the images of one batch are written."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from fastload.augment import Container, Output
from fastload.engines.slots import Slots

__all__ = ["Canvas"]

Rows = npt.NDArray[np.int64]


class Canvas:
    """The images of a batch in memory: one tensor where they have one size, else one each.

    The memory is taken when it is first asked for: an engine that has made the images elsewhere
    hands those over instead, see :meth:`adopt`.

    Args:
        output: kind, channels and dtype of the images.
        heights: int64, shape (n,), in pixels.
        widths: int64, shape (n,), in pixels.
        slots: where main memory comes from.
        device: where the images are to lie.
        pinned: take page-locked main memory from torch instead, for copies to a GPU.
        channels_last: let the channels of a pixel lie beside each other.
    """

    def __init__(
        self,
        output: Output,
        heights: Rows,
        widths: Rows,
        slots: Slots,
        *,
        device: torch.device,
        pinned: bool = False,
        channels_last: bool = False,
    ) -> None:
        self.output = output
        self.heights = heights
        self.widths = widths
        self.device = device
        self.channels_last = channels_last or output.container is Container.PIL
        self._slots = slots
        self._pinned = pinned
        self._addresses = np.empty(0, np.uint64)
        self._images: torch.Tensor | list[torch.Tensor] | None = None
        # Threads of an engine may be the first to ask.
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.heights)

    @property
    def addresses(self) -> npt.NDArray[np.uint64]:
        """Where each image begins: uint64, shape (n,). None may have been adopted or replaced."""
        self._taken()
        return self._addresses

    @property
    def batch(self) -> torch.Tensor | None:
        """All images where they have one size, else None.

        Shape (n, channels, height, width), or (n, height, width, channels) for PIL images.
        """
        images = self._taken()
        return images if isinstance(images, torch.Tensor) else None

    @property
    def images(self) -> list[torch.Tensor]:
        """One tensor an image, all views of the batch's memory."""
        return list(self._taken())

    def adopt(self, rows: Rows, images: torch.Tensor) -> None:
        """Take images as an engine has made them.

        Without a copy, where they are all there are.

        Args:
            rows: int64, shape (k,): which images of the canvas they are.
            images: their pixels, in the shape of ``batch`` and with its dtype.
        """
        if len(rows) == len(self) and bool((rows == np.arange(len(self))).all()):
            self._images = images
            return
        for row, image in zip(rows, images, strict=True):
            self.image(int(row)).copy_(image)

    def image(self, row: int) -> torch.Tensor:
        """The image of one row."""
        return self._taken()[row]

    def replace(self, row: int, image: torch.Tensor) -> None:
        """Put an image of another size in a row; there is no batch tensor from then on."""
        images = self.images
        images[row] = image
        self._images = images

    def _taken(self) -> torch.Tensor | list[torch.Tensor]:
        with self._lock:
            if self._images is None:
                self._images = self._take()
            return self._images

    def _take(self) -> torch.Tensor | list[torch.Tensor]:
        heights, widths, channels = self.heights, self.widths, self.output.channels
        sizes = heights * widths * channels
        ends = np.cumsum(sizes)
        starts = ends - sizes
        memory = self._memory(int(ends[-1]) if len(ends) else 0)
        self._addresses = (starts * memory.itemsize).astype(np.uint64) + np.uint64(
            memory.data_ptr()
        )
        if len(self) and bool((heights == heights[0]).all() & (widths == widths[0]).all()):
            return self._shaped(memory, int(heights[0]), int(widths[0]))
        return [
            self._shaped(memory[start:end], int(height), int(width))[0]
            for start, end, height, width in zip(starts, ends, heights, widths, strict=True)
        ]

    def _shaped(self, memory: torch.Tensor, height: int, width: int) -> torch.Tensor:
        channels = self.output.channels
        if not self.channels_last:
            return memory.view(-1, channels, height, width)
        images = memory.view(-1, height, width, channels)
        return images if self.output.container is Container.PIL else images.permute(0, 3, 1, 2)

    # A batch made ahead may leave the inference mode it was begun in, and be trained on.
    @torch.inference_mode(False)
    def _memory(self, size: int) -> torch.Tensor:
        dtype = self.output.dtype
        if self._pinned or self.device.type != "cpu":
            return torch.empty(size, dtype=dtype, device=self.device, pin_memory=self._pinned)
        lent: npt.NDArray[Any] = self._slots.take(size * dtype.itemsize)
        # torch keeps this very array alive, and with it the loan of the slot.
        return torch.from_numpy(lent).view(dtype)
