"""Putting weights into a model: what must fit, what may be made new, what is said."""

from __future__ import annotations

import torch
from torch import nn

from train_ref.errors import TrainError
from train_ref.models.classifier import Classifier
from train_ref.models.positions import resized_positions
from train_ref.models.weights import State, Weights

__all__ = ["fill", "is_of_classifier", "load_weights"]

NAMES_SHOWN = 5
"""So many names make an error's point."""


def load_weights(model: Classifier, weights: Weights, head: str, classes: tuple[str, ...]) -> str:
    """Put weights into a classifier; its head stays new where the weights have another one.

    Args:
        model: changed in place.
        weights: named as in the library's network or as in a `Classifier`.
        head: the library's name of its last linear layer.
        classes: that the model's head is to tell apart.

    Returns:
        What there is to say of the head, to be put behind a sentence; "" where it was loaded.

    Raises:
        TrainError: names or shapes are not those of the model.
    """
    state = _as_classifier(weights.state, head)
    kept, note = _head_of(state, model, weights, classes)
    body = {name: tensor for name, tensor in state.items() if not name.startswith("head.")}
    fill(model, body | kept, optional=() if kept else ("head.",))
    return note


def fill(net: nn.Module, state: State, optional: tuple[str, ...] = ()) -> None:
    """Load a state dict, all of it; position embeddings are fitted to the network's image size.

    Args:
        net: changed in place.
        state: by the names of `net`.
        optional: beginnings of names that may be missing.

    Raises:
        TrainError: names are missing or unexpected, or shapes differ; all of it is told.
    """
    wanted = net.state_dict()
    fitted = {name: _fitted(name, tensor, wanted.get(name)) for name, tensor in state.items()}
    # BatchNorm counts its batches since torch 0.4.1 alone, and files are older than that.
    may_lack = (*optional, *(name for name in wanted if name.endswith("num_batches_tracked")))
    wrong = {
        "missing": [n for n in wanted if n not in fitted and not n.startswith(may_lack)],
        "unexpected": [n for n in fitted if n not in wanted],
        "of another shape": [
            f"{n} {tuple(t.shape)} instead of {tuple(wanted[n].shape)}"
            for n, t in fitted.items()
            if n in wanted and t.shape != wanted[n].shape
        ],
    }
    if any(wrong.values()):
        told = "; ".join(f"{what}: {_some(names)}" for what, names in wrong.items() if names)
        raise TrainError(
            f"The weights are not those of this model, {told}. Is --model the one they are of?"
        )
    net.load_state_dict(fitted, strict=False)


def is_of_classifier(state: State) -> bool:
    """Whether weights are named as a `Classifier` names them, so that train_ref has saved them."""
    return all(name.startswith(("body.", "head.")) for name in state)


def _as_classifier(state: State, head: str) -> State:
    """Rename a library's weights as a `Classifier` has them."""
    if is_of_classifier(state):
        return state
    return {
        f"head.{name.removeprefix(head + '.')}"
        if name.startswith(head + ".")
        else f"body.{name}": tensor
        for name, tensor in state.items()
    }


def _head_of(
    state: State, model: Classifier, weights: Weights, classes: tuple[str, ...]
) -> tuple[State, str]:
    """The head's weights where they are for these classes, and what there is to say of them."""
    found = {name: tensor for name, tensor in state.items() if name.startswith("head.")}
    new = f", with a new head for {len(classes)} classes"
    if not found:
        return {}, f"{new} as there is none among the weights"
    if weights.classes is not None and weights.classes != classes:
        return {}, f"{new} as theirs is for others"
    outputs = len(next(iter(found.values())))
    if outputs != len(classes):
        return {}, f"{new} as theirs is for {outputs}"
    return found, ""


def _fitted(name: str, tensor: torch.Tensor, wanted: torch.Tensor | None) -> torch.Tensor:
    """Position embeddings for as many patches as the network has; all else as it is."""
    last = name.rpartition(".")[2]
    if wanted is None or tensor.shape == wanted.shape or "pos" not in last:
        return tensor
    if tensor.ndim not in (2, 3) or tensor.ndim != wanted.ndim:
        return tensor
    resized = resized_positions(tensor, wanted.shape[-2])
    return tensor if resized is None else resized


def _some(names: list[str]) -> str:
    more = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
