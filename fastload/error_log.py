"""The records that could not be served."""

from __future__ import annotations

import logging

from fastload.errors import FastloadError

__all__ = ["ErrorLog"]

_LOGGER = logging.getLogger("fastload")
_ALWAYS_LOGGED = 5


class ErrorLog:
    """Collects errors, each once, and logs the first five and then every power of ten.

    Attributes:
        errors: one for each bad record.
        count: how often a bad record was met.
    """

    def __init__(self) -> None:
        self.errors: list[FastloadError] = []
        self.count = 0
        self._seen: set[str] = set()

    def add(self, error: FastloadError) -> None:
        """Note that a record was left out or replaced."""
        self.count += 1
        text = str(error)
        if text not in self._seen:
            self._seen.add(text)
            self.errors.append(error)
        if self.count <= _ALWAYS_LOGGED or _is_power_of_ten(self.count):
            _LOGGER.warning("bad record number %d in this run: %s", self.count, text)


def _is_power_of_ten(count: int) -> bool:
    return set(str(count)[1:]) <= {"0"} and str(count)[0] == "1"
