"""``DataLoader``: torch's, with an engine underneath where the dataset is a pack."""

from __future__ import annotations

import logging
import math
import os
import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any, SupportsIndex

import torch
from torch.utils.data import DataLoader as TorchDataLoader
from torch.utils.data import Dataset, Sampler, default_collate
from torch.utils.data._utils.pin_memory import pin_memory as pin

from fastload.augment import BatchMix, Draws, Pipeline
from fastload.balancing import EpochOrder
from fastload.batcher import ON_ERROR, Batcher, Flight
from fastload.caching import CacheUse, checked_cache
from fastload.cpus import usable_cpus
from fastload.delivery import (
    checked_device,
    checked_memory_format,
    checked_mix,
    collated_by_default,
    in_memory_format,
    mixed_batch,
    on_device,
)
from fastload.engines.cache import shared_cache
from fastload.engines.choice import choose_engine
from fastload.epoch_report import EpochReport, describe_epoch
from fastload.error_log import ErrorLog
from fastload.errors import FastloadError
from fastload.expected_draws import warn_of_repeats
from fastload.explanation import explain_pipeline, explain_ranks, named_transforms
from fastload.ignored import warn_ignored
from fastload.resuming import Standing, checked_state, state_of
from fastload.running import Pass
from fastload.sample import (
    UNEVEN,
    EpochCounter,
    InOrderSampler,
    OrderSampler,
    PermutationSampler,
    Ranks,
    SeedAgreement,
    checked_ranks,
    checked_seed,
    rewind,
    rewind_point,
    unwrapped,
)
from fastload.source import Source
from fastload.stats import LoaderStats, Progress
from fastload.torch_path import RankBatches
from fastload.tuned import TunedSettings, filled
from fastload.user_pipelines import PipelineBatcher, PipelineFlight, check_pipelines
from fastload.view import View, view_of

__all__ = ["DataLoader"]

