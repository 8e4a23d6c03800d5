"""Lowering: a torchvision transform becomes operations that an engine can run from a plan.

The transforms of a Compose are taken in order for as long as they are known. Three things are
collected on the way: operations on 8-bit pixels (geometry, colour), the conversion to the output's
values (see ``output``), and boxes to erase at the end. Geometry that moves pixels without mixing
them may come after the conversion too, since it makes no difference there. The first transform
that cannot be taken ends the walk: it and all that follow run as torchvision's own, per sample.

Images are taken as 8-bit RGB, as ImageFolder gives them. Where a v2 transform works on 8-bit
tensors, the engine computes what the same transform gives on the PIL image (torchvision's two
results differ by rounding).
"""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from fastload.augment.colour import ColorJitter, Grayscale, RandomGrayscale
from fastload.augment.crop import CenterCrop, RandomCrop
from fastload.augment.erase import RandomErasing
from fastload.augment.flip import HorizontalFlip, VerticalFlip
from fastload.augment.lowering_augmentations import AUGMENTATIONS
from fastload.augment.output import Container, level_ramp
from fastload.augment.pad import Pad
from fastload.augment.pipeline import Note, Pipeline
from fastload.augment.resize import FILTERS, Resize
from fastload.augment.resized_crop import RandomResizedCrop
from fastload.augment.sometimes import Sometimes
from fastload.augment.walk import Erasure, NotLoweredError, Transform, Walk, fill_of, is_v2

__all__ = ["lower"]


def _pair(size: Any) -> tuple[int, int]:
    if isinstance(size, numbers.Integral):
        return int(size), int(size)
    height, width = (size[0], size[0]) if len(size) == 1 else size
    return int(height), int(width)


def _borders(padding: Any) -> tuple[int, int, int, int]:
    sides = [padding] if isinstance(padding, numbers.Integral) else list(padding)
    left, top, right, bottom = {1: sides * 4, 2: sides * 2, 4: sides}[len(sides)]
    if min(left, top, right, bottom) < 0:
        raise NotLoweredError("it pads by less than nothing")
    return int(left), int(top), int(right), int(bottom)


def _filter(transform: Any, walk: Walk) -> int:
    """Pillow's number of the filter, where the engine gives torchvision's result."""
    mode = transform.interpolation
    if isinstance(mode, int):
        name = {number: name for name, number in FILTERS.items()}[mode]
    else:
        name = getattr(mode, "value", mode)
    if walk.on_tensors:
        if name not in ("bilinear", "bicubic", "nearest-exact"):
            raise NotLoweredError(f"{name!r} is another filter on tensors: move it before")
        if name != "nearest-exact" and transform.antialias is not True:
            raise NotLoweredError("it does not antialias on tensors: pass antialias=True")
    return FILTERS[name]


def _resize(transform: Any, walk: Walk) -> None:
    walk.need_levels()
    size = transform.size
    sides = None if size is None else (size,) if isinstance(size, int) else tuple(size)
    longest = transform.max_size
    if longest is not None and sides is not None and (len(sides) != 1 or longest <= sides[0]):
        raise NotLoweredError("torchvision refuses this max_size")
    walk.add(Resize(sides, longest, _filter(transform, walk)))


def _center_crop(transform: Any, walk: Walk) -> None:
    size = _pair(transform.size)
    fits = walk.size is not None and walk.size[0] >= size[0] and walk.size[1] >= size[1]
    if not fits and walk.on_tensors and walk.fill_levels(0) != (0, 0, 0):
        raise NotLoweredError("it may pad with values that no 8-bit level becomes: move it before")
    walk.add(CenterCrop(size))


def _random_crop(transform: Any, walk: Walk) -> None:
    v2 = is_v2(transform)
    padding = transform.padding
    if v2 and padding is not None:
        left, right, top, bottom = padding
        borders = _borders([left, top, right, bottom])
    else:
        borders = _borders(padding if padding is not None else 0)
    pads = any(borders) or transform.pad_if_needed
    levels = (
        walk.fill_levels(fill_of(transform))
        if pads and transform.padding_mode == "constant"
        else (0, 0, 0)
    )
    walk.add(
        RandomCrop(
            _pair(transform.size),
            borders,
            bool(transform.pad_if_needed),
            levels,
            transform.padding_mode,
            one_padding=v2,
        )
    )


