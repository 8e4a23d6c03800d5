"""RandAugment, TrivialAugmentWide, AutoAugment: operations drawn for each image from a table.

Each fills a number of slots with one of torchvision's fifteen kinds of augmentation and its
magnitude, as torchvision's own ``_apply_op`` takes them, so that whoever runs the columns has one
thing to know for all of them. RandomInvert and its like are one slot of a fixed kind.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from fastload.augment.draws import Draws, below, chance
from fastload.augment.op import Columns, Op, Sizes
from fastload.augment.steps import StepBlock, StepKind
from fastload.augment.warp import (
    INTERPOLATIONS,
    Affine,
    affine_matrices,
    each,
    rotation_matrices,
    write_warps,
)

__all__ = [
    "KINDS_OF_TORCHVISION",
    "AugmentKind",
    "AutoAugment",
    "AutoAugmentation",
    "MagnitudeTable",
    "Policies",
    "RandAugment",
    "RandomAugmentation",
    "TrivialAugmentWide",
]

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Levels = tuple[int, int, int]


class AugmentKind(IntEnum):
    """What is done in a slot; the comments give the meaning of the magnitude, where it has one."""

    IDENTITY = 0
    SHEAR_X = 1  # tangent of the angle
    SHEAR_Y = 2
    TRANSLATE_X = 3  # pixels, cut to whole ones
    TRANSLATE_Y = 4
    ROTATE = 5  # degrees, counter-clockwise
    BRIGHTNESS = 6  # factor - 1, also of the three below
    COLOR = 7
    CONTRAST = 8
    SHARPNESS = 9
    POSTERIZE = 10  # bits that are kept
    SOLARIZE = 11  # lowest level that is inverted
    AUTOCONTRAST = 12
    EQUALIZE = 13
    INVERT = 14


_TORCHVISION_NAMES = {
    AugmentKind.IDENTITY: "Identity",
    AugmentKind.SHEAR_X: "ShearX",
    AugmentKind.SHEAR_Y: "ShearY",
    AugmentKind.TRANSLATE_X: "TranslateX",
    AugmentKind.TRANSLATE_Y: "TranslateY",
    AugmentKind.ROTATE: "Rotate",
    AugmentKind.BRIGHTNESS: "Brightness",
    AugmentKind.COLOR: "Color",
    AugmentKind.CONTRAST: "Contrast",
    AugmentKind.SHARPNESS: "Sharpness",
    AugmentKind.POSTERIZE: "Posterize",
    AugmentKind.SOLARIZE: "Solarize",
    AugmentKind.AUTOCONTRAST: "AutoContrast",
    AugmentKind.EQUALIZE: "Equalize",
    AugmentKind.INVERT: "Invert",
}
KINDS_OF_TORCHVISION = {name: kind for kind, name in _TORCHVISION_NAMES.items()}

_STEP_KINDS = np.array(
    [
        StepKind.NONE,
        *[StepKind.WARP] * 5,
        StepKind.BRIGHTNESS,
        StepKind.SATURATION,
        StepKind.CONTRAST,
        StepKind.SHARPNESS,
        StepKind.POSTERIZE,
        StepKind.SOLARIZE,
        StepKind.AUTOCONTRAST,
        StepKind.EQUALIZE,
        StepKind.INVERT,
    ]
)
"""The step of each kind, by its number."""


class AutoAugmentation(Op):
    """Augmentations one after another; which ones is for subclasses to draw.

    The columns of a plan are "kind" (int64, an ``AugmentKind``), "magnitude" (float64, signed),
    both of shape (n, slots), and "height" and "width" of the images (int64, shape (n,)).

    Args:
        slots: how many augmentations an image gets.
        interpolation: Pillow's number of how warps read pixels: 0, 2 or 3.
        fill_levels: levels of R, G, B for what a warp brings in from outside.
    """

    keeps_size: ClassVar[bool] = True
    random: ClassVar[bool] = True

    def __init__(self, slots: int, interpolation: int, fill_levels: Levels) -> None:
        self.slots = slots
        self.interpolation = interpolation
        self.fill_levels = fill_levels
        self.steps = slots  # type: ignore[misc]

    @property
    @abstractmethod
    def kinds(self) -> Integers:
        """The kinds that may be drawn, each perhaps several times."""

    @property
    def step_kinds(self) -> npt.NDArray[np.int64]:
        """The steps of those kinds."""
        steps: npt.NDArray[np.int64] = _STEP_KINDS[self.kinds]
        return steps

    @abstractmethod
    def draw_slots(self, draws: Draws, stream: int, sizes: Sizes) -> tuple[Integers, Floats]:
        """Kinds and magnitudes, each of shape (n, slots)."""

    @override
    def draw(self, draws: Draws, stream: int, sizes: Sizes) -> Columns:
        kinds, magnitudes = self.draw_slots(draws, stream, sizes)
        return {
            "kind": kinds,
            "magnitude": magnitudes,
            "height": sizes.heights,
            "width": sizes.widths,
        }

    @override
    def fill(self, columns: Columns, block: StepBlock) -> None:
        kinds, magnitudes = columns["kind"], columns["magnitude"]
        block.kind[:] = _STEP_KINDS[kinds]
        enhanced = (kinds >= AugmentKind.BRIGHTNESS) & (kinds <= AugmentKind.SHARPNESS)
        block.f[enhanced, 0] = 1.0 + magnitudes[enhanced]
        posterized = kinds == AugmentKind.POSTERIZE
        block.i[posterized, 0] = magnitudes[posterized].astype(np.int32)
        solarized = kinds == AugmentKind.SOLARIZE
        block.f[solarized, 0] = magnitudes[solarized]
        warped = (kinds >= AugmentKind.SHEAR_X) & (kinds <= AugmentKind.ROTATE)
        rows = np.nonzero(warped)[0]
        matrices = _matrices(
            kinds[warped], magnitudes[warped], columns["height"][rows], columns["width"][rows]
        )
        write_warps(block, warped, matrices, self.interpolation, self.fill_levels)

    @override
    def apply(self, image: Any, columns: Columns, row: int) -> Any:
        from torchvision.transforms import InterpolationMode, autoaugment

        mode = InterpolationMode(INTERPOLATIONS[self.interpolation])
        for kind, magnitude in zip(columns["kind"][row], columns["magnitude"][row], strict=True):
            name = _TORCHVISION_NAMES[AugmentKind(kind)]
            image = autoaugment._apply_op(
                image, name, float(magnitude), mode, list(self.fill_levels)
            )
        return image


def _matrices(kinds: Integers, magnitudes: Floats, heights: Integers, widths: Integers) -> Floats:
    """Pillow's matrices of warps, each of its kind: float64, shape (n, 6)."""
    matrices = np.empty((len(kinds), 6))
    rotated = kinds == AugmentKind.ROTATE
    matrices[rotated] = rotation_matrices(
        magnitudes[rotated], widths[rotated] / 2, heights[rotated] / 2
    )
    rest = ~rotated
    kinds, magnitudes = kinds[rest], magnitudes[rest]
    sheared = kinds <= AugmentKind.SHEAR_Y
    degrees = each(lambda tangent: math.degrees(math.atan(tangent)), magnitudes)
    affine = Affine(
        across=np.where(kinds == AugmentKind.TRANSLATE_X, np.trunc(magnitudes), 0.0),
        down=np.where(kinds == AugmentKind.TRANSLATE_Y, np.trunc(magnitudes), 0.0),
        shear_x=np.where(kinds == AugmentKind.SHEAR_X, degrees, 0.0),
        shear_y=np.where(kinds == AugmentKind.SHEAR_Y, degrees, 0.0),
    )
    centers = (np.where(sheared, 0.0, sides[rest] / 2) for sides in (widths, heights))
    matrices[rest] = affine_matrices(affine, *centers)
    return matrices


