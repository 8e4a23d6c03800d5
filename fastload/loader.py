"""``DataLoader``: torch's, with an engine underneath where the dataset is a pack."""

from __future__ import annotations

import math
import os
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, SupportsIndex

import torch
from torch.utils.data import DataLoader as TorchDataLoader
from torch.utils.data import Dataset, Sampler, default_collate
from torch.utils.data._utils.pin_memory import pin_memory as pin

from fastload.augment import Draws, Pipeline
from fastload.balancing import EpochOrder
from fastload.batcher import ON_ERROR, Batcher, Flight
from fastload.caching import CacheUse, checked_cache
from fastload.cpus import usable_cpus
from fastload.engines import check_engine
from fastload.engines.cache import shared_cache
from fastload.epoch_report import EpochReport, describe_epoch
from fastload.error_log import ErrorLog
from fastload.errors import EngineError, FastloadError
from fastload.expected_draws import warn_of_repeats
from fastload.explanation import explain_pipeline
from fastload.ignored import warn_ignored
from fastload.sample import (
    EpochCounter,
    InOrderSampler,
    OrderSampler,
    PermutationSampler,
    Slice,
    batches_of_indices,
    batches_of_order,
    batches_of_sampler,
)
from fastload.stats import LoaderStats, Progress
from fastload.view import View, checked_indices, view_of

__all__ = ["DataLoader"]

_AHEAD = 2


