"""Settings and what was measured of each, refused ones and those whose loader died included."""

from __future__ import annotations

import errno
from collections.abc import Callable

from fastload.tune.budget import Refusal
from fastload.tune.settings import Settings
from fastload.tune.trial import Trial, Window

__all__ = ["Trials"]

# How torch's loader tells that a worker process was killed.
_DIED = "DataLoader worker (pid"
_NO_ROOM = (errno.ENOMEM, errno.ENOSPC, errno.EAGAIN)


class Trials:
    """Measures settings, each when it is first asked for.

    Args:
        run: one window of a setting.
        against: why a setting is not to be tried, "" where nothing speaks against it.
        progress: told of each window.

    Attributes:
        refused: what was asked for and not tried.
    """

    def __init__(
        self,
        run: Callable[[Settings], Window],
        against: Callable[[Settings], str],
        progress: Callable[[Settings, Window], None] | None = None,
    ) -> None:
        self._run = run
        self._against = against
        self._progress = progress
        self._trials: dict[Settings, Trial] = {}
        self.refused: list[Refusal] = []

    @property
    def all(self) -> list[Trial]:
        """What was tried, in the order in which it was begun."""
        return list(self._trials.values())

    def rate(self, settings: Settings) -> float:
        """Images/s by what is known so far; 0 for what is refused or died."""
        if settings not in self._trials and not self._refuse(settings):
            self.measure(settings)
        known = self._trials.get(settings)
        return 0.0 if known is None else known.images_per_second

    def _refuse(self, settings: Settings) -> bool:
        reason = self._against(settings)
        if reason and all(known.settings != settings for known in self.refused):
            self.refused.append(Refusal(settings, reason))
        return bool(reason)

    def measure(self, settings: Settings) -> None:
        """Run one more window of a setting."""
        before = self._trials.get(settings, Trial(settings, ()))
        try:
            window = self._run(settings)
        except (RuntimeError, MemoryError, OSError) as error:
            if not _is_want_of_room(error):
                raise
            failure = f"{type(error).__name__}: {error}"
            self._trials[settings] = Trial(settings, before.windows, failure)
            return
        self._trials[settings] = Trial(settings, (*before.windows, window), before.failure)
        if self._progress is not None:
            self._progress(settings, window)


def _is_want_of_room(error: Exception) -> bool:
    """Whether a setting was too large for the machine; all else is the user's to know."""
    if isinstance(error, OSError):
        return error.errno in _NO_ROOM
    return isinstance(error, MemoryError) or str(error).startswith(_DIED)
