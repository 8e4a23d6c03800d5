"""Every exception fastload raises on its own account.

All derive from :class:`FastloadError`; each also derives from the built-in exception that code
written for torchvision's ``ImageFolder`` or torch's ``DataLoader`` already catches.
"""

from __future__ import annotations

__all__ = [
    "EngineError",
    "FastloadError",
    "LoaderTimeoutError",
    "PackError",
    "RanksError",
    "RecordError",
    "StateError",
    "TransformError",
    "TuneError",
]


class FastloadError(Exception):
    """Base of all fastload exceptions: the message says what was wrong, where, and what to do."""


class PackError(FastloadError, RuntimeError):
    """A pack cannot be written, opened or trusted (missing, damaged, newer than this library)."""


class RecordError(FastloadError, RuntimeError):
    """One image could not be served.

    Attributes:
        record: the record id (row number in the pack's index), -1 where none is known.
        path: the image's path under the label folder.
        shard: the shard file that holds it, relative to the pack.
        reason: what was wrong with it.

    >>> error = RecordError(42, "cat/x.jpg", "shards/00000.tar", "checksum mismatch")
    >>> str(error).split(". ")[0]
    'record 42 (cat/x.jpg, in shards/00000.tar): checksum mismatch'
    """

    def __init__(self, record: int, path: str, shard: str, reason: str) -> None:
        super().__init__(record, path, shard, reason)
        self.record = record
        self.path = path
        self.shard = shard
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"record {self.record} ({self.path}, in {self.shard}): {self.reason.rstrip('.')}. "
            "Run `fastload verify --decode` on the pack; "
            'on_error="skip" or "substitute" lets a loader go on without it.'
        )


class TransformError(FastloadError, ValueError):
    """A transform's parameters cannot be applied to an image of the given size."""


class EngineError(FastloadError, RuntimeError):
    """An engine is unknown, missing on this machine, or cannot do what was asked of it."""


class LoaderTimeoutError(FastloadError, TimeoutError, RuntimeError):
    """No batch arrived within the ``timeout`` given to the loader."""


class RanksError(FastloadError, RuntimeError):
    """The ranks of a distributed training do not serve shares of one and the same epoch."""


class StateError(FastloadError, ValueError):
    """A saved state belongs to another pack, transform or sampler, or cannot be resumed from."""


class TuneError(FastloadError, RuntimeError):
    """Not even the smallest setting of a loader fits into what this machine leaves to it."""
