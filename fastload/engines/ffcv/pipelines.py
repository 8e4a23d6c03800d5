"""Pipelines that users have written for FFCV, run over packs as FFCV's Loader runs them."""

from __future__ import annotations

import copy
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from ffcv.fields import IntField, RGBImageField
from ffcv.pipeline import PipelineSpec
from ffcv.pipeline.allocation_query import AllocationQuery

from fastload.engines.ffcv.cutting import is_sound
from fastload.engines.ffcv.kernels import UNDECODABLE, seed_draws
from fastload.engines.ffcv.reading import IMAGE, PackReader
from fastload.engines.ffcv.stages import Stages, ordered_state
from fastload.engines.slots import Slots
from fastload.store import Codec, Pack
from fastload.store.decoding import decode_record

__all__ = ["Outcome", "PipelineRunner", "SampleTable"]

_SAMPLE = np.dtype([("f0", IMAGE), ("f1", "<i8")])
# FFCV's IMAGE_MODES.
_JPEG, _RAW = 0, 1

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class SampleTable:
    """All samples that a loader may ask for.

    Attributes:
        packs: where they are.
        checked: for each pack, uint8, one a record: not 0 once its checksum has held.
        parts: int64, shape (n,): the pack of each sample.
        records: int64, shape (n,): its record.
        labels: int64, shape (n,).
    """

    packs: Sequence[Pack]
    checked: Sequence[npt.NDArray[np.uint8]]
    parts: Rows
    records: Rows
    labels: Rows


@dataclass(frozen=True)
class Outcome:
    """What became of a batch.

    Attributes:
        outputs: what FFCV's Loader would yield; None where a sample failed.
        failures: rows of the samples that no decoder takes, with the reason.
    """

    outputs: tuple[Any, ...] | None
    failures: dict[int, str]


