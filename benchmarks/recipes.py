"""The transforms that the suites name, as torchvision writes them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torchvision import transforms as T
from torchvision.io import ImageReadMode, decode_image
from torchvision.transforms import v2

from benchmarks.job import RECIPES, SIDE, TRAIN_UINT8, WHOLE_UINT8
from fastload.presets import preset


def torchvision_transform(recipe: str) -> T.Compose:
    """The recipe as a ``Compose`` from PIL image to a (3, 224, 224) tensor."""
    if recipe == WHOLE_UINT8:
        return T.Compose([T.Resize((SIDE, SIDE)), T.PILToTensor()])
    [name] = [name for name, words in RECIPES.items() if words == recipe]
    return preset(name)


def only_train_uint8(recipe: str, peer: str) -> None:
    """Refuse a recipe that is not written down for a peer.

    Raises:
        ValueError: it is not the one of training with uint8 batches.

    """
    if recipe != TRAIN_UINT8:
        raise ValueError(f"the adapter has no pipeline of {peer} for {recipe!r}")


def tensor_transform(recipe: str) -> v2.Compose:
    """The recipe from a decoded (3, H, W) uint8 tensor on; v2 resizes that without floats."""
    only_train_uint8(recipe, "torchvision's tensors")
    return v2.Compose([v2.RandomResizedCrop(SIDE), v2.RandomHorizontalFlip()])


@dataclass(frozen=True)
class FromBytes:
    """A whole image file in memory to what the recipe makes of it, by torchvision's decoder.

    For peers that leave decoding to the caller: torchvision's takes less time than Pillow.
    """

    recipe: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "_transform", tensor_transform(self.recipe))

    def __call__(self, data: bytes) -> Tensor:
        """Decode, crop, flip: a (3, 224, 224) uint8 tensor."""
        # A copy, since torch wants memory that can be written to.
        file = torch.frombuffer(bytearray(data), dtype=torch.uint8)
        return self._transform(decode_image(file, ImageReadMode.RGB))