class DataLoader(TorchDataLoader[Any]):
    """Batches of a pack, decoded and transformed by threads of a native engine.

    Takes every argument of torch's ``DataLoader``; any dataset that is not made of packs gets
    torch's own path. The same seed gives the same batches for any number of threads, and each
    epoch its own: epochs count by themselves, or ``set_epoch`` says which one comes next.

    Args:
        dataset: an ``ImageFolder`` of this library, a ``Subset`` or ``ConcatDataset`` of such, or
            any other dataset.
        batch_size, shuffle, sampler, batch_sampler, collate_fn, drop_last: as torch's.
        num_workers: how many threads compute; None for the CPUs this process may use; 0 for the
            same, with nothing computed ahead.
        pin_memory: page-locked batches, for copies to a GPU; without one it does nothing.
        timeout: seconds a batch may take, 0 for no limit.
        generator: where ``seed`` is drawn from, where none is given.
        prefetch_factor: how many batches are computed ahead.
        worker_init_fn, multiprocessing_context, persistent_workers, pin_memory_device, in_order:
            accepted; there are no worker processes, and batches always come in order.
        engine: "native", or "torch" (Pillow and torchvision, slower, the same plan).
        device: where the batches go; None leaves them in main memory.
        seed: 64 bits that fix order and augmentation; None draws one from torch's generator.
        decode: "exact" gives Pillow's pixels; "fast" makes JPEGs smaller plane by plane,
            to pixels near those.
        on_error: what to do with an image that cannot be read: "raise", "skip" it, or "substitute"
            another one of its class. ``errors`` lists them.
        balance: how often each class comes: "none", "class" (all alike), "sqrt", "effective",
            "repeat_factor", "progressive"; {class: weight}; {class: images an epoch}, integers; or
            a function. See ``BalancedSampler`` and docs/imbalance.md. Epochs are shuffled.
        epoch_length: images an epoch; None for as many as there are, or as ``balance`` wants.
        max_repeats: no image comes more often than this in an epoch.
        per_batch: (P, K): each batch has K images of each of P classes.
        cache: memory for what decoding need not do again, shared by all loaders of the process:
            "auto" for up to half of what is free, a size such as "8GB" or a number of bytes, 0 for
            none. It changes no pixel.

    Raises:
        ValueError: arguments contradict one another, as in torch.
        TypeError: the dataset is a path.
        EngineError: the engine, the way to decode or the device does not exist here.
    """

    def __init__(
        self,
        dataset: Dataset[Any],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler[Any] | Iterable[Any] | None = None,
        batch_sampler: Sampler[list[Any]] | Iterable[list[Any]] | None = None,
        num_workers: int | None = None,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: torch.Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
        engine: str = "native",
        device: str | torch.device | None = None,
        seed: int | None = None,
        decode: str = "exact",
        on_error: str = "raise",
        balance: Any = "none",
        epoch_length: int | None = None,
        max_repeats: int | None = None,
        per_batch: tuple[int, int] | None = None,
        cache: str | int | None = "auto",
    ) -> None:
        if isinstance(dataset, (str, os.PathLike)):
            raise TypeError(f"The dataset is a path: give ImageFolder({str(dataset)!r}).")
        check_engine(engine, decode)
        if on_error not in ON_ERROR:
            raise ValueError(f"on_error is {on_error!r}: choose one of {', '.join(ON_ERROR)}.")
        budget = checked_cache(cache)
        self.engine = engine
        self.decode = decode
        self.on_error = on_error
        self.device = _checked_device(device)
        self._view = view_of(dataset)
        keeps = self._view is not None and engine == "native" and budget != 0
        self._cache_use = CacheUse(budget) if keeps else None
        self._epochs = EpochCounter()
        self._log = ErrorLog()
        self._resolution: tuple[int, int] | None = None
        self._passes: weakref.WeakSet[_Pass] = weakref.WeakSet()
        self._progress = Progress(-1)
        threads = num_workers or usable_cpus()
        self.seed = _checked_seed(seed)
        if self._view is not None:
            warn_ignored(worker_init_fn, multiprocessing_context, pin_memory_device, in_order)
            self.seed = _drawn_seed(generator) if seed is None else self.seed
            num_workers = threads if num_workers is None else num_workers
        order = EpochOrder(balance, epoch_length, max_repeats, per_batch)
        if order.is_balanced:
            order.check(sampler, batch_sampler, shuffle)
            self.seed = _drawn_seed(generator) if self.seed is None else self.seed
            sampler = order.sampler(dataset, self.seed, self._epochs)
            batch_size, shuffle = order.batch_size(batch_size), None
        elif self._view is not None and sampler is None and batch_sampler is None:
            sampler = self._own_sampler(dataset, bool(shuffle))
            shuffle = None
        super().__init__(
            dataset,
            batch_size,
            shuffle,
            sampler,
            batch_sampler,
            num_workers or 0,
            collate_fn,
            pin_memory,
            drop_last,
            timeout,
            worker_init_fn,
            multiprocessing_context,
            generator,
            prefetch_factor=prefetch_factor,
            persistent_workers=persistent_workers,
            pin_memory_device=pin_memory_device,
            in_order=in_order,
        )
        if self._view is not None or order.is_balanced:
            warn_of_repeats(self)
        self._ahead = self._batches_ahead(threads)
        to_gpu = self.pin_memory or (self.device is not None and self.device.type == "cuda")
        pinned = to_gpu and torch.cuda.is_available()
        self._batcher = Batcher(engine, threads, decode, pinned, spare=self._ahead + 2)
        if self._cache_use is not None:
            self._cache_use.join(self)

    def _own_sampler(self, dataset: Any, shuffle: bool) -> Sampler[int]:
        if shuffle:
            assert self.seed is not None
            return PermutationSampler(dataset, self.seed, self._epochs)
        return InOrderSampler(dataset)

    def _batches_ahead(self, threads: int) -> int:
        if self.num_workers == 0:
            return 0
        # Small batches do not keep all threads busy two at a time.
        images = self.batch_size or 1
        least = max(_AHEAD, math.ceil(2 * threads / images)) if self.batch_size else _AHEAD
        return max(self.prefetch_factor or 1, least)

    def __getstate__(self) -> dict[str, Any]:
        fleeting = {"_passes": (), "_iterator": None}
        return {**self.__dict__, **fleeting}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.__dict__["_passes"] = weakref.WeakSet()

    @property
    def errors(self) -> list[FastloadError]:
        """The bad records met so far, each once."""
        return self._log.errors

    def set_epoch(self, epoch: int) -> None:
        """Let the next pass be that of ``epoch``, for the order and all that is drawn.

        A sampler or batch sampler of the user's that has ``set_epoch`` is told too.
        """
        self._epochs.set(epoch)
        inner = getattr(self.batch_sampler, "sampler", None)
        for sampler in {id(s): s for s in (self.sampler, self.batch_sampler, inner)}.values():
            told = getattr(sampler, "set_epoch", None)
            if callable(told):
                told(epoch)

    def set_resolution(self, height: int, width: int | None = None) -> None:
        """Let batches from the next pass on be of another size, as if the transform had it.

        All sizes in the transform are scaled alike (Resize(256) with CenterCrop(224) becomes
        Resize(146) with CenterCrop(128) for 128). ``width`` is ``height`` where it is not given.

        Raises:
            TransformError: the transform has no fixed output size.
            ValueError: the dataset is not made of packs, or no image is of that size.
        """
        if self._view is None:
            raise ValueError("set_resolution needs a dataset made of packs.")
        size = _checked_resolution(height, height if width is None else width)
        for part in self._view.parts:
            part.pipeline.at_resolution(*size)
        self._resolution = size

    def _pipelines(self, view: View) -> list[Pipeline]:
        pipelines = [part.pipeline for part in view.parts]
        if self._resolution is None:
            return pipelines
        return [pipeline.at_resolution(*self._resolution) for pipeline in pipelines]

    def stats(self) -> LoaderStats:
        """What the running pass has done so far, or what the last one did: ``print`` it.

        Images a second, how long the consumer waited, what the cache had, and in which stage the
        threads spent their time (the torch engine does not tell).
        """
        facts = None if self._cache_use is None else shared_cache().facts()
        return self._progress.stats(self._batcher.threads, facts)

    def balance_report(self, epoch: int | None = None) -> EpochReport:
        """What an epoch does to each class, see :func:`fastload.describe_epoch`: ``print`` it."""
        return describe_epoch(self, epoch)

    def explain(self) -> None:
        """Print where each transform runs, and why where it is not in the engine."""
        if self._view is None:
            print("torch's own path: the dataset is not made of packs")
            return
        ahead = f"{self._ahead} batches ahead" if self._ahead else "nothing ahead"
        threads = self._batcher.threads
        print(f"engine {self.engine}, decode {self.decode}, {threads} threads, {ahead}")
        for part, pipeline in zip(self._view.parts, self._pipelines(self._view), strict=True):
            print(part.root)
            for line in explain_pipeline(pipeline):
                print(line)

    def check_worker_number_rationality(self) -> None:
        """Torch warns of more worker processes than CPUs; here there are only threads."""
        if self._view is None:
            super().check_worker_number_rationality()

    def close(self) -> None:
        """Stop all threads and let go of all memory; iterating again starts anew."""
        for running in list(self._passes):
            running.close()
        self._batcher.close()
        if self._cache_use is not None:
            self._cache_use.leave(self)

    def __iter__(self) -> Any:
        if self._view is None:
            return super().__iter__()
        started = _Pass(self, self._view, self._epochs.take())
        self._passes.add(started)
        self._progress = started.progress
        return started

    def _slices(self, epoch: int) -> Iterator[Slice]:
        """The indices of one pass, batch by batch."""
        if self.batch_size is None and self.batch_sampler is not None:
            return batches_of_indices(self.batch_sampler)
        size = self.batch_size if self.batch_size is not None else 1
        if isinstance(self.sampler, OrderSampler):
            return batches_of_order(self.sampler.order(epoch), size, self.drop_last)
        return batches_of_sampler(self.sampler, size, self.drop_last)

    def _collated(self, flight: Flight) -> Any:
        """What the user gets for a flight that has landed."""
        if self.batch_sampler is None:
            # Without batches, torch hands its default_convert one sample instead of a list.
            sample: Any = flight.samples()[0]
            return self.collate_fn(sample)
        if self.collate_fn is not default_collate:
            return self.collate_fn(flight.samples())
        made = flight.batch()
        return _collated_by_default(flight.samples()) if made is None else list(made)

    def _delivered(self, batch: Any) -> Any:
        if self.pin_memory and torch.cuda.is_available():
            batch = pin(batch)  # type: ignore[no-untyped-call]
        if self.device is not None:
            batch = _on_device(batch, self.device)
        return batch


