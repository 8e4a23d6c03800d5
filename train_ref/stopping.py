"""Ctrl-C and SIGTERM: a training ends where it can go on from."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from train_ref.distributed import any_rank, ranks
from train_ref.errors import StoppedError

__all__ = ["Stop", "listening"]

# torchrun sends its own signal to processes that the terminal has sent one already.
_SAME_SIGNAL = 1.0


class Stop:
    """Whether a signal has come.

    Attributes:
        number: the signal's; 0 for none.
    """

    def __init__(self) -> None:
        self.number = 0
        self._since = 0.0

    def heard(self, number: int, frame: FrameType | None = None) -> None:
        """Take note of a signal; a second Ctrl-C ends at once what does not end by itself."""
        del frame
        if self.number and ranks() == 1 and time.monotonic() - self._since > _SAME_SIGNAL:
            raise KeyboardInterrupt
        self.number = number
        self._since = time.monotonic()

    def asked(self) -> bool:
        """Return whether any of the processes has heard a signal; all of them have to ask."""
        return any_rank(bool(self.number))

    def error(self, folder: Path) -> StoppedError:
        """Return what is to be raised once all is saved; another process may have heard it."""
        return StoppedError(folder, self.number or signal.SIGTERM)


@contextlib.contextmanager
def listening() -> Iterator[Stop]:
    """Take note of SIGINT and SIGTERM, instead of ending at once, for as long as this lasts."""
    stop = Stop()
    before = {one: signal.signal(one, stop.heard) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