def _pad(transform: Any, walk: Walk) -> None:
    constant = transform.padding_mode == "constant"
    levels = walk.fill_levels(fill_of(transform)) if constant else (0, 0, 0)
    walk.add(Pad(_borders(transform.padding), transform.padding_mode, levels))


def _random_resized_crop(transform: Any, walk: Walk) -> None:
    walk.need_levels()
    scale, ratio = tuple(transform.scale), tuple(transform.ratio)
    if scale[0] > scale[1] or ratio[0] > ratio[1]:
        raise NotLoweredError("its scale or ratio is not (min, max)")
    walk.add(RandomResizedCrop(_pair(transform.size), scale, ratio, _filter(transform, walk)))


def _horizontal_flip(transform: Any, walk: Walk) -> None:
    walk.add(HorizontalFlip(float(transform.p)))


def _vertical_flip(transform: Any, walk: Walk) -> None:
    walk.add(VerticalFlip(float(transform.p)))


def _color_jitter(transform: Any, walk: Walk) -> None:
    walk.need_levels()
    names = ("brightness", "contrast", "saturation", "hue")
    brightness, contrast, saturation, hue = (getattr(transform, name) for name in names)
    walk.add(ColorJitter((brightness, contrast, saturation, hue)))


def _random_grayscale(transform: Any, walk: Walk) -> None:
    walk.need_levels()
    if walk.channels == 3:
        walk.add(RandomGrayscale(float(transform.p)))


def _grayscale(transform: Any, walk: Walk) -> None:
    walk.need_levels()
    if transform.num_output_channels not in (1, 3):
        raise NotLoweredError("torchvision refuses this number of channels")
    walk.add(Grayscale())
    walk.channels = transform.num_output_channels
    walk.values = level_ramp(walk.channels)


def _random_apply(transform: Any, walk: Walk) -> None:
    before = len(walk.ops)
    conversions = len(walk.conversions)
    channels = walk.channels
    for inner in _flatten(nn.ModuleList(transform.transforms)):
        _take(inner, walk)
    added = walk.ops[before:]
    whole = len(walk.conversions) == conversions and walk.channels == channels
    if not whole or not all(op.keeps_size for op in added):
        raise NotLoweredError("it changes sizes or types now and then")
    del walk.ops[before:]
    walk.ops.append(Sometimes(tuple(added), float(transform.p)))


