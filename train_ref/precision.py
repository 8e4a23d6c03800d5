"""Half precision: where it is computed with, and what that changes in a step."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import nn

from train_ref.config import Config

__all__ = ["Precision"]


class Precision:
    """Automatic mixed precision (Micikevicius et al., 2018) and the optimizer's step with it.

    Weights stay float32. With fp16, small gradients would become zero: the loss is scaled up, and
    a step whose gradients are not finite is left out and the scale halved.

    Args:
        config: `amp`: "auto" is bf16 on a GPU that has it, fp16 on others, and nothing on a CPU.
        device: that the model is on.

    Attributes:
        name: "fp32", "bf16" or "fp16".
        scaler: of the loss; it does nothing unless this is fp16.

    Example:
        >>> precision = Precision(Config(amp="bf16"), torch.device("cpu"))
        >>> with precision.autocast():
        ...     nn.Linear(2, 2)(torch.ones(1, 2)).dtype
        torch.bfloat16
    """

    def __init__(self, config: Config, device: torch.device) -> None:
        self._device = device.type
        self.name = _chosen(config.amp, device)
        self.scaler = torch.amp.GradScaler(device.type, enabled=self.name == "fp16")

    def autocast(self) -> AbstractContextManager[Any]:
        """Return the context of forward passes and losses."""
        dtype = torch.float16 if self.name == "fp16" else torch.bfloat16
        return torch.autocast(self._device, dtype, enabled=self.name != "fp32")

    def backward(self, loss: torch.Tensor) -> None:
        """Add the gradients of a loss, scaled where that is needed.

        Args:
            loss: a scalar; where a step is accumulated of n parts, the part's mean divided by n.
        """
        self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]

    def step(
        self,
        optimizer: torch.optim.Optimizer,
        parameters: Iterable[nn.Parameter],
        clip_norm: float = 0.0,
    ) -> torch.Tensor:
        """Cut the gradients, make the step and forget the gradients.

        Args:
            optimizer: of `parameters`.
            parameters: whose gradients are cut, all at once.
            clip_norm: the largest L2 norm of all gradients together (Pascanu et al., 2013); 0
                leaves them.

        Returns:
            The norm before it was cut: a scalar on the device, so that reading it is what waits
            for a GPU. It is not finite where an fp16 step was left out.
        """
        self.scaler.unscale_(optimizer)
        learning = [one for one in parameters if one.grad is not None]
        norm = nn.utils.get_total_norm([one.grad for one in learning if one.grad is not None])
        if clip_norm > 0:
            nn.utils.clip_grads_with_norm_(learning, clip_norm, norm)
        self.scaler.step(optimizer)
        self.scaler.update()
        optimizer.zero_grad(set_to_none=True)
        return norm

    def state_dict(self) -> dict[str, Any]:
        """Return the scale and how it came about, as plain numbers; empty unless this is fp16."""
        state: dict[str, Any] = self.scaler.state_dict()
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` returned; what had no scale begins with a new one."""
        if state:
            self.scaler.load_state_dict(state)


def _chosen(amp: str, device: torch.device) -> str:
    if amp in ("bf16", "fp16"):
        return amp
    if amp == "off" or device.type != "cuda":
        return "fp32"
    # What is emulated is slower than fp16.
    return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