_AHEAD = 2
_LOGGER = logging.getLogger("fastload")


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
        engine: what decodes and transforms: "native", "dali", "ffcv", or "torch" (Pillow and
            torchvision, slower, the same plan); "auto" for the one that measurements show fastest
            (``explain`` says which and why). See docs/engines.md.
        device: where the batches go; None leaves them in main memory.
        memory_format: torch.channels_last lets the channels of a pixel lie beside each other.
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
        rank, world_size: which share of each epoch to serve; left out, what ``torch.distributed``
            says, if it is initialised when a pass begins. A sampler of torch's or of the user's
            divides the epoch itself, and is not divided again. Of datasets that are not made of
            packs, only balanced epochs are divided.
        uneven: what to do with the rest that cannot be divided among the ranks: "pad" repeats the
            first samples, "drop" leaves it out, "exact" lets some ranks have one sample less.
        mix: ``MixUp``, ``CutMix`` or ``RandomMix`` of ``fastload.augment``, for every batch; see
            the attribute.
        pipelines: with engine="ffcv": operations of FFCV for the fields "image" and "label", as
            FFCV's Loader takes them; batches are the tuples that it yields. The dataset's
            transform does not run. See docs/engines.md.
        tuned: take what ``fastload tune`` found for this host, the packs and the transform: of
            ``num_workers``, ``prefetch_factor``, ``pin_memory``, ``cache``, ``decode`` and
            ``engine`` those that are at their defaults. See docs/tuning.md.

    Raises:
        ValueError: arguments contradict one another, as in torch, or ``tuned`` is asked for where
            the dataset is not made of packs.
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
        engine: str = "auto",
        device: str | torch.device | None = None,
        memory_format: torch.memory_format = torch.contiguous_format,
        seed: int | None = None,
        decode: str = "exact",
        on_error: str = "raise",
        balance: Any = "none",
        epoch_length: int | None = None,
        max_repeats: int | None = None,
        per_batch: tuple[int, int] | None = None,
        cache: str | int | None = "auto",
        rank: int | None = None,
        world_size: int | None = None,
        uneven: str = "pad",
        mix: BatchMix | None = None,
        pipelines: Mapping[str, Any] | None = None,
        tuned: bool = False,
    ) -> None:
        if isinstance(dataset, (str, os.PathLike)):
            raise TypeError(f"The dataset is a path: give ImageFolder({str(dataset)!r}).")
        given = TunedSettings(num_workers, prefetch_factor, pin_memory, cache, decode, engine)
        taken = filled(dataset, given, tuned)
        num_workers, prefetch_factor = taken.num_workers, taken.prefetch_factor
        pin_memory, cache = taken.pin_memory, taken.cache
        decode, engine = taken.decode, taken.engine
        self.device = checked_device(device)
        self.memory_format = checked_memory_format(memory_format)
        self._choice = choose_engine(engine, decode, self.device)
        self.engine = self._choice.engine
        if on_error not in ON_ERROR:
            raise ValueError(f"on_error is {on_error!r}: choose one of {', '.join(ON_ERROR)}.")
        if uneven not in UNEVEN:
            raise ValueError(f"uneven is {uneven!r}: choose one of {', '.join(UNEVEN)}.")
        given_ranks = checked_ranks(rank, world_size)
        self.rank, self.world_size, self.uneven = rank, world_size, uneven
        budget = checked_cache(cache)
        self.decode = decode
        self.on_error = on_error
        self.cache = cache
        self._view = view_of(dataset)
        keeps = self._view is not None and self.engine == "native" and budget != 0
        self._cache_use = CacheUse(budget) if keeps else None
        self.pipelines = pipelines
        check_pipelines(pipelines, self.engine, self._view, batch_size, collate_fn)
        self._epochs = EpochCounter()
        self._agreement: SeedAgreement | None = None
        self._log = ErrorLog()
        self._resolution: tuple[int, int] | None = None
        self._passes: weakref.WeakSet[Pass] = weakref.WeakSet()
        self._progress = Progress(-1)
        threads = num_workers or usable_cpus()
        sampler = unwrapped(sampler)
        own = sampler is None and batch_sampler is None
        order = EpochOrder(balance, epoch_length, max_repeats, per_batch)
        order.check(sampler, batch_sampler, shuffle)
        if self._view is not None:
            warn_ignored(worker_init_fn, multiprocessing_context, pin_memory_device, in_order)
            num_workers = threads if num_workers is None else num_workers
        self.seed = None if seed is None else checked_seed(seed)
        if self._view is not None or order.is_balanced or isinstance(sampler, OrderSampler):
            shared = given_ranks is None and (own or isinstance(sampler, OrderSampler))
            self._agreement = self._seed_agreement(sampler, generator, shared)
            self.seed = self._agreement.seed
        if order.is_balanced or (self._view is not None and own):
            sampler, shuffle = self._own_sampler(dataset, order, bool(shuffle)), None
            batch_size = order.batch_size(batch_size)
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
        if isinstance(self.sampler, OrderSampler):
            # Whoever tells the sampler of an epoch tells the loader.
            self._epochs = self.sampler.epochs
        self._standing = Standing(self._epochs)
        self._source = self._own_source(given_ranks)
        if self._view is not None or order.is_balanced:
            warn_of_repeats(self)
        self._ahead = self._batches_ahead(threads)
        self._batcher = self._own_batcher(threads)
        if self._cache_use is not None:
            self._cache_use.join(self)
        self.mix = mix

    def _own_batcher(self, threads: int) -> Batcher:
        if self.pipelines is not None:
            return PipelineBatcher(self.pipelines, threads, self._ahead)
        to_gpu = self.pin_memory or (self.device is not None and self.device.type == "cuda")
        return Batcher(
            self.engine,
            threads,
            self.decode,
            self._making_device(),
            self._ahead,
            pinned=to_gpu and torch.cuda.is_available(),
            channels_last=self.memory_format == torch.channels_last,
        )

    def _making_device(self) -> torch.device:
        """Where the engine may make batches: what others collate, they get in main memory."""
        own = self.batch_sampler is not None and self.collate_fn is default_collate
        return self._choice.device if own else torch.device("cpu")

    def _seed_agreement(
        self, sampler: Any, generator: torch.Generator | None, shared: bool
    ) -> SeedAgreement:
        theirs = sampler.agreement if isinstance(sampler, OrderSampler) else None
        if shared and theirs is not None and self.seed in (None, theirs.seed):
            # A loader made anew from one of ours, as Lightning does: a drawn seed stays that.
            return theirs
        given = self.seed is not None
        seed = _drawn_seed(generator) if self.seed is None else self.seed
        return SeedAgreement(seed, given=given, shared=shared)

    def _own_sampler(self, dataset: Any, order: EpochOrder, shuffle: bool) -> OrderSampler:
        sampler: OrderSampler = InOrderSampler(dataset, self._epochs)
        if order.is_balanced:
            sampler = order.sampler(dataset, self.seed or 0, self._epochs)
        elif shuffle:
            sampler = PermutationSampler(dataset, self.seed or 0, self._epochs)
        sampler.agreement = self._agreement
        return sampler

    def _own_source(self, ranks: Ranks | None) -> Source | None:
        if self._agreement is not None:
            return Source(
                self.sampler,
                self.batch_sampler,
                self.batch_size,
                self.drop_last,
                self.uneven,
                ranks,
                self._agreement,
            )
        if ranks is not None:
            raise ValueError(
                "rank= and world_size= need a dataset made of packs, or balance=: give this one "
                "a torch.utils.data.DistributedSampler."
            )
        return None

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
    def mix(self) -> BatchMix | None:
        """What mixes each batch, on its device, from the next one on; None leaves them as they are.

        How a batch is mixed depends on seed, epoch and the position of its first sample alone.
        """
        return self._mix

    @mix.setter
    def mix(self, mix: BatchMix | None) -> None:
        self._mix = checked_mix(mix, self._view, batched=self.batch_sampler is not None)

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
        if self._view is None or self._source is None:
            print("torch's own path: the dataset is not made of packs")
            return
        ahead = f"{self._ahead} batches ahead" if self._ahead else "nothing ahead"
        threads = self._batcher.threads
        why = f" ({self._choice.reason})" if self._choice.reason else ""
        print(f"engine {self.engine}{why}, decode {self.decode}, {threads} threads, {ahead}")
        if self.mix is not None:
            print(f"batches mixed by {self.mix!r}")
        for line in explain_ranks(self._source.ranks, self.sampler, self.uneven, len(self)):
            print(line)
        for part, pipeline in zip(self._view.parts, self._pipelines(self._view), strict=True):
            print(part.root)
            for line in (*explain_pipeline(pipeline), *self._batcher.remarks(pipeline)):
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

    def __len__(self) -> int:
        """Batches of a whole epoch, on this rank."""
        steps = None if self._source is None else self._source.steps
        return super().__len__() if steps is None else steps

    @property
    def _index_sampler(self) -> Any:
        """Where torch's own path takes its indices from."""
        if self._source is None or self._source.order_sampler is None:
            return super()._index_sampler
        return RankBatches(self._source, self._epochs, batched=self.batch_sampler is not None)

    def __iter__(self) -> Any:
        if self._source is None:
            return super().__iter__()
        if self._view is None:
            epoch = self._epochs.next
            self.seed = self._source.settle({"sampler": self._source.identity(), "epoch": epoch})
            return super().__iter__()
        now, identity = self._standing.now(), self._identity()
        served = {**identity, "epoch": now.epoch, "position": now.position}
        self.seed = identity["seed"] = self._source.settle(served)
        place = self._standing.begin(rewind_point(self._source.iterated), identity)
        feed = self._source.feed(place.epoch, place.position)
        started = Pass(self, self._view, place, feed)
        self._passes.add(started)
        self._progress = started.progress
        return started

    def _identity(self) -> dict[str, Any]:
        """What decides the samples of an epoch, by name, as JSON takes it."""
        assert self._view is not None
        assert self._source is not None
        return {
            "dataset": self._view.identity(),
            "transform": [named_transforms(part.pipeline) for part in self._view.parts],
            "resolution": self._resolution,
            "decode": self.decode,
            "sampler": self._source.identity(),
            "seed": self.seed,
        }

    def state_dict(self) -> dict[str, Any]:
        """Where the loader stands: what ``load_state_dict`` goes on from, at the next sample.

        Small and quick to make. It counts what was delivered over all ranks, so that any rank's
        state does for all of them, and for another number of ranks, batches or threads.
        """
        if self._view is None or self._source is None:
            return {"version": None}
        place = self._standing.now()
        if self._standing.loaded or (place.identity is not None and not place.complete):
            point, identity = place.point, place.identity
        else:
            point, identity = rewind_point(self._source.iterated), None
        return state_of(place, identity or self._identity(), point)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Let the next pass go on at the sample where a state was saved.

        After the last sample of an epoch that is the next epoch's first one, unless
        ``set_epoch`` is told the old one again: of that there is nothing left.

        Args:
            state: what ``state_dict`` gave, here or in another process.

        Raises:
            StateError: it was saved with another pack, transform, sampler, seed or way to decode,
                or with a sampler of which an order cannot be had again.
        """
        if self._view is None or self._source is None or self._agreement is None:
            _LOGGER.warning("the dataset is not made of packs: nothing is resumed in an epoch")
            return
        ranks, given = self._source.feed(0, 0).ranks, self._agreement.given
        place = checked_state(state, self._identity(), ranks, seed_given=given)
        if place.point:
            rewind(self._source.iterated, place.point)
        self.seed = state["seed"]
        self._source.take_seed(self.seed)
        self._resolution = state["resolution"] and tuple(state["resolution"])
        self._standing.load(place)

    def _collated(self, flight: Flight) -> Any:
        """What the user gets for a flight that has landed."""
        if isinstance(flight, PipelineFlight):
            return flight.outputs()
        if self.batch_sampler is None:
            # Without batches, torch hands its default_convert one sample instead of a list.
            sample: Any = flight.samples()[0]
            return self.collate_fn(sample)
        if self.collate_fn is not default_collate:
            return self.collate_fn(flight.samples())
        made = flight.batch()
        if made is not None:
            return list(made)
        return in_memory_format(collated_by_default(flight.samples()), self.memory_format)

    def _delivered(self, batch: Any, draws: Draws) -> Any:
        if self.mix is not None and self.device is None:
            batch = mixed_batch(batch, self.mix, draws)
        if self.pin_memory and torch.cuda.is_available():
            batch = pin(batch)  # type: ignore[no-untyped-call]
        if self.device is not None:
            batch = on_device(batch, self.device)
            if self.mix is not None:
                batch = mixed_batch(batch, self.mix, draws)
        return batch


def _checked_resolution(height: Any, width: Any) -> tuple[int, int]:
    for side in (height, width):
        if not isinstance(side, SupportsIndex) or int(side) < 1:
            raise ValueError(f"A side of {side!r} pixels: set_resolution takes integers from 1 on.")
    return int(height), int(width)


def _drawn_seed(generator: torch.Generator | None) -> int:
    return int(torch.empty((), dtype=torch.int64).random_(generator=generator).item())