class _Pass:
    """One epoch: keeps batches under way ahead of the consumer and hands them over in order."""

    def __init__(self, loader: DataLoader, view: View, epoch: int) -> None:
        self._loader = loader
        self._view = view
        self._epoch = epoch
        self._under_way: deque[Flight | BaseException] = deque()
        self._pipelines = loader._pipelines(view)
        use = loader._cache_use
        self._uses = None if use is None else use.begin(loader, view, loader.sampler, epoch)
        self.progress = Progress(epoch)
        self._slices: Iterator[Slice] | None = loader._slices(epoch)
        self._launch(loader._ahead)

    def __iter__(self) -> _Pass:
        return self

    def __len__(self) -> int:
        return len(self._loader)

    def __next__(self) -> Any:
        while True:
            self._launch(max(1, self._loader._ahead))
            if not self._under_way:
                self.progress.end()
                raise StopIteration
            flight = self._under_way.popleft()
            if isinstance(flight, BaseException):
                self.close()
                raise flight
            with self.progress.waiting():
                self._settle(flight)
            self.progress.add(len(flight), flight.facts)
            self._launch(self._loader._ahead)
            if len(flight):
                return self._loader._delivered(self._loader._collated(flight))

    def _launch(self, wanted: int) -> None:
        """Bring the number of batches under way up to ``wanted``.

        What goes wrong is kept in its place, so that the batches before it are still served.
        """
        loader = self._loader
        while self._slices is not None and len(self._under_way) < wanted:
            try:
                indices, positions = next(self._slices)
                draws = Draws(loader.seed or 0, self._epoch, positions)
                chosen = checked_indices(indices, len(self._view))
                flight = loader._batcher.launch(
                    self._view, self._pipelines, chosen, draws, self._uses
                )
                self._under_way.append(flight)
            except StopIteration:
                self._slices = None
            except Exception as error:  # noqa: BLE001 (raised again in its turn)
                self._slices = None
                self._under_way.append(error)

    def _settle(self, flight: Flight) -> None:
        """Wait for a flight and do with its bad records what the user wants done."""
        loader = self._loader
        failures = flight.land(loader.timeout)
        if not failures:
            return
        if loader.on_error == "raise":
            raise next(iter(failures.values()))
        for error in failures.values():
            loader._log.add(error)
        if loader.on_error == "skip":
            flight.drop(failures)
            return
        for row, error in failures.items():
            flight.substitute(row, error)

    def close(self) -> None:
        """Stop: nothing is under way any more, and the pass is over."""
        self._slices = None
        self.progress.end()
        while self._under_way:
            flight = self._under_way.popleft()
            if isinstance(flight, Flight):
                flight.close()

    def __del__(self) -> None:
        self.close()


