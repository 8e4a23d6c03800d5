"""Each lowered operation as part of a DALI graph, and what it is fed for a batch.

A part has inputs, one array with a row an image for each batch, and all that distinguishes one
graph from another in ``key``. Sizes are inputs: another resolution is the same graph.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from nvidia.dali import fn, types

from fastload.augment.auto_augment import (
    AutoAugment,
    AutoAugmentation,
    RandAugment,
    RandomAugmentation,
    TrivialAugmentWide,
)
from fastload.augment.blur import GaussianBlur
from fastload.augment.colour import ColorJitter, Grayscale, RandomGrayscale
from fastload.augment.crop import CenterCrop, RandomCrop
from fastload.augment.erase import RandomErasing
from fastload.augment.flip import HorizontalFlip, VerticalFlip
from fastload.augment.op import Columns, Op, Sizes
from fastload.augment.pad import Pad
from fastload.augment.resize import FILTERS, Resize
from fastload.augment.resized_crop import RandomResizedCrop
from fastload.augment.sometimes import Sometimes
from fastload.augment.steps import StepKind, empty_steps
from fastload.engines.dali import colour, levels

__all__ = ["Inputs", "Part", "part_of", "unsupported"]

Inputs = dict[str, npt.NDArray[Any]]
Nodes = Mapping[str, Any]

_FILTERS = {
    FILTERS["nearest"]: types.INTERP_NN,
    FILTERS["lanczos"]: types.INTERP_LANCZOS3,
    FILTERS["bilinear"]: types.INTERP_LINEAR,
    FILTERS["bicubic"]: types.INTERP_CUBIC,
}
"""Pillow's filters that DALI has too. It has no box and no Hamming filter."""

_OUTSIDE = {
    "constant": "pad",
    "edge": "edge",
    "reflect": "reflect_101",
    "symmetric": "reflect_1001",
}
"""torchvision's padding modes in DALI's words."""

_BLACK = (0, 0, 0)
_BRIGHTNESS, _CONTRAST, _SATURATION, _HUE = range(4)


@dataclass(frozen=True)
class Part:
    """One operation in a graph.

    Attributes:
        key: what distinguishes its graph from others.
        inputs: names of its inputs.
        apply: makes the images' node from that before it and the inputs' nodes.
        feed: the inputs of a batch from its columns; brings the images' sizes up to date.
    """

    key: tuple[Any, ...]
    inputs: tuple[str, ...]
    apply: Callable[[Any, Nodes], Any]
    feed: Callable[[Columns, Sizes], Inputs]


def unsupported(op: Op) -> str | None:
    """Why DALI cannot do an operation, or None where it can."""
    if isinstance(op, (Resize, RandomResizedCrop)) and op.pillow_filter not in _FILTERS:
        return "DALI has no box and no Hamming filter"
    if isinstance(op, AutoAugmentation):
        return _unsupported_warp(op)
    if isinstance(op, Sometimes):
        return next((reason for reason in map(unsupported, op.ops) if reason), None)
    if type(op) not in _PARTS:
        return f"{type(op).__name__} has no counterpart in DALI"
    return None


def _unsupported_warp(op: AutoAugmentation) -> str | None:
    if StepKind.WARP not in _kinds_of(op):
        return None
    if op.interpolation not in _WARPS:
        return "DALI has no bicubic warp"
    if len(set(op.fill_levels)) > 1:
        return "DALI fills all channels of a warp with one level"
    return None


def part_of(op: Op) -> Part:
    """An operation's part in a graph; ``unsupported`` must be None for it."""
    return _PARTS[type(op)](op)


def _pairs(first: Any, second: Any, dtype: Any = np.int32) -> npt.NDArray[Any]:
    return np.stack([first, second], axis=1).astype(dtype)


def _sliced(images: Any, nodes: Nodes, mode: str, fill: tuple[int, ...]) -> Any:
    beyond = {"fill_values": list(fill)} if mode == "constant" else {}
    return fn.slice(
        images,
        nodes["start"],
        nodes["shape"],
        axes=[0, 1],
        out_of_bounds_policy=_OUTSIDE[mode],
        **beyond,
    )


def _resized(images: Any, nodes: Nodes, pillow_filter: int) -> Any:
    return fn.resize(
        images,
        size=nodes["size"],
        interp_type=_FILTERS[pillow_filter],
        antialias=pillow_filter != FILTERS["nearest"],
    )


