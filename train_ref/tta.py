"""Test-time augmentation: several views of an image, all made of one decoded canvas.

The loader decodes each image once, to a square canvas of uint8. Views are cut out of the batch
where it is, on the GPU where there is one, so that ten views cost no more decoding than one.

Views are boxes times symmetries: "flip" and "dihedral" say in which ways the picture is mirrored
and turned, "multi-crop" and "multi-scale" which parts of it are looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as F

from train_ref.errors import TrainError
from train_ref.models.classifier import InputConfig
from train_ref.transforms import evaluation

__all__ = ["TTA", "View", "Views", "make_views"]

TTA = ("flip", "dihedral", "multi-crop", "multi-scale")
"""What `--tta` takes, several of them joined by commas."""

_INNER_SHARE = 0.875  # side of a crop in the canvas's: 224 of 256, as ever since AlexNet
_NEAR_SHARE = 0.75  # of the nearest of the scales


@dataclass(frozen=True)
class View:
    """One way to look at a canvas: a box of it, mirrored or not, then turned.

    Attributes:
        top, left, side: of the box, in pixels of the canvas.
        mirrored: left to right.
        turns: by 90 degrees, counter-clockwise.
    """

    top: int
    left: int
    side: int
    mirrored: bool = False
    turns: int = 0

    def of(self, canvases: torch.Tensor, size: int, interpolation: str) -> torch.Tensor:
        """Look at a batch.

        Args:
            canvases: uint8, shape (n, 3, canvas, canvas).
            size: of the view, in pixels; a box of another side is resized to it.
            interpolation: how.

        Returns:
            uint8, shape (n, 3, size, size), on the batch's device.
        """
        rows = slice(self.top, self.top + self.side)
        columns = slice(self.left, self.left + self.side)
        seen = canvases[..., rows, columns]
        if self.side != size:
            seen = F.resize(seen, [size, size], InterpolationMode(interpolation), antialias=True)
        if self.mirrored:
            seen = seen.flip(-1)
        return torch.rot90(seen, self.turns, (-2, -1)) if self.turns else seen


@dataclass(frozen=True)
class Views:
    """All views of an image, and the canvas that they are cut out of.

    Attributes:
        canvas: what the loader makes of each image; its `size` is the canvas's side.
        size: of the views, in pixels.
        views: the views.
    """

    canvas: InputConfig
    size: int
    views: tuple[View, ...]

    def __len__(self) -> int:
        """How many views an image has."""
        return len(self.views)

    def __call__(self, canvases: torch.Tensor) -> Iterator[torch.Tensor]:
        """Yield one view after the other of a batch: uint8, (n, 3, canvas, canvas) -> size."""
        for view in self.views:
            yield view.of(canvases, self.size, self.canvas.interpolation)


def make_views(names: Sequence[str], wanted: InputConfig) -> Views:
    """Choose the views of images for a model.

    =========== =====================================================================
    flip        as it is, and mirrored left to right
    dihedral    the eight symmetries of a square; flip is among them
    multi-crop  the corners and the centre
    multi-scale the centre from three distances: all of the canvas, 7/8 and 3/4 of it
    =========== =====================================================================

    Without any, or with symmetries alone, the canvas is what the model's own evaluation looks at.
    With multi-crop or multi-scale it is the largest square in the middle of the resized image.
    Crops are the model's own size where that leaves corners to look at, 7/8 of the canvas
    and enlarged otherwise. Boxes of both are all taken, each with every symmetry.

    Args:
        names: of `TTA`; none for the plain view.
        wanted: the images that the model wants.

    Raises:
        TrainError: a name that is none of them.

    Example:
        >>> views = make_views(["flip", "multi-crop"], InputConfig(size=224, crop_share=0.875))
        >>> len(views), views.canvas.size
        (10, 256)
    """
    unknown = [name for name in names if name not in TTA]
    if unknown:
        raise TrainError(f"--tta {unknown[0]!r} is none of {', '.join(TTA)}.")
    size = wanted.size
    if "multi-crop" in names or "multi-scale" in names:
        # To which the model's own images are resized.
        side = evaluation(wanted).transforms[0].size[0]
        canvas, boxes = replace(wanted, size=side, crop_share=1.0), _boxes(names, side, size)
    else:
        canvas, boxes = wanted, [(0, 0, size)]
    views = [
        View(top, left, side, mirrored, turns)
        for top, left, side in boxes
        for mirrored, turns in _symmetries(names)
    ]
    return Views(canvas, size, tuple(views))


def _boxes(names: Sequence[str], canvas: int, size: int) -> list[tuple[int, int, int]]:
    inner = min(size, round(_INNER_SHARE * canvas))
    end = canvas - inner
    boxes = [_centre(canvas, inner)]
    if "multi-crop" in names:
        boxes += [(top, left, inner) for top in (0, end) for left in (0, end)]
    if "multi-scale" in names:
        boxes += [_centre(canvas, side) for side in (canvas, round(_NEAR_SHARE * canvas))]
    return list(dict.fromkeys(boxes))  # a model's own crop may be one of the scales


def _centre(canvas: int, side: int) -> tuple[int, int, int]:
    # Rounded as torchvision's CenterCrop does.
    start = round((canvas - side) / 2)
    return start, start, side


def _symmetries(names: Sequence[str]) -> list[tuple[bool, int]]:
    if "dihedral" in names:
        return [(mirrored, turns) for mirrored in (False, True) for turns in range(4)]
    return [(False, 0), (True, 0)] if "flip" in names else [(False, 0)]
