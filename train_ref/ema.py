"""The moving average of a model's weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from train_ref.errors import TrainError

__all__ = ["Ema"]


class Ema:
    """An average over the last steps of all in a model's state dict, BatchNorm's statistics too.

    After step s the average moves by ``1 - min(decay, (1 + s) / (10 + s))`` of the way to the
    weights (Polyak and Juditsky, 1992; the warm-up, which forgets the first random weights soon,
    is that of TensorFlow's ExponentialMovingAverage). Whole numbers are copied.

    Args:
        model: on its device, neither compiled nor wrapped for many processes.
        decay: such as 0.999.

    Example:
        >>> model = nn.Linear(1, 1, bias=False)
        >>> _ = nn.init.zeros_(model.weight)
        >>> ema = Ema(model, 0.999)
        >>> _ = nn.init.ones_(model.weight)
        >>> ema.update(step=1)
        >>> with ema.swapped():
        ...     round(model.weight.item(), 4)
        0.8182
        >>> model.weight.item()
        1.0
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self._decay = decay
        self._live: dict[str, torch.Tensor] = dict(model.state_dict())
        self._averaged = {name: tensor.clone() for name, tensor in self._live.items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move the average towards the weights.

        Args:
            step: how many steps the optimizer has made, this one included.
        """
        share = 1 - min(self._decay, (1 + step) / (10 + step))
        averaged, live = [], []
        for name, tensor in self._live.items():
            if tensor.is_floating_point():
                averaged.append(self._averaged[name])
                live.append(tensor)
            else:
                self._averaged[name].copy_(tensor)
        torch._foreach_lerp_(averaged, live, share)

    @contextmanager
    def swapped(self) -> Iterator[None]:
        """Put the average in the model's place; the weights come back at the end, bit for bit.

        Values are copied and tensors stay where they are, for optimizers, compiled code and CUDA
        graphs hold on to them.
        """
        weights = {name: tensor.clone() for name, tensor in self._live.items()}
        self._put(self._averaged)
        try:
            yield
        finally:
            self._put(weights)

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Return copies of the averages, by the names of the model's own state dict."""
        return {name: tensor.clone() for name, tensor in self._averaged.items()}

    @torch.no_grad()
    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        """Go on from what `state_dict` returned.

        Raises:
            TrainError: it is of another model.
        """
        shapes = {name: tensor.shape for name, tensor in self._averaged.items()}
        if {name: tensor.shape for name, tensor in state.items()} != shapes:
            raise TrainError("The moving average is that of another model; start the run anew.")
        for name, tensor in state.items():
            self._averaged[name].copy_(tensor)

    @torch.no_grad()
    def _put(self, values: dict[str, torch.Tensor]) -> None:
        for name, tensor in self._live.items():
            tensor.copy_(values[name])
