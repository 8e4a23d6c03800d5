"""SGD and AdamW, with weight decay where it belongs."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from train_ref.config import Config
from train_ref.errors import TrainError

__all__ = ["make_optimizer", "parameter_groups", "peak_lr"]

DEFAULT_LR = {"adamw": 0.001, "sgd": 0.05}
DEFAULT_DECAY = {"adamw": 0.05, "sgd": 0.0005}

NORMS_OF_MANY_DIMENSIONS = (nn.LayerNorm, nn.RMSNorm)
"""Norms whose parameters may have the shape of an image; those of all others have one dimension."""


def make_optimizer(model: nn.Module, config: Config) -> torch.optim.Optimizer:
    """Make the optimizer of all parameters that learn.

    Weights of layers decay; biases, the parameters of norms and all else of one dimension do not
    (He et al., 2019, section 3.1): they are few, and pulling them to zero changes what a layer
    computes rather than how smooth it is. SGD has Nesterov's momentum.

    Args:
        model: on the device that it is trained on.
        config: `optimizer`, `lr`, `weight_decay`, `momentum`.

    Returns:
        An optimizer with two groups, the decaying one first. It is torch's fused one, on a GPU as
        on a CPU, where AdamW takes a sixth of the time of the plain one.

    Raises:
        TrainError: no parameter learns.

    Example:
        >>> optimizer = make_optimizer(nn.Linear(4, 2), Config(weight_decay=0.1))
        >>> [group["weight_decay"] for group in optimizer.param_groups]
        [0.1, 0.0]
    """
    decay = config.weight_decay
    groups = parameter_groups(model, DEFAULT_DECAY[config.optimizer] if decay is None else decay)
    learning = [one for group in groups for one in group["params"]]
    if not learning:
        raise TrainError("No parameter of the model learns, so that there is nothing to train.")
    fused = all(one.device.type in ("cpu", "cuda") for one in learning)
    if config.optimizer == "sgd":
        return torch.optim.SGD(
            groups,
            lr=peak_lr(config),
            momentum=config.momentum,
            nesterov=config.momentum > 0,
            fused=fused,
        )
    return torch.optim.AdamW(groups, lr=peak_lr(config), fused=fused)


def peak_lr(config: Config) -> float:
    """Return the highest learning rate: the user's, or what suits the optimizer."""
    return DEFAULT_LR[config.optimizer] if config.lr is None else config.lr


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Return what an optimizer is given: what decays, and norms, biases and the like, which do not.

    Args:
        model: of which all parameters that learn are given.
        weight_decay: of the first group.
    """
    decaying, plain = _divided(model)
    return [
        {"params": decaying, "weight_decay": weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]


def _divided(model: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """The parameters that learn: those that decay and those that do not, each one once."""
    decaying: dict[nn.Parameter, None] = {}
    plain: dict[nn.Parameter, None] = {}
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if parameter.requires_grad:
                spared = (
                    parameter.ndim <= 1
                    or name == "bias"
                    or isinstance(module, NORMS_OF_MANY_DIMENSIONS)
                )
                (plain if spared else decaying)[parameter] = None
    return list(decaying), list(plain)
