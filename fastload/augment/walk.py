"""A walk over transforms: what has been lowered so far, and what an image is at that place."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from fastload.augment.erase import RandomErasing
from fastload.augment.op import Op
from fastload.augment.output import DTYPES, Container, Output, level_ramp
from fastload.augment.pipeline import Note, Pipeline

__all__ = ["Erasure", "NotLoweredError", "Transform", "Walk", "fill_of", "is_v2", "per_channel"]

Transform = Callable[[Any], Any]


class NotLoweredError(Exception):
    """Why a transform has to run as torchvision's own."""


@dataclass
class Erasure:
    """A box to erase; ``value`` (3 or 1 channels, 1, 1) follows the conversions after it."""

    op: RandomErasing
    value: torch.Tensor


class Walk:
    """The state of one walk over the transforms."""

    def __init__(self) -> None:
        self.ops: list[Op] = []
        self.erasures: list[Erasure] = []
        self.conversions: list[Transform] = []
        self.container = Container.PIL
        self.channels = 3
        self.values = level_ramp(3)
        self.size: tuple[int, int] | None = None

    def copy(self) -> Walk:
        """A walk from the same place, so that a transform given up leaves no trace."""
        other = Walk()
        other.__dict__ |= self.__dict__
        other.ops = list(self.ops)
        other.erasures = [replace(erasure) for erasure in self.erasures]
        other.conversions = list(self.conversions)
        return other

    @property
    def on_tensors(self) -> bool:
        """Whether the image is a tensor here, no PIL image any more."""
        return self.container is not Container.PIL

    def add(self, op: Op) -> None:
        """Let an operation on 8-bit pixels come next."""
        if self.erasures:
            raise NotLoweredError("it comes after RandomErasing: move it before")
        self.ops.append(op)
        self.size = op.known_size(self.size)

    def need_levels(self) -> None:
        """Refuse what mixes or recolours pixels once they are no longer 8-bit levels."""
        if self.values.dtype != torch.uint8:
            raise NotLoweredError(
                "the values are no longer 8-bit here: move it before the conversion"
            )

    def fill_levels(self, fill: Any) -> tuple[int, int, int]:
        """The levels whose output is ``fill`` (a number, or one a channel)."""
        values = per_channel(fill)
        if not self.on_tensors:
            return int(values[0]), int(values[1]), int(values[2])
        found = []
        for channel in range(3):
            row = self.values[min(channel, self.channels - 1), 0]
            hits = torch.nonzero(row == torch.tensor(values[channel]).to(row.dtype))
            if not len(hits):
                raise NotLoweredError(f"no 8-bit level becomes its fill {fill}: move it before")
            found.append(int(hits[0, 0]))
        return found[0], found[1], found[2]

    def convert(self, transform: Transform, to: Container) -> None:
        """Follow a transform that treats each value alone."""
        try:
            values = _follow(transform, self.values, self.container)
            erased = [_follow(transform, one.value, self.container) for one in self.erasures]
        except (TypeError, ValueError, RuntimeError) as error:
            raise NotLoweredError(f"torchvision refuses it here: {error}") from error
        if values.shape != self.values.shape:
            raise NotLoweredError("it changes the number of channels")
        if values.dtype not in DTYPES:
            raise NotLoweredError(f"no engine writes {values.dtype}")
        self.values = values
        for erasure, value in zip(self.erasures, erased, strict=True):
            erasure.value = value
        self.conversions.append(transform)
        self.container = to

    def pipeline(self, suffix: Sequence[Transform], notes: Sequence[Note]) -> Pipeline:
        """What has been lowered, with what has not and why."""
        table = self.values[:, 0].contiguous()
        output = Output(self.container, self.channels, table, tuple(self.conversions))
        erasing = [_finished(erasure) for erasure in self.erasures]
        return Pipeline((*self.ops, *erasing), output, tuple(suffix), tuple(notes))


def _finished(erasure: Erasure) -> RandomErasing:
    value = erasure.value.flatten().to(torch.float64).tolist()
    op = erasure.op
    red, green, blue = value if len(value) == 3 else value * 3
    return RandomErasing(op.probability, op.scale, op.ratio, (red, green, blue))


def _follow(transform: Transform, values: torch.Tensor, container: Container) -> torch.Tensor:
    from PIL import Image
    from torchvision import tv_tensors

    given: Any = values
    if container is Container.PIL:
        pixels = values.permute(1, 2, 0).numpy()
        given = Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[:, :, 0])
    elif container is Container.IMAGE:
        given = tv_tensors.Image(values)
    result: torch.Tensor = transform(given)
    if not isinstance(result, torch.Tensor):
        raise TypeError("it gives no tensor")
    return result.as_subclass(torch.Tensor).clone()


def per_channel(fill: Any) -> list[Any]:
    """The three values of a fill: one number, one a channel, or None for 0."""
    if fill is None:
        fill = 0
    if isinstance(fill, numbers.Number):
        return [fill] * 3
    if isinstance(fill, Sequence) and len(fill) in (1, 3):
        return list(fill) * (3 // len(fill))
    raise NotLoweredError(f"its fill {fill!r} is not one number or one a channel")


def fill_of(transform: Any) -> Any:
    """The fill of a transform, where it is one for all kinds of samples."""
    if isinstance(transform.fill, dict):
        raise NotLoweredError("its fill depends on the type of the sample")
    return transform.fill


def is_v2(transform: Any) -> bool:
    """Whether a transform is one of torchvision.transforms.v2."""
    return type(transform).__module__.startswith("torchvision.transforms.v2")
