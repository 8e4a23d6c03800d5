"""Lowering of the automatic augmentations, of their single parts, and of blurring.

What is drawn with which probability and strength is read from the transform itself: torchvision
keeps its tables in methods of v1's classes and in attributes of v2's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from fastload.augment.auto_augment import (
    INTERPOLATIONS,
    KINDS_OF_TORCHVISION,
    AugmentKind,
    AutoAugment,
    MagnitudeTable,
    Policies,
    RandAugment,
    RandomAugmentation,
    TrivialAugmentWide,
)
from fastload.augment.blur import GaussianBlur
from fastload.augment.walk import NotLoweredError, Walk, fill_of, is_v2, per_channel

__all__ = ["AUGMENTATIONS"]

Floats = npt.NDArray[np.float64]

# AutoAugment's policies name magnitudes by ten bins.
_POLICY_BINS = 10


def _space(transform: Any, bins: int, side: int) -> dict[str, tuple[Floats | None, bool]]:
    """What to draw from: magnitudes and signedness of each operation, by torchvision's name."""
    if is_v2(transform):
        drawn = transform._AUGMENTATION_SPACE.items()
        space = {name: (strengths(bins, side, side), signed) for name, (strengths, signed) in drawn}
    else:
        size = () if type(transform).__name__ == "TrivialAugmentWide" else ((side, side),)
        space = transform._augmentation_space(bins, *size)
    return {
        name: (None if found is None or not found.ndim else found.double().numpy(), signed)
        for name, (found, signed) in space.items()
    }


def _table(transform: Any, bins: int) -> MagnitudeTable:
    space = _space(transform, bins, 1)
    kinds = [KINDS_OF_TORCHVISION[name] for name in space]
    magnitudes = np.array(
        [np.zeros(bins) if found is None else found for found, _ in space.values()]
    )
    if is_v2(transform):
        # v2 counts levels from 0 to 1, and multiplies by 255 in double precision.
        magnitudes[kinds.index(AugmentKind.SOLARIZE)] *= 255.0

    @lru_cache(maxsize=4096)
    def translations(side: int) -> Floats:
        found, _ = _space(transform, bins, side)["TranslateX"]
        assert found is not None
        return found

    signed = np.array([signed for _, signed in space.values()])
    return MagnitudeTable(np.array(kinds, np.int64), signed, magnitudes, translations)


def _refuse_impossible_bits(table: MagnitudeTable, bins: Any) -> None:
    bits = table.magnitudes[table.kinds == AugmentKind.POSTERIZE][:, bins]
    if (bits < 1).any() or (bits > 8).any():
        raise NotLoweredError("torchvision refuses to posterize with this number of bins")


def _warp_interpolation(transform: Any, walk: Walk) -> int:
    """Pillow's number of how warps read pixels."""
    walk.need_levels()
    if walk.on_tensors:
        raise NotLoweredError(
            "torchvision takes other pixels at the edges of tensors: move it before the conversion"
        )
    mode = transform.interpolation
    if isinstance(mode, int):
        if mode in INTERPOLATIONS.values():
            return mode
    else:
        name = getattr(mode, "value", mode)
        name = "nearest" if name == "nearest-exact" else name
        if name in INTERPOLATIONS:
            return INTERPOLATIONS[name]
    raise NotLoweredError(f"Pillow warps by {', '.join(INTERPOLATIONS)} alone, not by {mode}")


def _warp_fill(transform: Any, walk: Walk) -> tuple[int, int, int]:
    fill = fill_of(transform)
    values = per_channel(fill)
    if walk.channels == 1 and len(set(values)) > 1:
        raise NotLoweredError("torchvision refuses a fill of three values on grey")
    red, green, blue = (min(max(int(value), 0), 255) for value in values)
    return red, green, blue