def _collated_by_default(samples: list[tuple[Any, Any]]) -> Any:
    """A batch by torch's own ``default_collate``, whose errors are told what to do.

    Raises:
        TypeError: what the transform gives cannot be put into a tensor.
        RuntimeError: the samples are of several sizes.
    """
    try:
        return default_collate(samples)
    except TypeError as error:
        raise TypeError(
            f"{error}. That is what the dataset's transform returns: let it end in ToTensor or "
            "PILToTensor, or give the loader a collate_fn."
        ) from error
    except RuntimeError as error:
        if "equal size" not in str(error):
            raise
        raise RuntimeError(
            f"{error}. Let the dataset's transform bring all images to one size "
            "(RandomResizedCrop, or Resize and CenterCrop), or give the loader a collate_fn."
        ) from error


def _checked_seed(seed: Any) -> int | None:
    if seed is None:
        return None
    if not isinstance(seed, SupportsIndex) or not 0 <= int(seed) < 2**64:
        raise ValueError(f"seed is {seed!r}: it takes an integer, 0 to 2**64 - 1.")
    return int(seed)


def _checked_resolution(height: Any, width: Any) -> tuple[int, int]:
    for side in (height, width):
        if not isinstance(side, SupportsIndex) or int(side) < 1:
            raise ValueError(f"A side of {side!r} pixels: set_resolution takes integers from 1 on.")
    return int(height), int(width)


def _drawn_seed(generator: torch.Generator | None) -> int:
    return int(torch.empty((), dtype=torch.int64).random_(generator=generator).item())


def _checked_device(device: str | torch.device | None) -> torch.device | None:
    if device is None:
        return None
    wanted = torch.device(device)
    if wanted.type == "cuda" and not torch.cuda.is_available():
        raise EngineError(
            f"device={str(device)!r}, but torch sees no CUDA GPU here: leave device out, or "
            "install torch with CUDA and the GPU's driver."
        )
    return wanted


def _on_device(batch: Any, device: torch.device) -> Any:
    if isinstance(batch, torch.Tensor):
        return batch.to(device, non_blocking=True)
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*(_on_device(item, device) for item in batch))
    if isinstance(batch, (list, tuple)):
        return type(batch)(_on_device(item, device) for item in batch)
    if isinstance(batch, dict):
        return {key: _on_device(item, device) for key, item in batch.items()}
    return batch
