"""A training step of ResNet-18 in bfloat16, and how long its stream waits between steps."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
import torchvision

from benchmarks.gpu.setting import Setting

CLASSES = 1000


def small_model() -> torch.nn.Module:
    """For trials: ResNet-18 takes seconds a step on a CPU."""
    layers = torch.nn.Conv2d(3, 4, 3, 2), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()
    return torch.nn.Sequential(*layers, torch.nn.Linear(4, CLASSES))


def training_step(setting: Setting) -> Callable[[torch.Tensor], None]:
    """Forward, backward, SGD; channels last, as convolutions in bfloat16 want it."""
    model = torchvision.models.resnet18() if setting.on_gpu else small_model()
    model = model.to(setting.device, torch.bfloat16, memory_format=torch.channels_last)
    optimiser = torch.optim.SGD(model.parameters(), 0.1)

    def step(images: torch.Tensor) -> None:
        optimiser.zero_grad()
        images = images.contiguous(memory_format=torch.channels_last)
        targets = torch.zeros(len(images), dtype=torch.int64, device=images.device)
        torch.nn.functional.cross_entropy(model(images), targets).backward()
        optimiser.step()

    return step


class StepTimes:
    """When steps began and ended: by CUDA events in the stream of the steps, or by the clock."""

    def __init__(self, setting: Setting) -> None:
        self._on_gpu = setting.on_gpu
        self._steps: list[tuple[Any, Any]] = []

    def run(self, step: Callable[[torch.Tensor], None], images: torch.Tensor) -> None:
        """Do a step."""
        begun = self._mark()
        step(images)
        self._steps.append((begun, self._mark()))

    def idle(self) -> float:
        """Share of the time from the first step to the last in which no step was under way.

        The device must have done all of them. What a loader computes in the stream of the steps is
        no step; in other streams a GPU may be decoding meanwhile.
        """
        waits = [
            self._between(ended, begun)
            for (_, ended), (begun, _) in zip(self._steps, self._steps[1:], strict=False)
        ]
        return sum(waits) / self._between(self._steps[0][0], self._steps[-1][1])

    def _mark(self) -> Any:
        if not self._on_gpu:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def _between(self, first: Any, second: Any) -> float:
        return first.elapsed_time(second) if self._on_gpu else second - first
