"""torchvision's classification models, by torchvision's names."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import torch
import torchvision
from torch import nn

from train_ref.config import Config
from train_ref.errors import TrainError
from train_ref.models.assembly import assemble, sized
from train_ref.models.classifier import Built, InputConfig
from train_ref.models.download import Download
from train_ref.models.small import SMALL
from train_ref.models.weights import State, current_names

__all__ = ["build_torchvision"]

UNFIT = {
    "googlenet": "it has auxiliary heads",
    "inception_v3": "it has auxiliary heads",
    "squeezenet1_0": "it has no linear head",
    "squeezenet1_1": "it has no linear head",
}
"""Models that are no body with a linear head."""


def build_torchvision(name: str, config: Config, classes: tuple[str, ...]) -> Built:
    """Build a model of torchvision, with the images that its newest weights want.

    Raises:
        TrainError: torchvision has no such model, it cannot take the image size, or its weights
            do not fit.
    """
    known = torchvision.models.list_models(module=torchvision.models)
    if name not in known:
        near = difflib.get_close_matches(name, [*known, *SMALL], n=3)
        meant = f" Is it {' or '.join(near)}?" if near else ""
        raise TrainError(
            f"--model {name}: torchvision has no such model.{meant} "
            "Others are timm:NAME and clip:NAME."
        )
    if name in UNFIT:
        raise TrainError(f"--model {name}: {UNFIT[name]}; take another.")
    weights = torchvision.models.get_model_weights(name).DEFAULT
    wanted = sized(_input_of(weights.transforms()), config)
    net = _network(name, wanted.size)
    return assemble(net, _last_linear(net), wanted, config, classes, _download(name, weights))


def _network(name: str, size: int) -> nn.Module:
    # A vision transformer has a position for each patch; a convolution does not mind.
    settings: dict[str, Any] = {"image_size": size} if name.startswith("vit_") else {}
    if name == "maxvit_t":
        settings = {"input_size": (size, size)}
    try:
        net: nn.Module = torchvision.models.get_model(name, weights=None, **settings)
    except (ValueError, RuntimeError, AssertionError) as error:
        raise TrainError(f"--image-size {size} is none that {name} can take: {error}") from error
    return net


def _input_of(transforms: Any) -> InputConfig:
    """What a preset of torchvision says of its images."""
    crop = transforms.crop_size[0]
    return InputConfig(
        crop,
        tuple(transforms.mean),
        tuple(transforms.std),
        transforms.interpolation.value,
        crop / transforms.resize_size[0],
    )


def _last_linear(net: nn.Module) -> str:
    """Name of the layer that makes logits: torchvision has it last in each of these models."""
    linear: list[str] = [name for name, one in net.named_modules() if isinstance(one, nn.Linear)]
    return linear[-1]


def _download(name: str, weights: Any) -> Download:
    file = Path(torch.hub.get_dir()) / "checkpoints" / Path(urlsplit(weights.url).path).name

    def state() -> State:
        return current_names(
            weights.get_state_dict(progress=True, check_hash=True, weights_only=True)
        )

    return Download(f"torchvision's {weights}", weights.url, file.is_file(), state)
