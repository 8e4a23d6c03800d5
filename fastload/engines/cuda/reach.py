"""Which operations of a pipeline the kernels do, and which the pool does before them."""

from __future__ import annotations

from collections.abc import Iterator

from fastload.augment import Pipeline
from fastload.augment.colour import ColorJitter, Grayscale, RandomGrayscale
from fastload.augment.crop import CenterCrop, RandomCrop
from fastload.augment.erase import RandomErasing
from fastload.augment.flip import HorizontalFlip, VerticalFlip
from fastload.augment.op import Op
from fastload.augment.resize import Resize
from fastload.augment.resized_crop import RandomResizedCrop
from fastload.augment.sometimes import Sometimes

__all__ = ["explain_reach"]

_ANYWHERE = (HorizontalFlip, VerticalFlip, RandomErasing)
_COLOURS = (ColorJitter, Grayscale, RandomGrayscale)
_RESIZES = (Resize, RandomResizedCrop)
_CROPS = (CenterCrop, RandomCrop)


def explain_reach(pipeline: Pipeline) -> tuple[str, ...]:
    """A line where an operation keeps an image's pixels from being made on the GPU."""
    resized = coloured = False
    for op in _flat(pipeline.ops):
        if isinstance(op, _ANYWHERE):
            continue
        if isinstance(op, _COLOURS):
            coloured = True
            continue
        known = _reads_inside(op) or (isinstance(op, _RESIZES) and not resized)
        resized |= isinstance(op, _RESIZES)
        if not known or coloured:
            return (f"  {type(op).__name__} here: the CPU makes the pixels, the GPU the output",)
    return ()


def _reads_inside(op: Op) -> bool:
    """Whether it is a crop that adds nothing around the image."""
    padded = isinstance(op, RandomCrop) and bool(op.borders.any())
    return isinstance(op, _CROPS) and not padded


def _flat(ops: tuple[Op, ...]) -> Iterator[Op]:
    for op in ops:
        if isinstance(op, Sometimes):
            yield from _flat(op.ops)
        else:
            yield op
