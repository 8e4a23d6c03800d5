"""FFCV's Reader and MemoryManager over the shards of a pack: nothing is copied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from ffcv.fields.base import Field
from ffcv.memory_managers.base import MemoryContext, MemoryManager
from ffcv.reader import Reader

from fastload.engines.ffcv.kernels import read_record

__all__ = ["IMAGE", "PackContext", "PackMemory", "PackReader", "State"]

IMAGE = [("mode", "<u1"), ("width", "<u4"), ("height", "<u4"), ("data_ptr", "<u8")]
"""FFCV's metadata of an image, with sides that may exceed 65,535 pixels."""

State = tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64], npt.NDArray[np.uint64]]
"""Pointers in ascending order, addresses and lengths of the records of one batch."""


class PackReader(Reader):  # type: ignore[misc]
    """What FFCV asks its reader for, without a .beton file.

    Args:
        name: of the pack, for messages.
        handlers: FFCV's fields by name.
        metadata: one row a sample; its fields f0, f1 ... are those of the handlers, in order.
    """

    def __init__(
        self, name: str, handlers: Mapping[str, Field], metadata: npt.NDArray[Any]
    ) -> None:
        self._fname = name
        self.handlers = dict(handlers)
        self.field_names = list(handlers)
        self.metadata = metadata
        self.metadata_type = metadata.dtype
        self.num_samples = len(metadata)


class PackContext(MemoryContext):  # type: ignore[misc]
    """The records of one batch, where the shards are mapped."""

    def __init__(self, state: State) -> None:
        self._state = state

    @property
    def state(self) -> State:
        """See ``State``."""
        return self._state

    def __enter__(self) -> PackContext:
        return self

    def __exit__(self, *error: object) -> None:
        """Leave the shards mapped."""


class PackMemory(MemoryManager):  # type: ignore[misc]
    """Hands FFCV's compiled code the mapped bytes of records.

    FFCV's own looks all samples of a file up in one table. Here each batch brings the few
    records that it has, so that a shard is mapped when it is first asked for.
    """

    def __init__(self, reader: PackReader) -> None:
        self.reader = reader

    def schedule_epoch(self, batches: Sequence[State]) -> PackContext:
        """The context of the next batch."""
        return PackContext(batches[0])

    @property
    def state_type(self) -> Any:
        """The type of ``State`` in compiled code."""
        return numba.types.UniTuple(numba.types.uint64[::1], 3)

    def compile_reader(self) -> Any:
        """What FFCV's decoders call for the bytes of a sample."""
        return read_record
