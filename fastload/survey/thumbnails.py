"""Small JPEGs of samples, made by the engine that loads them for training."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
import torch

from fastload.augment import Container, Draws, Output, Pipeline
from fastload.augment.output import level_ramp
from fastload.augment.resize import FILTERS, Resize
from fastload.batcher import Batcher, Flight
from fastload.errors import FastloadError
from fastload.native.library import jpeg_encode
from fastload.view import view_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from fastload.dataset import ImageFolder

__all__ = ["Thumbnails"]

# Few enough that what waits to be encoded stays small, enough for all threads.
_AT_ONCE = 64
_AHEAD = 2
_QUALITY = 70


class Thumbnails:
    """Makes thumbnails of a data set's samples; safe to be asked by several threads.

    Args:
        dataset: the samples.
        threads: that decode.

    Attributes:
        damaged: what could not be decoded so far: the reason by the sample's number.
    """

    def __init__(self, dataset: ImageFolder, threads: int) -> None:
        view = view_of(dataset)
        assert view is not None
        self._view = view
        # Nobody looks for the last grey level in a thumbnail.
        self._batcher = Batcher("native", threads, "fast", torch.device("cpu"), _AHEAD)
        self._lock = threading.Lock()
        self._closed = False
        self.damaged: dict[int, FastloadError] = {}

    def of(self, samples: NDArray[np.int64], side: int) -> dict[int, bytes]:
        """JPEG files by sample; those that cannot be decoded are left out and noted.

        Once closed, none: a browser goes on asking while the server ends.

        Args:
            samples: int64, shape (n,).
            side: the longer side in pixels; smaller images are not made larger.
        """
        index = self._view.parts[0].pack.index
        records = self._view.locate(samples).records
        longer = np.maximum(index.width[records], index.height[records]).astype(np.int64)
        shorter = np.minimum(index.width[records], index.height[records])
        # A bookmark of some pixels' width would vanish: it stays as it is.
        smaller = (longer > side) & (shorter * side >= longer)
        made: dict[int, bytes] = {}
        with self._lock:
            if self._closed:
                return made
            for wanted, chosen in ((side, smaller), (None, ~smaller)):
                for sample, jpeg in self._made(samples[chosen], wanted):
                    made[sample] = jpeg
        return made

    def _made(self, samples: NDArray[np.int64], side: int | None) -> Iterator[tuple[int, bytes]]:
        chunks = [samples[at : at + _AT_ONCE] for at in range(0, len(samples), _AT_ONCE)]
        under_way: list[tuple[NDArray[np.int64], Flight | None]] = []
        for chunk in chunks:
            under_way.append((chunk, self._launched(chunk, side)))
            if len(under_way) > _AHEAD:
                yield from self._landed(*under_way.pop(0), side)
        for chunk, flight in under_way:
            yield from self._landed(chunk, flight, side)

    def _launched(self, samples: NDArray[np.int64], side: int | None) -> Flight | None:
        """None where a shard is missing, or not what it should be."""
        try:
            return self._batcher.launch(
                self._view, [_pipeline(side)], samples, Draws(0, 0, samples)
            )
        except FastloadError as error:
            if len(samples) == 1:
                self.damaged[int(samples[0])] = error
            return None

    def _landed(
        self, samples: NDArray[np.int64], flight: Flight | None, side: int | None
    ) -> Iterator[tuple[int, bytes]]:
        if flight is None:
            # One bad shard does not take the others' images along.
            for one in np.split(samples, len(samples)) if len(samples) > 1 else []:
                yield from self._landed(one, self._launched(one, side), side)
            return
        failures = flight.land(0.0)
        self.damaged |= {int(samples[row]): error for row, error in failures.items()}
        flight.drop(failures)
        sound = [int(sample) for row, sample in enumerate(samples) if row not in failures]
        for sample, (image, _) in zip(sound, flight.samples(), strict=True):
            yield sample, jpeg_encode(np.asarray(image), _QUALITY)

    def close(self) -> None:
        """Stop the threads, once whoever is asking has been answered."""
        with self._lock:
            self._closed = True
            self._batcher.close()


def _pipeline(side: int | None) -> Pipeline:
    """An image as it is, or made so small that its longer side has so many pixels."""
    output = Output(Container.PIL, 3, level_ramp(3)[:, 0].contiguous(), ())
    ops = () if side is None else (Resize(None, side, FILTERS["bilinear"]),)
    return Pipeline(ops, output, (), ())
