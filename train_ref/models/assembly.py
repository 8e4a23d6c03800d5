"""From a library's network to a classifier: its head taken off, weights put in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from torch import nn

from train_ref.config import Config
from train_ref.errors import TrainError
from train_ref.models.classifier import Built, Classifier, InputConfig
from train_ref.models.download import Download, fetch
from train_ref.models.loading import is_of_classifier, load_weights
from train_ref.models.weights import State, Weights, read_weights

__all__ = ["assemble", "find_weights", "sized"]


def assemble(
    net: nn.Module,
    head: str,
    wanted: InputConfig,
    config: Config,
    classes: tuple[str, ...],
    download: Download | None,
    translate: Callable[[State], State] | None = None,
) -> Built:
    """Make a classifier of a network that ends in a linear layer.

    Args:
        net: (n, 3, h, w) -> (n, any number of classes); it loses its head.
        head: name of the linear layer in it that makes the logits.
        wanted: the images that the network wants.
        config: `model`, `weights`, `pretrained`, `dropout`.
        classes: that it is to tell apart.
        download: the weights that the library has for it.
        translate: weights as others have saved them into the network's own names, where the
            library knows how.

    Raises:
        TrainError: the file of weights cannot be read or is of another network.
    """
    width = _take_off(net, head, config)
    model = Classifier(net, nn.Linear(width, len(classes)), width, config.dropout)
    weights, origin = find_weights(config, download)
    if weights is not None:
        if translate is not None and not is_of_classifier(weights.state):
            weights = replace(weights, state=translate(weights.state))
        origin += load_weights(model, weights, head, classes)
    return Built(model, wanted, origin + ".")


def find_weights(config: Config, download: Download | None) -> tuple[Weights | None, str]:
    """Return weights from the user's file or the library, and where they come from.

    Returns:
        None where there are none, with the reason; a sentence without its full stop.

    Raises:
        TrainError: the file of weights cannot be read.
    """
    if config.weights is not None:
        path = Path(config.weights)
        return read_weights(path), f"{config.model} with the weights of {path}"
    if not config.pretrained:
        return None, f"{config.model} from scratch, as --no-pretrained asks"
    if download is None:
        return None, f"{config.model} from scratch: there are no weights to download"
    weights, reason = fetch(download)
    if weights is None:
        return None, f"{config.model} from scratch: {reason}"
    return weights, f"{config.model} with {download.name}"


def sized(wanted: InputConfig, config: Config) -> InputConfig:
    """Return the images that a model wants, made as the user asks for."""
    size = wanted.size if config.image_size is None else config.image_size
    squash = wanted.squash if config.shape == "auto" else config.shape == "squash"
    return replace(wanted, size=size, squash=squash, equalize=config.equalize)


def _take_off(net: nn.Module, head: str, config: Config) -> int:
    """Put nothing in the place of the head, and return the width of what it was given."""
    parent_name, _, last = head.rpartition(".")
    parent = net.get_submodule(parent_name)
    linear = getattr(parent, last, None)
    if not isinstance(linear, nn.Linear):
        raise TrainError(
            f"--model {config.model}: it does not end in a linear layer; take another."
        )
    setattr(parent, last, nn.Identity())
    if config.dropout:
        _silence_dropout_before(parent, last)
    return linear.in_features


def _silence_dropout_before(parent: nn.Module, last: str) -> None:
    """The user's own dropout takes the place of the network's, which would come on top."""
    before = None
    for name, child in parent.named_children():
        if name == last and isinstance(before, nn.Dropout):
            before.p = 0.0
        before = child