def _resize(op: Resize) -> Part:
    def feed(columns: Columns, sizes: Sizes) -> Inputs:
        sizes.heights, sizes.widths = columns["height"], columns["width"]
        return {"size": _pairs(columns["height"], columns["width"], np.float32)}

    def apply(images: Any, nodes: Nodes) -> Any:
        return _resized(images, nodes, op.pillow_filter)

    return Part(("resize", op.pillow_filter), ("size",), apply, feed)


def _resized_crop(op: RandomResizedCrop) -> Part:
    def feed(columns: Columns, sizes: Sizes) -> Inputs:
        fed = _crop_inputs(columns)
        sizes.set(*op.size)
        return {**fed, "size": _pairs(sizes.heights, sizes.widths, np.float32)}

    def apply(images: Any, nodes: Nodes) -> Any:
        cropped = _sliced(images, nodes, "constant", _BLACK) if "start" in nodes else images
        return _resized(cropped, nodes, op.pillow_filter)

    inputs = ("start", "shape", "size")
    return Part(("resized crop", op.pillow_filter), inputs, apply, feed)


def _crop_inputs(columns: Columns) -> Inputs:
    return {
        "start": _pairs(columns["top"], columns["left"]),
        "shape": _pairs(columns["height"], columns["width"]),
    }


def _centre_crop(op: CenterCrop) -> Part:
    def feed(columns: Columns, sizes: Sizes) -> Inputs:
        sizes.set(*op.size)
        return _crop_inputs(columns)

    def apply(images: Any, nodes: Nodes) -> Any:
        return _sliced(images, nodes, "constant", _BLACK)

    return Part(("crop", "constant", _BLACK), ("start", "shape"), apply, feed)


def _borders(borders: npt.NDArray[np.int64], sizes: Sizes) -> Inputs:
    left, top, right, bottom = np.broadcast_to(borders, (len(sizes), 4)).T
    sizes.heights = sizes.heights + top + bottom
    sizes.widths = sizes.widths + left + right
    return {"start": _pairs(-top, -left), "shape": _pairs(sizes.heights, sizes.widths)}


def _pad(op: Pad) -> Part:
    def apply(images: Any, nodes: Nodes) -> Any:
        return _sliced(images, nodes, op.mode, op.fill_levels)

    def feed(columns: Columns, sizes: Sizes) -> Inputs:
        del columns
        return _borders(op.borders, sizes)

    return Part(("crop", op.mode, op.fill_levels), ("start", "shape"), apply, feed)


def _random_crop(op: RandomCrop) -> Part:
    # A second padding mirrors what the first one made: only then are they two.
    twice = op.pad_if_needed and not op.one_padding and op.mode != "constant"

    def feed(columns: Columns, sizes: Sizes) -> Inputs:
        lack = columns.get("lack", np.zeros(4, np.int64))
        first = {}
        if twice:
            padded = _borders(op.borders, sizes)
            first = {"padded_start": padded["start"], "padded_shape": padded["shape"]}
        borders = np.broadcast_to(lack if twice else op.borders + lack, (len(sizes), 4))
        fed = _crop_inputs(columns)
        fed["start"] -= _pairs(borders[:, 1], borders[:, 0])
        sizes.set(*op.size)
        return {**first, **fed}

    def apply(images: Any, nodes: Nodes) -> Any:
        if twice:
            padding = {"start": nodes["padded_start"], "shape": nodes["padded_shape"]}
            images = _sliced(images, padding, op.mode, op.fill_levels)
        return _sliced(images, nodes, op.mode, op.fill_levels)

    first = ("padded_start", "padded_shape") if twice else ()
    key = ("crop", op.mode, op.fill_levels, twice)
    return Part(key, (*first, "start", "shape"), apply, feed)


def _flip(op: HorizontalFlip | VerticalFlip) -> Part:
    direction = "horizontal" if isinstance(op, HorizontalFlip) else "vertical"

    def feed(columns: Columns, sizes: Sizes) -> Inputs:
        del sizes
        return {"flip": columns["flip"].astype(np.int32)}

    def apply(images: Any, nodes: Nodes) -> Any:
        return fn.flip(images, **{"horizontal": 0, direction: nodes["flip"]})

    return Part(("flip", direction), ("flip",), apply, feed)


def _if(images: Any, condition: Any, change: Callable[[Any], Any]) -> Any:
    """The images for which a condition holds changed, the others as they are."""
    # DALI makes a branch of the graph of a statement, not of an expression.
    if condition:  # noqa: SIM108
        changed = change(images)
    else:
        changed = images
    return changed


