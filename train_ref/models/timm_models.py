"""timm's models, by timm's names."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable
from typing import Any

from torch import nn

from train_ref.config import Config
from train_ref.errors import TrainError
from train_ref.models.assembly import assemble, sized
from train_ref.models.classifier import Built, InputConfig
from train_ref.models.download import Download, cached_on_hub, hub_url
from train_ref.models.weights import State

__all__ = ["build_timm"]


def build_timm(name: str, config: Config, classes: tuple[str, ...]) -> Built:
    """Build a model of timm, with the images that its default weights want.

    Args:
        name: as in `timm.list_models()`, with or without the tag of the weights.
        config: see :func:`train_ref.models.build`.
        classes: that it is to tell apart.

    Raises:
        TrainError: timm is not installed, has no such model, or it cannot take the image size.
    """
    try:
        import timm
    except ImportError as error:
        raise TrainError(
            f"--model timm:{name}: timm is not installed; pip install 'fastload[train]'."
        ) from error
    if not timm.is_model(name):
        near = difflib.get_close_matches(name, timm.list_models(), n=3)
        meant = f" Is it {' or '.join(near)}?" if near else ""
        raise TrainError(f"--model timm:{name}: timm has no such model.{meant}")
    trained: Any = timm.get_pretrained_cfg(name)
    wanted = sized(_input_of(trained), config)
    settings: dict[str, Any] = {}
    if config.image_size is not None and trained.fixed_input_size:
        # Each patch has a position of its own, so that the network is built for a size.
        settings["img_size"] = config.image_size
    try:
        net: nn.Module = timm.create_model(name, pretrained=False, **settings)
    except (RuntimeError, ValueError, TypeError, AssertionError) as error:
        raise TrainError(
            f"--model timm:{name} cannot be built for {wanted.size} pixels: {error}"
        ) from error
    if not isinstance(trained.classifier, str):
        raise TrainError(f"--model timm:{name}: it has not one head alone; take another.")
    download = _download(name, trained) if trained.has_weights else None
    return assemble(net, trained.classifier, wanted, config, classes, download, _translator(net))


def _translator(net: nn.Module) -> Callable[[State], State] | None:
    """What timm does to the files of a network's first authors, where it has to do anything."""
    known = getattr(sys.modules[type(net).__module__], "checkpoint_filter_fn", None)
    return None if known is None else lambda state: dict(known(state, net))


def _input_of(trained: Any) -> InputConfig:
    """What timm says of the images that its weights were trained with."""
    _, height, width = trained.input_size
    return InputConfig(
        min(height, width),
        tuple(trained.mean),
        tuple(trained.std),
        trained.interpolation,
        trained.crop_pct,
        trained.crop_mode == "squash",
    )


def _download(name: str, trained: Any) -> Download:
    cached = cached_on_hub(trained.hf_hub_id, "model.safetensors") if trained.hf_hub_id else None

    def state() -> State:
        import timm

        source = {"file": str(cached)} if cached else {}
        net: nn.Module = timm.create_model(name, pretrained=True, pretrained_cfg_overlay=source)
        found: State = net.state_dict()
        return found

    url = hub_url() if trained.hf_hub_id else trained.url
    return Download(f"timm's {trained.architecture}.{trained.tag}", url, cached is not None, state)