@dataclass(frozen=True)
class MagnitudeTable:
    """torchvision's table of the kinds to draw from and their magnitudes.

    Attributes:
        kinds: int64, shape (k,): numbers of ``AugmentKind``.
        signed: bool, shape (k,): whether the magnitude is negative half of the time.
        magnitudes: float64, shape (k, bins): 0 where a kind has none, and of translations.
        translations: float64, shape (bins,), for a side of the image in pixels.
    """

    kinds: Integers
    signed: npt.NDArray[np.bool_]
    magnitudes: Floats
    translations: Callable[[int], Floats]

    @property
    def bins(self) -> int:
        """How many magnitudes there are."""
        return int(self.magnitudes.shape[1])

    def look_up(
        self, places: Integers, bins: Integers, negative: npt.NDArray[np.bool_], sizes: Sizes
    ) -> tuple[Integers, Floats]:
        """Kinds and magnitudes.

        Args:
            places: int64, shape (n, slots): places in the table.
            bins: the same for the magnitudes' bins.
            negative: bool, shape (n, slots): the sign where there is one.
            sizes: the images' sizes.
        """
        kinds, magnitudes = self.kinds[places], self.magnitudes[places, bins]
        for kind, sides in (
            (AugmentKind.TRANSLATE_X, sizes.widths),
            (AugmentKind.TRANSLATE_Y, sizes.heights),
        ):
            rows, slots = np.nonzero(kinds == kind)
            for side in np.unique(sides[rows]):
                chosen = sides[rows] == side
                at = rows[chosen], slots[chosen]
                magnitudes[at] = self.translations(int(side))[bins[at]]
        return kinds, np.where(negative & self.signed[places], -magnitudes, magnitudes)


