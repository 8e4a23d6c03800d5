"""Where the images of one batch are written."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from fastload.augment import Container, Output
from fastload.engines.slots import Slots

__all__ = ["Canvas", "make_canvas"]

_NUMPY_TYPES = {
    torch.uint8: np.dtype(np.uint8),
    torch.float16: np.dtype(np.float16),
    # NumPy has no bfloat16: the bits travel as integers.
    torch.bfloat16: np.dtype(np.int16),
    torch.float32: np.dtype(np.float32),
}


class Canvas:
    """The images of a batch in memory: one tensor where they have one size, else one each.

    Attributes:
        addresses: uint64, shape (n,): where each image begins.
        batch: shape (n, channels, height, width), or (n, height, width, channels) for PIL images;
            None where the sizes differ.
    """

    def __init__(
        self, images: torch.Tensor | list[torch.Tensor], addresses: npt.NDArray[np.uint64]
    ) -> None:
        self._images = images
        self.addresses = addresses

    def __len__(self) -> int:
        return len(self.addresses)

    @property
    def batch(self) -> torch.Tensor | None:
        """The tensor of all images, see above."""
        return self._images if isinstance(self._images, torch.Tensor) else None

    def replace(self, row: int, image: torch.Tensor) -> None:
        """Put an image of another size in a row; there is no batch tensor from then on."""
        images = list(self.images)
        images[row] = image
        self._images = self.images = images

    @cached_property
    def images(self) -> list[torch.Tensor]:
        """One tensor an image, all views of the batch's memory."""
        return list(self._images)


def make_canvas(
    output: Output,
    heights: npt.NDArray[np.int64],
    widths: npt.NDArray[np.int64],
    slots: Slots,
    pinned: bool,
) -> Canvas:
    """Memory for images of the given sizes.

    Args:
        output: kind, channels and dtype of the images.
        heights: int64, shape (n,), in pixels.
        widths: int64, shape (n,), in pixels.
        slots: where memory comes from.
        pinned: take page-locked memory from torch instead, for copies to a GPU.
    """
    count = len(heights)
    item = output.dtype.itemsize
    lengths = heights * widths * (output.channels * item)
    uniform = count > 0 and bool((lengths == lengths[0]).all() & (heights == heights[0]).all())
    if uniform:
        shape = (count, *_shape(output, int(heights[0]), int(widths[0])))
        batch = _tensor(int(lengths[0]) * count, output.dtype, slots, pinned).view(shape)
        starts = np.arange(count, dtype=np.uint64) * np.uint64(lengths[0])
        return Canvas(batch, starts + np.uint64(batch.data_ptr()))
    ends = np.cumsum(lengths)
    starts = ends - lengths
    memory = _tensor(int(ends[-1]) if count else 0, output.dtype, slots, pinned)
    images = [
        memory[int(start) // item : int(end) // item].view(_shape(output, int(height), int(width)))
        for start, end, height, width in zip(starts, ends, heights, widths, strict=True)
    ]
    return Canvas(images, starts.astype(np.uint64) + np.uint64(memory.data_ptr()))


def _shape(output: Output, height: int, width: int) -> tuple[int, int, int]:
    if output.container is Container.PIL:
        return height, width, output.channels
    return output.channels, height, width


# A batch made ahead may leave the inference mode it was begun in, and be trained on.
@torch.inference_mode(False)
def _tensor(size: int, dtype: torch.dtype, slots: Slots, pinned: bool) -> torch.Tensor:
    if pinned:
        return torch.empty(size // dtype.itemsize, dtype=dtype, pin_memory=True)
    lent: npt.NDArray[Any] = slots.take(size)
    # torch keeps this very array alive, and with it the loan of the slot.
    return torch.from_numpy(lent).view(dtype)
