"""The cache changes how long loading takes, and nothing else."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.utils.data import ConcatDataset, Subset, WeightedRandomSampler
from torchvision.transforms import transforms as v1

import fastload
from fastload import caching
from fastload.caching import CacheUse, checked_cache
from fastload.engines.cache import RecordCache, shared_cache
from fastload.feed import OrderFeed, SamplerFeed
from fastload.memory import available_memory
from fastload.sample import (
    UNEVEN,
    BalancedSampler,
    Division,
    InOrderSampler,
    PermutationSampler,
)
from fastload.view import view_of
from tests.test_cpus import write

CROP = v1.Compose([v1.RandomResizedCrop(24), v1.RandomHorizontalFlip(), v1.PILToTensor()])
WHOLE = v1.Compose([v1.Resize((20, 20)), v1.PILToTensor()])


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch) -> RecordCache:
    """A cache of the test's own in the place of the process's."""
    cache = RecordCache()
    monkeypatch.setattr("fastload.engines.cache._shared", cache)
    return cache


def loader_of(pack: Path, transform: Any = CROP, **kwargs: Any) -> fastload.DataLoader:
    dataset = fastload.ImageFolder(pack, transform)
    return fastload.DataLoader(dataset, 5, num_workers=2, **{"shuffle": True, "seed": 3} | kwargs)


def epochs_of(loader: fastload.DataLoader, count: int = 4) -> list[torch.Tensor]:
    return [torch.cat([images for images, _ in loader]) for _ in range(count)]


def same(ours: list[torch.Tensor], theirs: list[torch.Tensor]) -> bool:
    return all(torch.equal(one, other) for one, other in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("cache", ["auto", 1, 2_000, 30_000, "1GB"])
@pytest.mark.parametrize("decode", ["exact", "fast"])
def test_batches_do_not_depend_on_it(small_pack: Path, cache: str | int, decode: str) -> None:
    plain = epochs_of(loader_of(small_pack, cache=0, decode=decode))
    assert same(epochs_of(loader_of(small_pack, cache=cache, decode=decode)), plain)


def test_batches_of_the_files_as_they_were(label_folder: Path, tmp_path: Path) -> None:
    pack = fastload.pack(label_folder, tmp_path / "verbatim", verbatim=True).path
    plain = epochs_of(loader_of(pack, cache=0))
    loader = loader_of(pack, cache="1GB")
    assert same(epochs_of(loader), plain)
    # All but the PNG files, which Pillow decodes.
    assert loader.stats().work.kept == 18


def test_everything_is_decoded_once(small_pack: Path) -> None:
    loader = loader_of(small_pack, WHOLE, cache="1GB")
    epochs_of(loader, 1)
    assert loader.stats().hits == 0 and loader.stats().work.bytes > 0
    epochs_of(loader, 1)
    stats = loader.stats()
    assert stats.hits == 1 and stats.work.bytes == 0 and stats.images == 22
    assert 0 < stats.cache_bytes <= stats.cache_budget == 10**9


def test_loaders_of_a_process_share_it(small_pack: Path) -> None:
    first, second = (loader_of(small_pack, WHOLE, cache="1GB") for _ in range(2))
    epochs_of(first, 1)
    epochs_of(second, 1)
    assert second.stats().hits == 1
    part = Subset(ConcatDataset([first.dataset, second.dataset]), [40, 3, 3, 25])
    third = fastload.DataLoader(part, 2, cache="1GB")
    epochs_of(third, 1)
    assert third.stats().hits == 1


def test_a_pack_made_anew_is_another_one(label_folder: Path, tmp_path: Path) -> None:
    first = loader_of(fastload.pack(label_folder, tmp_path / "a").path, WHOLE, cache="1GB")
    epochs_of(first, 1)
    other = fastload.pack(label_folder, tmp_path / "b", seed=5).path
    plain = epochs_of(loader_of(other, WHOLE, cache=0), 1)
    assert same(epochs_of(loader_of(other, WHOLE, cache="1GB"), 1), plain)


def test_what_one_loader_leaves_the_next_one_finds(small_pack: Path) -> None:
    second = loader_of(small_pack, WHOLE, cache="1GB")
    epochs_of(loader_of(small_pack, WHOLE, cache="1GB"), 1)
    gc.collect()
    epochs_of(second, 1)
    assert second.stats().hits == 1


def test_memory_goes_with_the_last_loader(small_pack: Path, own_cache: RecordCache) -> None:
    first, second = (loader_of(small_pack, WHOLE, cache=size) for size in ("1GB", "2GB"))
    epochs_of(first, 1)
    epochs_of(second, 1)
    assert own_cache.facts().budget == 2 * 10**9
    second.close()
    assert own_cache.facts().budget == 10**9 and own_cache.facts().bytes > 0
    del first
    gc.collect()
    assert own_cache.facts().budget == own_cache.facts().bytes == 0
    assert len(epochs_of(second, 1)[0]) == 22 and own_cache.facts().bytes > 0


def test_a_small_cache_keeps_within_its_budget(small_pack: Path, own_cache: RecordCache) -> None:
    loader = loader_of(small_pack, WHOLE, cache=40_000)
    epochs_of(loader, 6)
    facts = own_cache.facts()
    assert 20_000 < facts.bytes <= 40_000
    assert 0 < loader.stats().hits < 1


def test_without_a_cache_nothing_is_kept(small_pack: Path, own_cache: RecordCache) -> None:
    for loader in (loader_of(small_pack, cache=0), loader_of(small_pack, engine="torch")):
        epochs_of(loader, 2)
        assert loader.stats().hits == 0 and loader.stats().cache_budget == 0
    assert own_cache.facts() == RecordCache().facts()


def test_an_unfinished_pass_does_not_mislead_it(small_pack: Path) -> None:
    plain = epochs_of(loader_of(small_pack, cache=0))
    loader = loader_of(small_pack, cache=40_000)
    for _ in range(3):
        for _ in zip(range(2), loader, strict=False):
            pass
    loader.set_epoch(0)
    assert same(epochs_of(loader), plain)


def test_a_fork_has_one_of_its_own(small_pack: Path) -> None:
    loader = loader_of(small_pack, WHOLE, cache="1GB")
    expected = epochs_of(loader, 1)
    child = os.fork()
    if child == 0:
        loader.set_epoch(0)
        right = same(epochs_of(loader, 1), expected) and loader.stats().hits == 0
        os._exit(0 if right else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_stats_tell_where_time_goes(small_pack: Path) -> None:
    loader = loader_of(small_pack)
    assert loader.stats().images == 0 and loader.stats().epoch == -1
    iterator = iter(loader)
    next(iterator)
    assert loader.stats().images == 5 and loader.stats().epoch == 0
    list(iterator)
    stats = loader.stats()
    work = stats.work
    assert stats.images == 22 and stats.threads == 2
    assert 0 <= stats.wait <= stats.seconds
    assert stats.images_per_second == pytest.approx(22 / stats.seconds)
    stages = (work.read, work.entropy, work.inverse_dct, work.colour, work.resize, work.rest)
    assert min(stages) > 0 and sum(stages) < 2 * stats.seconds
    index = loader.dataset.pack.index  # type: ignore[attr-defined]
    assert work.bytes == index.length.sum()
    for word in ("22 images", "entropy", "cache: 0%"):
        assert word in str(stats)
    seconds = stats.seconds
    assert loader.stats().seconds == seconds  # the pass is over


@pytest.mark.parametrize("cache", ["8 gigs", -1, ""])
def test_what_is_no_size_is_refused(small_pack: Path, cache: Any) -> None:
    with pytest.raises(ValueError, match="cache is"):
        loader_of(small_pack, cache=cache)


def test_sizes() -> None:
    assert checked_cache("8GB") == 8 * 10**9 and checked_cache(4096) == 4096
    assert checked_cache(None) == checked_cache(0) == checked_cache("0") == 0


# ---- What is wanted when


def begun(use: CacheUse, pack: Path, sampler: Any, feed: Any = None) -> caching.PassUses:
    dataset = fastload.ImageFolder(pack)
    view = view_of(dataset)
    assert view is not None
    feed = OrderFeed(sampler, 0, 0, Division(5)) if feed is None else feed
    return use.begin(dataset, view, sampler, feed)


def test_times_of_a_permutation_reach_into_the_next_epoch(small_pack: Path) -> None:
    sampler = PermutationSampler(range(22), seed=1)
    order, following = sampler.order(0), sampler.order(1)
    uses = begun(CacheUse(1000), small_pack, sampler)
    times = uses.of(order, np.arange(22))
    assert (following[times.astype(int) - 22] == order).all()
    in_order = begun(CacheUse(1000), small_pack, InOrderSampler(range(22)))
    assert (in_order.of(np.arange(22), np.arange(22)) == np.arange(22) + 22).all()


@pytest.mark.parametrize("start", [0, 6])
def test_times_of_a_rank_are_those_of_its_own_share(small_pack: Path, start: int) -> None:
    sampler = PermutationSampler(range(22), seed=1)
    division = Division(2, rank=1, ranks=3, uneven="exact")
    feed = OrderFeed(sampler, 0, start, division)
    uses = begun(CacheUse(1000), small_pack, sampler, feed)
    own, following = sampler.order(0)[start + 1 :: 3].tolist(), sampler.order(1)[1::3].tolist()
    for place, sample in enumerate(own):
        time = uses.of(np.array([sample]), np.array([start + 1 + 3 * place]))[0]
        if sample in following:
            assert time == len(own) + following.index(sample)
        else:
            assert time == 2**64 - 1


@settings(deadline=None, max_examples=60)
@given(
    labels=st.lists(st.integers(0, 3), min_size=4, max_size=22),
    shape=st.sampled_from([None, (1, 1), (2, 2), (2, 3), (1, 4)]),
    length=st.integers(12, 60),
    ranks=st.integers(1, 3),
    batches=st.integers(1, 3),
    start=st.integers(0, 12),
    uneven=st.sampled_from(UNEVEN),
    data=st.data(),
)
def test_times_of_balanced_orders(
    small_pack: Path,
    labels: list[int],
    shape: tuple[int, int] | None,
    length: int,
    ranks: int,
    batches: int,
    start: int,
    uneven: str,
    data: st.DataObject,
) -> None:
    """Whatever repeats, ranks and resuming do: the sample's next place in the rank's share."""
    try:
        sampler = BalancedSampler(labels, "class", per_batch=shape, epoch_length=length)
    except ValueError:
        return  # fewer classes than a batch wants
    rank = data.draw(st.integers(0, ranks - 1))
    division = Division(sampler.run * batches, rank, ranks, uneven, run=sampler.run)
    feed = OrderFeed(sampler, 0, start, division)
    uses = begun(CacheUse(1000), small_pack, sampler, feed)
    own = division.share(sampler.order(0), start).tolist()
    both = [*own, *division.share(sampler.order(1), 0).tolist()]
    served = list(feed.slices())
    times = [time for one in served for time in uses.of(one.indices, one.positions).tolist()]
    assert sum((one.indices.tolist() for one in served), []) == own
    for place, (sample, time) in enumerate(zip(own, times, strict=True)):
        later = [there for there in range(place + 1, len(both)) if both[there] == sample]
        assert time - uses.start == later[0] if later else time == 2**64 - 1


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_an_epoch_that_cannot_be_drawn_does_not_spoil_the_one_before(small_pack: Path) -> None:
    def shares(counts: Any, epoch: int) -> Any:
        return counts if epoch < 2 else [1, 2][epoch]

    expected = [
        torch.cat([images for images, _ in loader_of(small_pack, shuffle=None, balance=shares)])
    ]
    loader = loader_of(small_pack, shuffle=None, balance=shares, cache=2000)
    assert same(epochs_of(loader, 1), expected) and len(epochs_of(loader, 1)[0]) == 22
    with pytest.raises(IndexError):
        iter(loader)
    last = loader_of(small_pack, cache=2000)
    last.set_epoch(2**32 - 1)
    assert len(epochs_of(last, 1)[0]) == 22


@pytest.mark.filterwarnings("ignore:An epoch leaves out")
@settings(deadline=None, max_examples=25)
@given(
    balance=st.sampled_from(
        ["class", "sqrt", "progressive:2", lambda counts, epoch: counts**epoch]
    ),
    length=st.none() | st.integers(1, 70),
    shape=st.sampled_from([None, None, (2, 1), (2, 3)]),
    cache=st.sampled_from([1, 3_000, 30_000, 10**8]),
    ranks=st.integers(1, 3),
    threads=st.integers(0, 2),
)
def test_balanced_batches_do_not_depend_on_it(
    small_pack: Path,
    balance: Any,
    length: int | None,
    shape: tuple[int, int] | None,
    cache: int,
    ranks: int,
    threads: int,
) -> None:
    def epochs(budget: int, rank: int) -> list[torch.Tensor]:
        dataset = fastload.ImageFolder(small_pack, CROP)
        loader = fastload.DataLoader(
            dataset, 1 if shape else 5, balance=balance, epoch_length=length, per_batch=shape,
            seed=3, num_workers=threads, cache=budget, rank=rank, world_size=ranks,
        )  # fmt: skip
        return epochs_of(loader, 3)

    assume(shape is None or length is None or length >= shape[0] * shape[1])
    for rank in range(ranks):
        assert same(epochs(cache, rank), epochs(0, rank))


class _Twice(InOrderSampler):
    def order(self, epoch: int) -> Any:
        return np.array([3, 3, 5, 3] if epoch == 0 else [7, 5, 7, 5])


def test_times_within_a_pass_come_first(small_pack: Path) -> None:
    uses = begun(CacheUse(1000), small_pack, _Twice(range(4)))
    times = uses.of(np.array([3, 3, 5, 3]), np.arange(4))
    assert times.tolist() == [1, 3, 5, 2**64 - 1]


def test_where_all_fits_no_times_are_kept(small_pack: Path) -> None:
    sampler = PermutationSampler(range(22), seed=1)
    uses = begun(CacheUse(10**9), small_pack, sampler)
    assert uses.times is None
    assert (uses.of(np.arange(22), np.arange(22)) == uses.otherwise).all()


def test_times_of_weighted_draws(small_pack: Path) -> None:
    weights = [8.0, 4.0, 0.0, 4.0]
    sampler = WeightedRandomSampler(weights, 100)
    uses = begun(CacheUse(1000), small_pack, sampler, SamplerFeed(sampler, 0, 5, False))
    uses.cache.clock = 1000
    times = uses.of(np.arange(4), np.arange(4))
    assert times[[0, 1, 3]].tolist() == [1002, 1004, 1004] and times[2] > 2**61


def test_times_count_from_the_pass_and_between_passes(small_pack: Path) -> None:
    use, sampler = CacheUse(1000), InOrderSampler(range(22))
    assert begun(use, small_pack, sampler).of(np.array([0]), np.array([0])) == 22
    # Meanwhile another loader has had its pass.
    shared_cache().clock = 22 + 10
    assert begun(use, small_pack, sampler).of(np.array([0]), np.array([0])) == 32 + 32


def test_a_plan_made_anew_names_the_first_use(
    small_pack: Path, own_cache: RecordCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caching, "_STEP", 2)
    planned: dict[int, int] = {}
    monkeypatch.setattr(
        own_cache, "plan", lambda keys, times: planned.update(zip(keys, times, strict=True))
    )
    dataset = fastload.ImageFolder(small_pack)
    view = view_of(dataset)
    assert view is not None
    order = np.array([4, 9, 4, 2, 9, 4])
    caching._plan_anew(own_cache, view, order, start=100, otherwise=900)
    keys = own_cache.keys(dataset.pack, view.locate(np.array([4, 9, 2])).records)
    assert [planned[key] for key in keys] == [100, 101, 103] and len(planned) == 3


def test_auto_is_half_of_what_is_free(small_pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caching, "available_memory", lambda: 6 * 10**9)
    loader = loader_of(small_pack)
    epochs_of(loader, 1)
    assert loader.stats().cache_budget == 3 * 10**9
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    kept = loader.stats().cache_bytes
    epochs_of(loader, 1)
    assert loader.stats().cache_budget == int((6 * 10**9 + kept) / 8)


# ---- Free memory

MEMINFO = "MemTotal: 16000 kB\nMemFree: 100 kB\nMemAvailable:    8000 kB\n"


def test_free_memory_of_the_system(tmp_path: Path) -> None:
    write(tmp_path / "meminfo", MEMINFO)
    assert available_memory(tmp_path / "meminfo", tmp_path / "none", tmp_path) == 8000 * 1024


def test_free_memory_of_a_container(tmp_path: Path) -> None:
    write(tmp_path / "meminfo", MEMINFO)
    write(tmp_path / "membership", "0::/box/task\n")
    write(tmp_path / "box/task/memory.max", "max\n")
    for folder, limit in ((tmp_path / "box", "5000000"), (tmp_path, "9000000")):
        write(folder / "memory.max", limit + "\n")
        write(folder / "memory.current", "3000000\n")
        write(folder / "memory.stat", "anon 7\nfile 500000\n")
    free = available_memory(tmp_path / "meminfo", tmp_path / "membership", tmp_path)
    assert free == 5_000_000 - 3_000_000 + 500_000


def test_free_memory_of_an_old_container(tmp_path: Path) -> None:
    write(tmp_path / "meminfo", MEMINFO)
    write(tmp_path / "membership", "7:memory:/box\n")
    for folder, limit in (
        (tmp_path / "memory/box", 4_000_000),
        (tmp_path / "memory", 2**63 - 4096),
    ):
        write(folder / "memory.limit_in_bytes", f"{limit}\n")
        write(folder / "memory.usage_in_bytes", "3000000\n")
        write(folder / "memory.stat", "cache 1\ntotal_cache 250000\n")
    free = available_memory(tmp_path / "meminfo", tmp_path / "membership", tmp_path)
    assert free == 4_000_000 - 3_000_000 + 250_000
