"""The learning rate of each step, as a pure function of its number."""

from __future__ import annotations

import math

import torch

from train_ref.config import Config
from train_ref.optimizer import peak_lr

__all__ = ["Schedule"]

# One-cycle's proportions, as torch's OneCycleLR has them.
CYCLE_RISE = 0.3
CYCLE_START = 25.0
CYCLE_END = 1e4
CYCLE_MOMENTUM = 0.05


class Schedule:
    """Learning rates over all steps of a run; it has no state, so that a run goes on anywhere.

    - cosine: a linear warm-up, then half a cosine down to nearly zero (Loshchilov and
      Hutter, 2017).
    - one-cycle: half a cosine from a 25th of the highest rate up during 0.3 of the steps, another
      down to a 250,000th, while momentum falls by 0.1 and rises again (Smith and Topin, 2018).
      Rising is its warm-up: `warmup` means nothing to it.
    - constant: a linear warm-up, then the highest rate.

    Args:
        config: `schedule`, `lr`, `warmup`, `epochs`, `optimizer`, `momentum`.
        steps_per_epoch: steps of the optimizer, not parts of accumulated batches.

    Example:
        >>> schedule = Schedule(Config(epochs=10, warmup=1, lr=1.0), steps_per_epoch=4)
        >>> [round(schedule.lr_at(step), 3) for step in (0, 3, 4, 22, 39)]
        [0.2, 0.8, 1.0, 0.5, 0.002]
    """

    def __init__(self, config: Config, steps_per_epoch: int) -> None:
        self._kind = config.schedule
        self._peak = peak_lr(config)
        self._momentum = config.momentum if config.optimizer == "sgd" else 0.9
        self.steps = config.epochs * steps_per_epoch
        self._warmup = min(round(config.warmup * steps_per_epoch), self.steps)

    def lr_at(self, step: int) -> float:
        """Return the learning rate of a step.

        Args:
            step: from 0; behind the last step it is the last one's.
        """
        step = min(step, max(self.steps - 1, 0))
        if self._kind == "one-cycle":
            start = self._peak / CYCLE_START
            return self._cycled(step, start, self._peak, start / CYCLE_END)
        if step < self._warmup:
            return self._peak * (step + 1) / (self._warmup + 1)
        if self._kind == "constant":
            return self._peak
        # The last step is one short of zero, where it would do nothing.
        return _half_cosine(self._peak, 0.0, _share(step - self._warmup, self.steps - self._warmup))

    def momentum_at(self, step: int) -> float | None:
        """Return the momentum, AdamW's first beta, of a step; None where it stays what it is."""
        if self._kind != "one-cycle" or not self._momentum:
            return None
        step = min(step, max(self.steps - 1, 0))
        highest = min(self._momentum + CYCLE_MOMENTUM, 1.0 - CYCLE_MOMENTUM)
        lowest = max(self._momentum - CYCLE_MOMENTUM, 0.0)
        return self._cycled(step, highest, lowest, highest)

    def apply(self, optimizer: torch.optim.Optimizer, step: int) -> float:
        """Set learning rate and momentum for a step that is to be made.

        Returns:
            The learning rate.
        """
        lr, momentum = self.lr_at(step), self.momentum_at(step)
        for group in optimizer.param_groups:
            group["lr"] = lr
            if momentum is not None and "betas" in group:
                group["betas"] = (momentum, group["betas"][1])
            elif momentum is not None:
                group["momentum"] = momentum
        return lr

    def _cycled(self, step: int, start: float, turn: float, end: float) -> float:
        top = CYCLE_RISE * self.steps - 1
        if step <= top:
            return _half_cosine(start, turn, _share(step, top))
        return _half_cosine(turn, end, _share(step - top, self.steps - 1 - top))


def _half_cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else 0.0
