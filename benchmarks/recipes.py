"""The transforms that the suites name, as torchvision writes them."""

from __future__ import annotations

from torchvision import transforms as T

from benchmarks.job import EVAL_UINT8, SIDE, TRAIN_FLOAT32, TRAIN_UINT8, WHOLE_UINT8

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def torchvision_transform(recipe: str) -> T.Compose:
    """The recipe as a ``Compose`` from PIL image to a (3, 224, 224) tensor."""
    train = [T.RandomResizedCrop(SIDE), T.RandomHorizontalFlip()]
    steps = {
        TRAIN_UINT8: [*train, T.PILToTensor()],
        TRAIN_FLOAT32: [*train, T.ToTensor(), T.Normalize(MEAN, STD)],
        WHOLE_UINT8: [T.Resize((SIDE, SIDE)), T.PILToTensor()],
        EVAL_UINT8: [T.Resize(256), T.CenterCrop(SIDE), T.PILToTensor()],
    }
    return T.Compose(steps[recipe])