class RandAugment(AutoAugmentation):
    """Kinds drawn evenly, all of one strength (Cubuk et al., "RandAugment", 2020).

    Args:
        table: what to draw from.
        slots, interpolation, fill_levels: as of ``AutoAugmentation``.
        magnitude: the bin of all magnitudes.
    """

    def __init__(
        self,
        table: MagnitudeTable,
        slots: int,
        magnitude: int,
        interpolation: int,
        fill_levels: Levels,
    ) -> None:
        super().__init__(slots, interpolation, fill_levels)
        self.table = table
        self.magnitude = magnitude

    @property
    @override
    def kinds(self) -> Integers:
        return self.table.kinds

    @override
    def draw_slots(self, draws: Draws, stream: int, sizes: Sizes) -> tuple[Integers, Floats]:
        words = draws.words(stream, self.slots)
        places = below(words[..., 0], len(self.table.kinds))
        bins = np.full_like(places, self.magnitude)
        return self.table.look_up(places, bins, chance(words[..., 1], 0.5), sizes)


class TrivialAugmentWide(AutoAugmentation):
    """One kind and one strength drawn evenly (Mueller and Hutter, "TrivialAugment", 2021).

    Args:
        table: what to draw from.
        interpolation, fill_levels: as of ``AutoAugmentation``.
    """

    def __init__(self, table: MagnitudeTable, interpolation: int, fill_levels: Levels) -> None:
        super().__init__(1, interpolation, fill_levels)
        self.table = table

    @property
    @override
    def kinds(self) -> Integers:
        return self.table.kinds

    @override
    def draw_slots(self, draws: Draws, stream: int, sizes: Sizes) -> tuple[Integers, Floats]:
        words = draws.words(stream)
        places = below(words[..., 0], len(self.table.kinds))
        bins = below(words[..., 2], self.table.bins)
        return self.table.look_up(places, bins, chance(words[..., 1], 0.5), sizes)


@dataclass(frozen=True)
class Policies:
    """Pairs of augmentations of which AutoAugment draws one.

    Attributes:
        places: int64, shape (policies, 2): places in a ``MagnitudeTable``.
        probabilities: float64, the same shape.
        bins: int64, the same shape: bins of the magnitudes.
    """

    places: Integers
    probabilities: Floats
    bins: Integers


class AutoAugment(AutoAugmentation):
    """A policy drawn evenly, each half of it applied by chance (Cubuk et al., 2019).

    Args:
        table: kinds and magnitudes.
        policies: what to draw from.
        interpolation, fill_levels: as of ``AutoAugmentation``.
    """

    def __init__(
        self,
        table: MagnitudeTable,
        policies: Policies,
        interpolation: int,
        fill_levels: Levels,
    ) -> None:
        super().__init__(policies.places.shape[1], interpolation, fill_levels)
        self.table = table
        self.policies = policies

    @property
    @override
    def kinds(self) -> Integers:
        return self.table.kinds[self.policies.places.ravel()]

    @override
    def draw_slots(self, draws: Draws, stream: int, sizes: Sizes) -> tuple[Integers, Floats]:
        # Block 0 chooses the policy, one block for each of its halves follows.
        words = draws.words(stream, 1 + self.slots)
        policy = below(words[:, 0, 0], len(self.policies.places))
        halves = words[:, 1:]
        applied = halves[..., 0] < self.policies.probabilities[policy] * 2.0**32
        kinds, magnitudes = self.table.look_up(
            self.policies.places[policy],
            self.policies.bins[policy],
            chance(halves[..., 1], 0.5),
            sizes,
        )
        kinds = np.where(applied, kinds, int(AugmentKind.IDENTITY))
        return kinds, np.where(applied, magnitudes, 0.0)


class RandomAugmentation(AutoAugmentation):
    """One kind at one strength with a probability: RandomInvert and its like.

    Args:
        kind: what to do.
        magnitude: how strongly.
        probability: of doing it.
    """

    def __init__(self, kind: AugmentKind, magnitude: float, probability: float) -> None:
        super().__init__(1, 0, (0, 0, 0))
        self.kind = kind
        self.magnitude = magnitude
        self.probability = probability

    @property
    @override
    def kinds(self) -> Integers:
        return np.array([self.kind])

    @override
    def draw_slots(self, draws: Draws, stream: int, sizes: Sizes) -> tuple[Integers, Floats]:
        del sizes
        applied = chance(draws.words(stream)[:, 0, :1], self.probability)
        kinds = np.where(applied, int(self.kind), int(AugmentKind.IDENTITY))
        return kinds, np.where(applied, self.magnitude, 0.0)
