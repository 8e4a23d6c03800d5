"""Models by name."""

from __future__ import annotations

import torch

from train_ref.config import Config
from train_ref.errors import TrainError
from train_ref.models.classifier import Built, Classifier, InputConfig
from train_ref.models.clip_models import build_clip
from train_ref.models.small import SMALL, build_small
from train_ref.models.timm_models import build_timm
from train_ref.models.torchvision_models import build_torchvision

__all__ = ["Built", "Classifier", "InputConfig", "build"]


def build(config: Config, classes: tuple[str, ...]) -> Built:
    """Build the model that the settings name, for these classes.

    The same seed gives the same weights, and torch's generator is left as it was.

    Args:
        config: `model`, `weights`, `pretrained`, `image_size`, `dropout`, `seed`, and for CLIP
            `clip_mode` and `prompts`.
        classes: names, in the order of the labels.

    Returns:
        The model, on the CPU, with what is to be known of it.

    Raises:
        TrainError: there is no such model, or the file of weights does not fit it.

    Example:
        >>> built = build(Config(model="tiny"), ("crack", "dent"))
        >>> built.model(torch.zeros(1, 3, built.input.size, built.input.size)).shape
        torch.Size([1, 2])
        >>> built.origin
        'tiny from scratch: there are no weights to download.'
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        if config.model in SMALL:
            return build_small(config.model, config, classes)
        library, colon, name = config.model.partition(":")
        if not colon:
            return build_torchvision(library, config, classes)
        if library == "timm":
            return build_timm(name, config, classes)
        if library == "clip":
            return build_clip(name, config, classes)
        raise TrainError(
            f"--model {config.model}: there is no library {library!r}; "
            "timm:NAME and clip:NAME are known, and torchvision's models by their name alone."
        )