def _rand_augment(transform: Any, walk: Walk) -> None:
    interpolation, fill = _warp_interpolation(transform, walk), _warp_fill(transform, walk)
    bins, magnitude = int(transform.num_magnitude_bins), int(transform.magnitude)
    if not -bins <= magnitude < bins:
        raise NotLoweredError(f"its magnitude {magnitude} is none of its {bins} bins")
    table = _table(transform, bins)
    _refuse_impossible_bits(table, magnitude)
    if transform.num_ops > 0:
        walk.add(RandAugment(table, int(transform.num_ops), magnitude, interpolation, fill))


def _trivial_augment_wide(transform: Any, walk: Walk) -> None:
    interpolation, fill = _warp_interpolation(transform, walk), _warp_fill(transform, walk)
    table = _table(transform, int(transform.num_magnitude_bins))
    _refuse_impossible_bits(table, slice(None))
    walk.add(TrivialAugmentWide(table, interpolation, fill))


def _auto_augment(transform: Any, walk: Walk) -> None:
    interpolation, fill = _warp_interpolation(transform, walk), _warp_fill(transform, walk)
    table = _table(transform, _POLICY_BINS)
    place_of = {int(kind): place for place, kind in enumerate(table.kinds)}
    given = transform._policies if is_v2(transform) else transform.policies
    policies = Policies(
        np.array([[place_of[KINDS_OF_TORCHVISION[name]] for name, _, _ in one] for one in given]),
        np.array([[probability for _, probability, _ in one] for one in given], np.float64),
        np.array([[bin_ or 0 for _, _, bin_ in one] for one in given]),
    )
    walk.add(AutoAugment(table, policies, interpolation, fill))


def _add(walk: Walk, transform: Any, kind: AugmentKind, magnitude: float = 0.0) -> None:
    walk.need_levels()
    walk.add(RandomAugmentation(kind, magnitude, float(transform.p)))


def _random_posterize(transform: Any, walk: Walk) -> None:
    if transform.bits not in range(1, 9):
        raise NotLoweredError("torchvision refuses this number of bits: keep 1 to 8")
    _add(walk, transform, AugmentKind.POSTERIZE, float(transform.bits))


def _random_solarize(transform: Any, walk: Walk) -> None:
    if walk.on_tensors and transform.threshold > 255:
        raise NotLoweredError("torchvision refuses a threshold above 255 on tensors")
    _add(walk, transform, AugmentKind.SOLARIZE, float(transform.threshold))


def _random_adjust_sharpness(transform: Any, walk: Walk) -> None:
    if walk.on_tensors and transform.sharpness_factor < 0:
        raise NotLoweredError("torchvision refuses a negative factor on tensors")
    _add(walk, transform, AugmentKind.SHARPNESS, float(transform.sharpness_factor) - 1.0)


def _random(kind: AugmentKind) -> Callable[[Any, Walk], None]:
    """Lowering of what takes a probability alone."""

    def lowered(transform: Any, walk: Walk) -> None:
        _add(walk, transform, kind)

    return lowered


def _gaussian_blur(transform: Any, walk: Walk) -> None:
    walk.need_levels()
    width, height = (int(side) for side in transform.kernel_size)
    low, high = (float(bound) for bound in transform.sigma)
    walk.add(GaussianBlur((width, height), (low, high)))


AUGMENTATIONS: dict[str, Callable[[Any, Walk], None]] = {
    "RandAugment": _rand_augment,
    "TrivialAugmentWide": _trivial_augment_wide,
    "AutoAugment": _auto_augment,
    "RandomPosterize": _random_posterize,
    "RandomSolarize": _random_solarize,
    "RandomInvert": _random(AugmentKind.INVERT),
    "RandomAutocontrast": _random(AugmentKind.AUTOCONTRAST),
    "RandomEqualize": _random(AugmentKind.EQUALIZE),
    "RandomAdjustSharpness": _random_adjust_sharpness,
    "GaussianBlur": _gaussian_blur,
}
"""The classes of torchvision, v1 and v2, that are lowered here."""
