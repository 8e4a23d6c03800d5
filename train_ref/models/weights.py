"""Reading files of weights: torch's and safetensors, nothing in them run."""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from train_ref.errors import TrainError

__all__ = ["State", "Weights", "current_names", "read_weights"]

State = dict[str, torch.Tensor]
"""A state dict: tensors by the names of parameters and buffers."""

NESTS = ("state_dict", "model", "model_state_dict", "net", "module")
"""Where trainers put the state dict in what they save."""
PREFIXES = ("module.", "_orig_mod.", "model.")
"""What DistributedDataParallel, torch.compile and Lightning put before each name."""
OLD_DENSENET = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12])(\.)")
"""Names from before modules could not have a full stop in theirs; torchvision's files have them."""


@dataclass(frozen=True)
class Weights:
    """Weights as a file or a library has them.

    Attributes:
        state: by the names of the network that they are of.
        classes: that the head tells apart, where the file says so.
    """

    state: State
    classes: tuple[str, ...] | None


def read_weights(path: Path) -> Weights:
    """Read a state dict, of torch or safetensors, or a checkpoint that has one.

    Args:
        path: `.safetensors`, or what torch.save has written. Only tensors and plain values are
            read from it.

    Raises:
        TrainError: the file is not there, is none of these, or has no tensors.
    """
    if not path.is_file():
        raise TrainError(f"--weights {path}: there is no such file.")
    if path.suffix == ".safetensors":
        return Weights(current_names(_read_safetensors(path)), None)
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
        raise TrainError(
            f"--weights {path} is no file of tensors alone, which is all that is read: "
            f"{str(error).strip().partition(chr(10))[0]} "
            "Save the state dict: torch.save(model.state_dict(), path)."
        ) from error
    return Weights(current_names(_state_in(found, path)), _classes_in(found))


def current_names(state: State) -> State:
    """Name weights as their network does, without what wrappers and old versions put in.

    Example:
        >>> list(current_names({"module.denselayer1.conv.2.weight": torch.zeros(1)}))
        ['denselayer1.conv2.weight']
    """
    for _ in PREFIXES:  # they come in any order
        for prefix in PREFIXES:
            if all(name.startswith(prefix) for name in state):
                state = {name.removeprefix(prefix): tensor for name, tensor in state.items()}
    return {OLD_DENSENET.sub(r"\1\2\3", name): tensor for name, tensor in state.items()}


def _read_safetensors(path: Path) -> State:
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ImportError as error:
        raise TrainError(f"--weights {path}: pip install safetensors to read it.") from error
    try:
        state: State = load_file(path)
    except (OSError, SafetensorError) as error:
        raise TrainError(f"--weights {path} cannot be read: {error}") from error
    return state


def _state_in(found: Any, path: Path) -> State:
    """The state dict in what was saved, however deep it is nested."""
    while isinstance(found, Mapping):
        nested = [found[key] for key in NESTS if isinstance(found.get(key), Mapping)]
        if not nested:
            state = {str(k): v for k, v in found.items() if isinstance(v, torch.Tensor)}
            if state:
                return state
            break
        found = nested[0]
    raise TrainError(f"--weights {path} has no state dict, neither by itself nor under {NESTS}.")


def _classes_in(found: Any) -> tuple[str, ...] | None:
    classes = found.get("classes") if isinstance(found, Mapping) else None
    if isinstance(classes, (list, tuple)) and all(isinstance(one, str) for one in classes):
        return tuple(classes)
    return None