def _random_erasing(transform: Any, walk: Walk) -> None:
    if not walk.on_tensors:
        raise NotLoweredError("torchvision erases tensors only: move it after ToTensor")
    value = transform.value
    if value is None or value == "random":
        raise NotLoweredError("it fills with noise")
    scale, ratio = tuple(transform.scale), tuple(transform.ratio)
    if scale[0] > scale[1] or ratio[0] > ratio[1]:
        raise NotLoweredError("its scale or ratio is not (min, max)")
    given = [value] if isinstance(value, (int, float)) else list(value)
    if len(given) not in (1, walk.channels):
        raise NotLoweredError("torchvision refuses this number of values")
    values = given * (walk.channels // len(given))
    colour = torch.tensor([float(one) for one in values]).to(walk.values.dtype)
    op = RandomErasing(float(transform.p), scale, ratio, (0.0, 0.0, 0.0))
    walk.erasures.append(Erasure(op, colour[:, None, None]))


def _to_plain_tensor(transform: Any, walk: Walk) -> None:
    # torchvision v2 lets what already is a tensor pass through ToTensor and PILToTensor.
    if walk.on_tensors and is_v2(transform):
        return
    walk.convert(transform, Container.TENSOR)


def _to_image(transform: Any, walk: Walk) -> None:
    walk.convert(transform, Container.IMAGE)


def _to_pure_tensor(transform: Any, walk: Walk) -> None:
    if walk.on_tensors:
        walk.convert(transform, Container.TENSOR)


def _of_values(transform: Any, walk: Walk) -> None:
    if not walk.on_tensors:
        raise NotLoweredError("it needs a tensor: move it after ToTensor or ToImage")
    walk.convert(transform, walk.container)


def _to_dtype(transform: Any, walk: Walk) -> None:
    if walk.on_tensors:
        walk.convert(transform, walk.container)


def _nothing(transform: Any, walk: Walk) -> None:
    del transform, walk


def _rgb(transform: Any, walk: Walk) -> None:
    del transform
    if walk.channels != 3:
        raise NotLoweredError("the image has one channel here")


def _known_transforms() -> dict[type, Callable[[Any, Walk], None]]:
    """The classes of torchvision and how each is lowered; subclasses of them are not known."""
    from torchvision import transforms as v1
    from torchvision.transforms import v2

    both: dict[str, Callable[[Any, Walk], None]] = {
        "Resize": _resize,
        "CenterCrop": _center_crop,
        "RandomCrop": _random_crop,
        "RandomResizedCrop": _random_resized_crop,
        "RandomHorizontalFlip": _horizontal_flip,
        "RandomVerticalFlip": _vertical_flip,
        "Pad": _pad,
        "ColorJitter": _color_jitter,
        "RandomGrayscale": _random_grayscale,
        "Grayscale": _grayscale,
        "RandomApply": _random_apply,
        "RandomErasing": _random_erasing,
        "ToTensor": _to_plain_tensor,
        "PILToTensor": _to_plain_tensor,
        "ConvertImageDtype": _of_values,
        "Normalize": _of_values,
        **AUGMENTATIONS,
    }
    only_v2: dict[str, Callable[[Any, Walk], None]] = {
        "ToImage": _to_image,
        "ToPureTensor": _to_pure_tensor,
        "ToDtype": _to_dtype,
        "Identity": _nothing,
        "RGB": _rgb,
    }
    known: dict[type, Callable[[Any, Walk], None]] = {nn.Identity: _nothing}
    for name, lowered in both.items():
        known[getattr(v1, name)] = lowered
    for name, lowered in (both | only_v2).items():
        if hasattr(v2, name):
            known[getattr(v2, name)] = lowered
    return known


def _take(transform: Transform, walk: Walk) -> None:
    lowered = _known_transforms().get(type(transform))
    if lowered is None:
        raise NotLoweredError("fastload does not know it")
    lowered(transform, walk)


def _flatten(transform: Any) -> Iterable[Transform]:
    from torchvision.transforms import transforms as v1
    from torchvision.transforms import v2

    if transform is None:
        return
    if type(transform) in (v1.Compose, v2.Compose):
        for inner in transform.transforms:
            yield from _flatten(inner)
    elif type(transform) in (nn.Sequential, nn.ModuleList):
        for inner in transform:
            yield from _flatten(inner)
    else:
        yield transform


def lower(transform: Any) -> Pipeline:
    """Lower a transform as ImageFolder takes it.

    Args:
        transform: a torchvision v1 or v2 transform, a Compose or ``nn.Sequential`` of them (nested
            too), any other callable, or None.

    Returns:
        what engines run, what runs after them per sample, and why.

    >>> from torchvision import transforms
    >>> pipeline = lower(transforms.Compose([transforms.CenterCrop(8), transforms.ToTensor()]))
    >>> [type(op).__name__ for op in pipeline.ops], pipeline.output.dtype, pipeline.suffix
    (['CenterCrop'], torch.float32, ())
    """
    walk = Walk()
    notes: list[Note] = []
    transforms = list(_flatten(transform))
    for place, one in enumerate(transforms):
        ahead = walk.copy()
        try:
            _take(one, ahead)
        except NotLoweredError as reason:
            suffix = transforms[place:]
            notes.append(Note(one, str(reason)))
            notes += [Note(later, "it comes after one that is not lowered") for later in suffix[1:]]
            return walk.pipeline(suffix, notes)
        walk = ahead
        notes.append(Note(one, None))
    return walk.pipeline((), notes)
