"""Where copies and kernels run in order beside the consumer's own work: a stream of a GPU.

On the CPU, where the tests interpret the kernels, all is done when a call returns.
"""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager
from typing import Protocol

import torch

__all__ = ["Lane", "Mark", "lane_of"]


class Mark(Protocol):
    """A moment of a lane."""

    def query(self) -> bool:
        """Whether it has passed."""


class Lane(Protocol):
    """What is begun on it runs in the order of its beginning."""

    def running(self) -> AbstractContextManager[object]:
        """Let torch and Triton begin things on it."""

    def mark(self) -> Mark:
        """The moment when all that was begun so far is done."""

    def let_consumer_wait(self, mark: Mark, images: torch.Tensor) -> None:
        """Let the consumer's current stream go on after ``mark``, and ``images`` live for it."""


class _GpuLane:
    def __init__(self, device: torch.device) -> None:
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def running(self) -> AbstractContextManager[object]:
        return torch.cuda.stream(self._stream)

    def mark(self) -> torch.cuda.Event:
        event = torch.cuda.Event()  # type: ignore[no-untyped-call]
        event.record(self._stream)
        return event

    def let_consumer_wait(self, mark: Mark, images: torch.Tensor) -> None:
        assert isinstance(mark, torch.cuda.Event)
        consumer = torch.cuda.current_stream(self._stream.device)
        consumer.wait_event(mark)
        # The memory is the lane's: it must not be lent anew while the consumer reads it.
        images.record_stream(consumer)


class _Passed:
    def query(self) -> bool:
        return True


class _CpuLane:
    def running(self) -> AbstractContextManager[object]:
        return contextlib.nullcontext()

    def mark(self) -> Mark:
        return _Passed()

    def let_consumer_wait(self, mark: Mark, images: torch.Tensor) -> None:
        del mark, images


def lane_of(device: torch.device) -> Lane:
    """A new lane of a device.

    >>> lane_of(torch.device("cpu")).mark().query()
    True
    """
    return _GpuLane(device) if device.type == "cuda" else _CpuLane()
