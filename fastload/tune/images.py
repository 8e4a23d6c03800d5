"""Which images the trials load: some of the dataset, again and again, in random order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from torch.utils.data import Sampler

__all__ = ["Endless", "read_files", "sampled"]

_MOST = 2048
# So many different batches at least, however large they are.
_BATCHES = 4
_SEED = 0


def sampled(count: int, batch_size: int) -> npt.NDArray[np.int64]:
    """Some of ``count`` images, drawn evenly, ascending: int64, shape (n,).

    >>> sampled(3, 128), len(sampled(10**6, 128)), len(sampled(10**6, 1024))
    (array([0, 1, 2]), 2048, 4096)
    """
    most = max(_MOST, _BATCHES * batch_size)
    if count <= most:
        return np.arange(count, dtype=np.int64)
    drawn = np.random.default_rng(_SEED).choice(count, most, replace=False, shuffle=False)
    return np.sort(drawn).astype(np.int64)


class Endless(Sampler[int]):
    """Each of some images once, in random order, then all of them again, without end.

    Args:
        images: numbers in the dataset.
    """

    def __init__(self, images: npt.NDArray[np.int64]) -> None:
        self._images = images
        self._draw = np.random.default_rng(_SEED)

    def __iter__(self) -> Iterator[int]:
        while True:
            yield from self._draw.permutation(self._images).tolist()


def read_files(dataset: Any, images: npt.NDArray[np.int64]) -> bool:
    """Let the system have the images' files in memory, so that all trials find them there.

    Returns:
        Whether the dataset told which files these are, as torchvision's folders do.
    """
    files = getattr(dataset, "samples", None)
    if not isinstance(files, list) or len(files) != len(dataset):
        return False
    for image in images.tolist():
        file = files[image][0]
        if not isinstance(file, str) or not Path(file).is_file():
            return False
        Path(file).read_bytes()
    return True