def _colour_jitter(op: ColorJitter) -> Part:
    present = tuple(place for place, bounds in enumerate(op.ranges) if bounds is not None)
    places = range(len(present))

    def feed(columns: Columns, sizes: Sizes) -> Inputs:
        order, factors = columns["order"], columns["factor"].copy()
        # torchvision adds the shift to 8 bits of hue, cut towards zero.
        factors[:, _HUE] = np.trunc(factors[:, _HUE] * 255)
        chosen = order[np.isin(order, present)].reshape(len(sizes), len(present))
        taken = np.take_along_axis(factors, chosen, axis=1).astype(np.float32)
        return {f"kind{k}": chosen[:, k].astype(np.int32) for k in places} | {
            f"factor{k}": taken[:, k].copy() for k in places
        }

    def apply(images: Any, nodes: Nodes) -> Any:
        for k in places:
            kind, factor = nodes[f"kind{k}"], nodes[f"factor{k}"]
            for adjustment in present:
                images = _adjusted(images, kind == adjustment, adjustment, factor)
        return images

    inputs = (*(f"kind{k}" for k in places), *(f"factor{k}" for k in places))
    return Part(("colour jitter", present), inputs, apply, feed)


_ADJUSTMENTS = {
    _BRIGHTNESS: colour.brightness,
    _CONTRAST: colour.contrast,
    _SATURATION: colour.saturation,
    _HUE: colour.hue,
}


def _adjusted(images: Any, condition: Any, adjustment: int, factor: Any) -> Any:
    return _if(images, condition, lambda chosen: _ADJUSTMENTS[adjustment](chosen, factor))


def _no_inputs(columns: Columns, sizes: Sizes) -> Inputs:
    del columns, sizes
    return {}


def _grayscale(op: Grayscale) -> Part:
    del op
    return Part(("grey",), (), lambda images, nodes: colour.grey(images), _no_inputs)


def _random_grayscale(op: RandomGrayscale) -> Part:
    del op

    def feed(columns: Columns, sizes: Sizes) -> Inputs:
        del sizes
        return {"grey": columns["grey"]}

    def apply(images: Any, nodes: Nodes) -> Any:
        return _if(images, nodes["grey"], colour.grey)

    return Part(("random grey",), ("grey",), apply, feed)


def _sometimes(op: Sometimes) -> Part:
    inner = tuple(map(part_of, op.ops))

    def feed(columns: Columns, sizes: Sizes) -> Inputs:
        fed = {"apply": columns["apply"]}
        for place, part in enumerate(inner):
            own = part.feed(op._inner(columns, place), sizes)
            fed |= {f"{place}_{name}": own[name] for name in part.inputs}
        return fed

    def changed(images: Any, nodes: Nodes) -> Any:
        for place, part in enumerate(inner):
            images = part.apply(images, {n: nodes[f"{place}_{n}"] for n in part.inputs})
        return images

    def apply(images: Any, nodes: Nodes) -> Any:
        return _if(images, nodes["apply"], lambda chosen: changed(chosen, nodes))

    inputs = [f"{place}_{name}" for place, part in enumerate(inner) for name in part.inputs]
    key = ("sometimes", tuple(part.key for part in inner))
    return Part(key, ("apply", *inputs), apply, feed)


def _erasing(op: RandomErasing) -> Part:
    def feed(columns: Columns, sizes: Sizes) -> Inputs:
        del sizes
        erased = columns["erase"]
        return {
            "anchor": _pairs(columns["top"] * erased, columns["left"] * erased, np.float32),
            "box": _pairs(columns["height"] * erased, columns["width"] * erased, np.float32),
        }

    def apply(images: Any, nodes: Nodes) -> Any:
        return fn.erase(
            images,
            anchor=nodes["anchor"],
            shape=nodes["box"],
            axis_names="HW",
            fill_value=list(op.value),
        )

    return Part(("erase", op.value), ("anchor", "box"), apply, feed)


_WARPS = {0: types.INTERP_NN, 2: types.INTERP_LINEAR}
"""Pillow's numbers of how warps read pixels, and DALI's."""


def _kinds_of(op: AutoAugmentation) -> tuple[int, ...]:
    """The steps that may be drawn."""
    return tuple(int(kind) for kind in np.unique(op.step_kinds) if kind != StepKind.NONE)