class PipelineRunner:
    """FFCV's graph over the samples of packs, in threads that each run a whole batch.

    Args:
        pipelines: as FFCV's Loader takes them, for the fields "image" and "label".
        table: the samples.
        threads: how many batches are computed at once.
        spare: how many unused batches' memory to keep.
    """

    def __init__(
        self, pipelines: Mapping[str, Any], table: SampleTable, threads: int, spare: int
    ) -> None:
        self._table = table
        self._metadata = _metadata(table)
        handlers = {"image": RGBImageField(), "label": IntField()}
        reader = PackReader("", handlers, self._metadata)
        self._stages = Stages(reader, _specs(pipelines, list(handlers)), compiled=False)
        self._spare = spare
        self._slots: dict[tuple[Any, ...], Slots] = {}
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(threads, "fastload-ffcv")

    def submit(self, samples: Rows, seed: int) -> Future[Outcome]:
        """Begin a batch.

        Args:
            samples: int64, shape (n,), rows of the table.
            seed: of what compiled operations draw.
        """
        return self._pool.submit(self._run, samples, seed)

    def close(self) -> None:
        """Stop all threads; batches not begun are given up."""
        own = threading.current_thread().name.startswith("fastload-ffcv")
        self._pool.shutdown(wait=not own, cancel_futures=True)

    def _run(self, samples: Rows, seed: int) -> Outcome:
        modes = self._metadata["f0"]["mode"][samples]
        outcome = self._run_decoded(samples, seed, modes == _RAW)
        if outcome is None:
            # The native library judges which of the JPEGs it was that FFCV did not decode cleanly.
            outcome = self._run_decoded(samples, seed, np.ones(len(samples), np.bool_))
        assert outcome is not None
        return outcome

    def _run_decoded(
        self, samples: Rows, seed: int, decoded: npt.NDArray[np.bool_]
    ) -> Outcome | None:
        """Run the batch with some rows decoded before FFCV sees them; None if FFCV cannot."""
        pixels, failures = {}, {}
        for row in np.flatnonzero(decoded | self._unsound(samples)).tolist():
            try:
                pixels[int(samples[row])] = self._pixels(int(samples[row]))
            except Exception as error:  # noqa: BLE001 (whatever a decoder says is the reason)
                failures[row] = str(error)
        if failures:
            return Outcome(None, failures)
        metadata = self._metadata
        jpegs = [sample for sample in pixels if metadata["f0"]["mode"][sample] == _JPEG]
        if jpegs:
            metadata = metadata.copy()
            metadata["f0"]["mode"][jpegs] = _RAW
        try:
            return Outcome(self._outputs(samples, seed, metadata, pixels), {})
        except ValueError as error:
            if str(error) != UNDECODABLE:
                raise
        return None

    def _unsound(self, samples: Rows) -> npt.NDArray[np.bool_]:
        """Rows of JPEGs that are met for the first time and are not what was packed."""
        table, unsound = self._table, np.zeros(len(samples), np.bool_)
        for row, sample in enumerate(samples.tolist()):
            part, record = int(table.parts[sample]), int(table.records[sample])
            pack, checked = table.packs[part], table.checked[part]
            if checked[record] or pack.index.codec[record] != Codec.JPEG:
                continue
            unsound[row] = not is_sound(pack, record)
            checked[record] |= not unsound[row]
        return unsound

    def _pixels(self, sample: int) -> npt.NDArray[np.uint8]:
        """A sample's pixels, decoded by the native library or by Pillow."""
        table = self._table
        image = decode_record(table.packs[table.parts[sample]], int(table.records[sample]))
        pixels = np.array(image)
        if pixels.shape[:2] != tuple(self._metadata["f0"][["height", "width"]][sample].item()):
            raise ValueError("the image's size is not the one in the index")
        return pixels

    def _outputs(
        self,
        samples: Rows,
        seed: int,
        metadata: npt.NDArray[Any],
        pixels: Mapping[int, npt.NDArray[np.uint8]],
    ) -> tuple[Any, ...]:
        addresses, lengths = self._places(samples, pixels)
        indices = samples.astype(np.uint64)
        state = ordered_state(indices, addresses, lengths)
        memory = {
            kind: {
                node: self._room(kind, node, query, len(samples)) for node, query in all_.items()
            }
            for kind, all_ in self._stages.requirements.items()
        }
        seed_draws(seed)
        return self._stages.run(indices, metadata, state, memory)

    def _places(
        self, samples: Rows, pixels: Mapping[int, npt.NDArray[np.uint8]]
    ) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
        table = self._table
        addresses, lengths = np.zeros((2, len(samples)), np.uint64)
        for part in np.unique(table.parts[samples]).tolist():
            rows = np.flatnonzero(table.parts[samples] == part)
            addresses[rows], lengths[rows] = table.packs[part].locate(table.records[samples[rows]])
        for row, sample in enumerate(samples.tolist()):
            if sample in pixels:
                addresses[row] = pixels[sample].ctypes.data
                lengths[row] = pixels[sample].size
        return addresses, lengths

    def _room(self, *place_query_count: Any) -> Any:
        *place, query, count = place_query_count
        if query is None:
            return None
        if not isinstance(query, AllocationQuery):
            rooms = enumerate(query)
            return tuple(self._room(*place, number, part, count) for number, part in rooms)
        shape = (count, *(int(side) for side in query.shape))
        if isinstance(query.dtype, torch.dtype):
            return torch.empty(shape, dtype=query.dtype, device=query.device)
        dtype = np.dtype(query.dtype)
        size = int(np.prod(shape)) * dtype.itemsize
        if torch.cuda.is_available():
            return (
                torch.empty(size, dtype=torch.uint8, pin_memory=True)
                .numpy()
                .view(dtype)
                .reshape(shape)
            )
        with self._lock:
            slots = self._slots.setdefault(tuple(place), Slots(self._spare))
        # By way of torch: a view of a NumPy array would not keep the loan alive.
        return torch.from_numpy(slots.take(size)).numpy().view(dtype).reshape(shape)


def _metadata(table: SampleTable) -> npt.NDArray[Any]:
    metadata = np.zeros(len(table.records), _SAMPLE)
    images = metadata["f0"]
    for part, pack in enumerate(table.packs):
        rows = np.flatnonzero(table.parts == part)
        records = table.records[rows]
        images["width"][rows] = pack.index.width[records]
        images["height"][rows] = pack.index.height[records]
        images["mode"][rows] = np.where(pack.index.codec[records] == Codec.JPEG, _JPEG, _RAW)
    images["data_ptr"] = np.arange(len(metadata))
    metadata["f1"] = table.labels
    return metadata


def _specs(pipelines: Mapping[str, Any], fields: Sequence[str]) -> dict[str, PipelineSpec]:
    """FFCV's description of the pipelines, in the order in which its Loader yields them."""
    modules = [
        operation
        for operations in pipelines.values()
        if isinstance(operations, Sequence)
        for operation in operations
        if isinstance(operation, torch.nn.Module)
    ]
    # FFCV leaves its own marks in operations; those of the user stay as they are.
    own = copy.deepcopy(dict(pipelines), {id(module): module for module in modules})
    specs: dict[str, PipelineSpec] = {}
    for name in [*fields, *(name for name in own if name not in fields)]:
        operations = own.get(name, PipelineSpec(name))
        if isinstance(operations, PipelineSpec):
            specs[name] = operations
        elif isinstance(operations, Sequence):
            specs[name] = PipelineSpec(name, decoder=None, transforms=list(operations))
        elif operations is not None:
            raise ValueError(
                f"The pipeline for {name!r} has to be a sequence of operations, a PipelineSpec, or "
                f"None to leave the field out; it is {operations!r}."
            )
    return specs