def _auto_augmentation(op: AutoAugmentation) -> Part:
    kinds = _kinds_of(op)
    slots = range(op.slots)

    def feed(columns: Columns, sizes: Sizes) -> Inputs:
        _, block = empty_steps(len(sizes), op.slots)
        op.fill(columns, block)
        numbers = block.f.copy()
        posterized = block.kind == StepKind.POSTERIZE
        numbers[posterized, 0] = 2.0 ** (8 - block.i[posterized, 0])
        fed: Inputs = {"inner": _pairs(sizes.heights - 2, sizes.widths - 2, np.float32).clip(0)}
        for slot in slots:
            fed[f"kind{slot}"] = block.kind[:, slot].copy()
            fed[f"numbers{slot}"] = numbers[:, slot].copy()
        return fed

    def apply(images: Any, nodes: Nodes) -> Any:
        inner = nodes.get("inner")
        for slot in slots:
            chosen, numbers = nodes[f"kind{slot}"], nodes.get(f"numbers{slot}")
            for kind in kinds:
                images = _augmented(images, chosen == kind, kind, numbers, inner, op)
        return images

    # DALI drops inputs that nothing reads, and refuses to be fed with them.
    numbered = () if set(kinds) <= set(_OF_LEVELS) else ("numbers",)
    per_slot = (f"{name}{slot}" for slot in slots for name in ("kind", *numbered))
    inputs = (*(("inner",) if StepKind.SHARPNESS in kinds else ()), *per_slot)
    key = ("augmentations", kinds, op.slots, op.interpolation, op.fill_levels)
    return Part(key, inputs, apply, feed)


def _augmented(
    images: Any, condition: Any, kind: int, numbers: Any, inner: Any, op: AutoAugmentation
) -> Any:
    return _if(images, condition, lambda chosen: _augment(chosen, kind, numbers, inner, op))


def _augment(images: Any, kind: int, numbers: Any, inner: Any, op: AutoAugmentation) -> Any:
    if kind == StepKind.WARP:
        # The cast says of which type they are where no image of a batch is warped.
        matrices = fn.reshape(fn.cast(numbers, dtype=types.FLOAT), shape=[2, 3])
        return fn.warp_affine(
            images,
            matrices,
            fill_value=float(op.fill_levels[0]),
            interp_type=_WARPS[op.interpolation],
        )
    if kind == StepKind.SHARPNESS:
        return levels.sharpness(images, numbers[0], inner)
    if kind in _OF_LEVELS:
        return _OF_LEVELS[kind](images)
    return _BY_A_NUMBER[kind](images, numbers[0])


_OF_LEVELS: dict[int, Callable[[Any], Any]] = {
    StepKind.AUTOCONTRAST: levels.autocontrast,
    StepKind.EQUALIZE: levels.equalize,
    StepKind.INVERT: levels.invert,
}
_BY_A_NUMBER: dict[int, Callable[[Any, Any], Any]] = {
    StepKind.BRIGHTNESS: colour.brightness,
    StepKind.SATURATION: colour.saturation,
    StepKind.CONTRAST: colour.contrast,
    StepKind.POSTERIZE: levels.posterize,
    StepKind.SOLARIZE: levels.solarize,
}


def _blur(op: GaussianBlur) -> Part:
    width, height = op.kernel

    def feed(columns: Columns, sizes: Sizes) -> Inputs:
        del sizes
        return {"sigma": columns["sigma"].astype(np.float32)}

    def apply(images: Any, nodes: Nodes) -> Any:
        return fn.gaussian_blur(images, sigma=nodes["sigma"], window_size=[height, width])

    return Part(("blur", op.kernel), ("sigma",), apply, feed)


_PARTS: dict[type[Op], Callable[[Any], Part]] = {
    Resize: _resize,
    RandomResizedCrop: _resized_crop,
    CenterCrop: _centre_crop,
    RandomCrop: _random_crop,
    Pad: _pad,
    HorizontalFlip: _flip,
    VerticalFlip: _flip,
    ColorJitter: _colour_jitter,
    Grayscale: _grayscale,
    RandomGrayscale: _random_grayscale,
    Sometimes: _sometimes,
    RandomErasing: _erasing,
    RandAugment: _auto_augmentation,
    TrivialAugmentWide: _auto_augmentation,
    AutoAugment: _auto_augmentation,
    RandomAugmentation: _auto_augmentation,
    GaussianBlur: _blur,
}
