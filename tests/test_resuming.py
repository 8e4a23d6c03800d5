"""A loader goes on at the very next sample, bit for bit."""

from __future__ import annotations

import copy
import json
import pickle
import time
from collections.abc import Iterator
from itertools import islice, product, zip_longest
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import (
    BatchSampler,
    DistributedSampler,
    RandomSampler,
    Subset,
    TensorDataset,
    WeightedRandomSampler,
)
from torchvision.transforms import transforms as v1

import fastload
from fastload.errors import StateError
from fastload.sample import BalancedSampler, PermutationSampler
from tests.test_dataset import damaged_copy

IMAGES = 22
TRAIN = v1.Compose([v1.RandomResizedCrop(8), v1.RandomHorizontalFlip(), v1.PILToTensor()])


def loader_of(pack: Path, batch_size: int | None = 1, **kwargs: Any) -> fastload.DataLoader:
    dataset = fastload.ImageFolder(pack, kwargs.pop("transform", TRAIN))
    arguments = {"shuffle": True, "seed": 3, "num_workers": 2} | kwargs
    if arguments.keys() & {"sampler", "batch_sampler"}:
        del arguments["shuffle"]
    return fastload.DataLoader(dataset, batch_size, **arguments)


def images_of(loader: fastload.DataLoader, passes: int = 1) -> list[bytes]:
    found: list[bytes] = []
    for _ in range(passes):
        for images, _ in loader:
            found += [image.numpy().tobytes() for image in images]
    return found


def stopped(loader: fastload.DataLoader, batches: int) -> dict[str, Any]:
    """The state after some batches of the next pass, which is broken off then."""
    running = iter(loader)
    for _ in islice(running, batches):
        pass
    return loader.state_dict()


def resumed(loader: fastload.DataLoader, state: dict[str, Any], passes: int) -> list[bytes]:
    loader.load_state_dict(state)
    return images_of(loader, passes)


def union(loaders: list[fastload.DataLoader], passes: int) -> list[bytes]:
    """What several ranks serve in step, in the order of one process."""
    found: list[bytes] = []
    for _ in range(passes):
        running: list[Iterator[Any]] = [iter(loader) for loader in loaders]
        while step := [images for images, _ in filter(None, [next(one, None) for one in running])]:
            for row in range(max(map(len, step))):
                found += [images[row].numpy().tobytes() for images in step if row < len(images)]
    return found


@pytest.fixture(scope="module")
def whole(small_pack: Path) -> list[bytes]:
    """Three epochs that nothing interrupts; all images differ."""
    found = images_of(loader_of(small_pack, 5), passes=3)
    assert len(set(found)) == len(found) == 3 * IMAGES
    return found


@pytest.mark.parametrize("position", range(IMAGES + 1))
def test_every_position(small_pack: Path, whole: list[bytes], position: int) -> None:
    state = stopped(loader_of(small_pack, num_workers=1), position)
    # At the end of an epoch, the next one begins: see below.
    passes = 2 if position == IMAGES else 3
    assert resumed(loader_of(small_pack, 4), state, passes) == whole[position:]


@settings(deadline=None, max_examples=60)
@given(
    before=st.tuples(st.integers(1, 4), st.integers(1, 7)),
    after=st.tuples(st.integers(1, 4), st.integers(1, 7)),
    threads=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    epoch=st.integers(0, 1),
    data=st.data(),
)
def test_other_ranks_batches_and_threads(
    small_pack: Path,
    whole: list[bytes],
    before: tuple[int, int],
    after: tuple[int, int],
    threads: tuple[int, int],
    epoch: int,
    data: st.DataObject,
) -> None:
    def ranks(count: int, size: int, workers: int) -> list[fastload.DataLoader]:
        return [
            loader_of(
                small_pack, size, num_workers=workers, rank=r, world_size=count, uneven="exact"
            )
            for r in range(count)
        ]

    first = ranks(*before, threads[0])
    # The last step of an uneven epoch is not one of all ranks.
    step = data.draw(st.integers(0, min(map(len, first)) - 1))
    states = []
    for loader in first:
        loader.set_epoch(epoch)
        states.append(stopped(loader, step))
    assert all(state == states[0] for state in states)
    others = ranks(*after, threads[1])
    for loader in others:
        loader.load_state_dict(states[-1])
    served = step * before[0] * before[1]
    assert union(others, passes=3 - epoch) == whole[epoch * IMAGES + served :]


@pytest.mark.parametrize("ranks", [2, 3, 4])
def test_padding_goes_on_where_it_was(small_pack: Path, ranks: int) -> None:
    def loaders() -> list[fastload.DataLoader]:
        return [loader_of(small_pack, 2, rank=r, world_size=ranks) for r in range(ranks)]

    expected = union(loaders(), passes=1)
    for step in range(len(loaders()[0])):
        others = loaders()
        for loader, before in zip(others, loaders(), strict=True):
            loader.load_state_dict(stopped(before, step))
        assert union(others, passes=1) == expected[2 * ranks * step :]


def test_what_is_computed_ahead_does_not_count(small_pack: Path, whole: list[bytes]) -> None:
    loader = loader_of(small_pack, 2, prefetch_factor=8)
    running = iter(loader)
    next(running), next(running)
    assert loader.state_dict()["position"] == 4
    assert resumed(loader_of(small_pack, 3), loader.state_dict(), 3) == whole[4:]
    # Saving has changed nothing.
    assert b"".join(image.numpy().tobytes() for image, _ in running) == b"".join(whole[4:IMAGES])


def test_before_the_first_batch_and_by_the_epoch_told(small_pack: Path, whole: list[bytes]) -> None:
    loader = loader_of(small_pack)
    assert resumed(loader_of(small_pack, 3), loader.state_dict(), 3) == whole
    loader.set_epoch(1)
    assert resumed(loader_of(small_pack, 3), loader.state_dict(), 2) == whole[IMAGES:]
    assert resumed(loader_of(small_pack, 3), stopped(loader, 0), 2) == whole[IMAGES:]


@pytest.mark.parametrize("exhausted", [False, True])
def test_the_end_of_an_epoch(small_pack: Path, whole: list[bytes], exhausted: bool) -> None:
    loader = loader_of(small_pack, 2)
    state = stopped(loader, 12 if exhausted else 11)
    assert state["complete"]
    assert resumed(loader_of(small_pack, 3), state, 2) == whole[IMAGES:]
    # A loop that is told of the epoch it was in finds nothing left of it.
    told = loader_of(small_pack, 4, drop_last=True)
    told.load_state_dict(state)
    told.set_epoch(0)
    assert images_of(told) == []
    assert images_of(told) == whole[IMAGES : IMAGES + 20]


def test_set_epoch(small_pack: Path, whole: list[bytes]) -> None:
    state = stopped(loader_of(small_pack, 2), 4)
    again = loader_of(small_pack, 2)
    again.load_state_dict(state)
    again.set_epoch(0)
    assert images_of(again) == whole[8:IMAGES]
    another = loader_of(small_pack, 2)
    another.load_state_dict(state)
    another.set_epoch(1)
    assert another.state_dict()["epoch"] == 1 and another.state_dict()["position"] == 0
    assert images_of(another) == whole[IMAGES : 2 * IMAGES]


def test_a_broken_off_pass(small_pack: Path, whole: list[bytes]) -> None:
    loader = loader_of(small_pack, 2)
    for _ in loader:
        break
    state = loader.state_dict()
    assert resumed(loader_of(small_pack, 2), state, 1) == whole[2:IMAGES]
    # The loader itself goes on with the next epoch, as ever.
    assert images_of(loader) == whole[IMAGES : 2 * IMAGES]
    loader.load_state_dict(state)
    assert images_of(loader) == whole[2:IMAGES]
    closed = loader_of(small_pack, 2)
    running = iter(closed)
    next(running)
    closed.close()
    assert next(running, None) is None and not closed.state_dict()["complete"]


def test_a_state_is_its_own_copy(small_pack: Path, whole: list[bytes]) -> None:
    loader = loader_of(small_pack, 2)
    running = iter(loader)
    next(running)
    state = loader.state_dict()
    kept = copy.deepcopy(state)
    list(running)
    assert state == kept
    for way in (json.loads(json.dumps(state)), pickle.loads(pickle.dumps(state))):
        other = loader_of(small_pack, 2)
        other.load_state_dict(way)
        assert other.state_dict() == state
        assert images_of(other) == whole[2:IMAGES]


def test_bad_records_do_not_shift_positions(small_pack: Path, tmp_path: Path) -> None:
    broken = damaged_copy(small_pack, tmp_path, index=5)
    good = images_of(loader_of(broken, on_error="skip"))
    sampler = loader_of(broken).sampler
    assert isinstance(sampler, PermutationSampler)
    place = sampler.order(0).tolist().index(5)
    for position in range(IMAGES - 1):
        state = stopped(loader_of(broken, on_error="skip"), position)
        left = resumed(loader_of(broken, 3, on_error="skip"), state, 1)
        assert left == good[position:]
        assert state["position"] == position + (position > place)


def test_an_error_counts_as_nothing_delivered(small_pack: Path, tmp_path: Path) -> None:
    broken = damaged_copy(small_pack, tmp_path, index=5)
    loader = loader_of(broken, 4, shuffle=False)
    running = iter(loader)
    next(running)
    with pytest.raises(fastload.RecordError):
        next(running)
    assert loader.state_dict()["position"] == 4


def test_a_seed_that_was_drawn_comes_back(small_pack: Path) -> None:
    first = loader_of(small_pack, 2, seed=None)
    state = stopped(first, 3)
    rest = images_of(first, 1)
    again = loader_of(small_pack, 2, seed=None)
    assert again.seed != first.seed
    assert resumed(again, state, 2)[-IMAGES:] == rest
    assert again.seed == first.seed


def test_the_resolution_comes_back(small_pack: Path) -> None:
    loader = loader_of(small_pack, 2)
    loader.set_resolution(12, 16)
    state = json.loads(json.dumps(stopped(loader, 1)))
    again = loader_of(small_pack, 2)
    again.load_state_dict(state)
    assert next(iter(again))[0].shape[2:] == (12, 16)


# ---- Samplers of the user's


def sampler_of(name: str, rank: int = 0, ranks: int = 1) -> Any:
    generator = torch.Generator().manual_seed(8)
    made: dict[str, Any] = {
        "list": lambda: list(range(1, IMAGES, 2)),
        "random": lambda: RandomSampler(range(IMAGES), generator=generator),
        "weighted": lambda: WeightedRandomSampler([1.0] * IMAGES, 30, generator=generator),
        "distributed": lambda: DistributedSampler(range(IMAGES), ranks, rank),
    }
    return made[name]()


SAMPLERS = ["list", "random", "weighted", "distributed"]


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("name", SAMPLERS)
def test_samplers_that_can_be_rewound(small_pack: Path, name: str, workers: int) -> None:
    def make(size: int = 4) -> fastload.DataLoader:
        return loader_of(small_pack, size, sampler=sampler_of(name), num_workers=workers)

    expected = images_of(make(), 3)
    count = len(expected) // 3
    for step in range(count // 4 + 1):
        before = make()
        images_of(before)
        state = stopped(before, step)
        assert state["complete"] == (4 * step >= count)
        assert resumed(make(3), state, 2) == expected[count + 4 * step :]
    before = make()
    images_of(before)
    assert resumed(make(3), before.state_dict(), 2) == expected[count:]


def test_batch_samplers_that_can_be_rewound(small_pack: Path) -> None:
    def make() -> fastload.DataLoader:
        batches = BatchSampler(sampler_of("random"), 4, True)
        return fastload.DataLoader(
            fastload.ImageFolder(small_pack, TRAIN), batch_sampler=batches, seed=3
        )

    expected = images_of(make(), 2)
    for step in range(5):
        assert resumed(make(), stopped(make(), step), 2) == expected[4 * step :]


def test_distributed_sampler_goes_on_with_other_ranks(small_pack: Path) -> None:
    def make(ranks: int, size: int) -> list[fastload.DataLoader]:
        return [
            loader_of(small_pack, size, sampler=sampler_of("distributed", rank, ranks))
            for rank in range(ranks)
        ]

    expected = union(make(2, 3), 1)
    states = [stopped(loader, 2) for loader in make(2, 3)]
    assert states[0] == states[1] and states[0]["position"] == 12
    others = make(4, 1)
    for loader in others:
        loader.load_state_dict(states[0])
    assert union(others, 1)[: IMAGES - 12] == expected[12:]
    with pytest.raises(StateError, match="after 12 samples of all ranks, which 5 ranks"):
        make(5, 1)[0].load_state_dict(states[0])


def test_samplers_that_cannot_be_rewound_are_refused_by_name(small_pack: Path) -> None:
    def make() -> fastload.DataLoader:
        return loader_of(small_pack, 4, sampler=RandomSampler(range(IMAGES)))

    state = stopped(make(), 2)
    with pytest.raises(StateError, match=r"midst of epoch 0.*RandomSampler.*generator="):
        make().load_state_dict(state)
    loader = make()
    images_of(loader)
    again = make()
    again.load_state_dict(loader.state_dict())
    assert len(images_of(again)) == IMAGES and again.state_dict()["epoch"] == 1


# ---- Balanced epochs

BALANCED: dict[str, dict[str, Any]] = {
    "class": {"balance": "class", "epoch_length": 17},
    "progressive": {"balance": "progressive:4"},
    "function": {"balance": lambda counts, epoch: counts ** (1 / (1 + epoch))},
    "limited": {"balance": "class", "max_repeats": 2},
    "batches of classes": {"balance": "sqrt", "per_batch": (2, 2), "epoch_length": 20},
}


def balanced_of(pack: Path, name: str, batch_size: int, **kwargs: Any) -> fastload.DataLoader:
    arguments = {"shuffle": None, **BALANCED[name]} | kwargs
    size = 1 if "per_batch" in arguments else batch_size
    return loader_of(pack, size, **arguments)


@pytest.fixture
def short_eras(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cycles begin anew every other epoch."""
    monkeypatch.setattr("fastload.sample.balanced.ERA", 2)


@pytest.mark.filterwarnings("ignore:An epoch leaves out")
@pytest.mark.usefixtures("short_eras")
@pytest.mark.parametrize("name", BALANCED)
def test_balanced_epochs_at_every_position(small_pack: Path, name: str) -> None:
    first = balanced_of(small_pack, name, 3)
    expected = [images_of(first) for _ in range(4)]
    # The end of an epoch is the next one's beginning: see above.
    for epoch, step in product(range(3), range(len(first))):
        before = balanced_of(small_pack, name, 3, num_workers=epoch)
        before.set_epoch(epoch)
        state = json.loads(json.dumps(stopped(before, step)))
        after = balanced_of(small_pack, name, 5, num_workers=2 - epoch)
        served = state["position"]
        assert resumed(after, state, 2) == [*expected[epoch], *expected[epoch + 1]][served:]


@pytest.mark.filterwarnings("ignore:An epoch leaves out")
@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 3), (3, 1), (3, 2)])
@pytest.mark.parametrize("name", ["class", "batches of classes"])
def test_balanced_epochs_with_other_ranks(
    small_pack: Path, name: str, before: int, after: int
) -> None:
    def ranks(count: int, size: int) -> list[fastload.DataLoader]:
        return [
            balanced_of(small_pack, name, size, rank=r, world_size=count, uneven="exact")
            for r in range(count)
        ]

    whole = images_of(balanced_of(small_pack, name, 1), passes=2)
    together = union if name == "class" else union_of_batches
    for step in range(min(map(len, ranks(before, 2)))):
        states = [stopped(loader, step) for loader in ranks(before, 2)]
        assert all(state == states[0] for state in states)
        others = ranks(after, 1)
        for loader in others:
            loader.load_state_dict(states[0])
        assert together(others, passes=2) == whole[states[0]["position"] :]


def union_of_batches(loaders: list[fastload.DataLoader], passes: int) -> list[bytes]:
    """What ranks serve that take whole batches in turn."""
    found: list[bytes] = []
    for _ in range(passes):
        for step in zip_longest(*loaders):
            found += [image.numpy().tobytes() for batch in filter(None, step) for image in batch[0]]
    return found


@pytest.mark.parametrize("size", [1, 3, 4, 6])
def test_batches_of_classes_that_are_cut_elsewhere(small_pack: Path, size: int) -> None:
    """A sampler of the user's makes runs of four; ranks take batches of another size."""

    def loaders(count: int) -> list[fastload.DataLoader]:
        labels = fastload.ImageFolder(small_pack).targets
        return [
            loader_of(
                small_pack, size, rank=r, world_size=count, uneven="exact", num_workers=1,
                sampler=BalancedSampler(labels, per_batch=(2, 2), epoch_length=24, seed=1),
            )
            for r in range(count)
        ]  # fmt: skip

    whole = images_of(loaders(1)[0])
    together = union_of_batches if size % 4 == 0 else union
    assert together(loaders(2), 1) == whole
    for step in range(24 // size // 2):
        state = [stopped(loader, step) for loader in loaders(2)][1]
        assert state["position"] == 2 * size * step
        assert resumed(loaders(1)[0], state, 1) == whole[state["position"] :]


@pytest.mark.filterwarnings("ignore:An epoch leaves out")
def test_another_balance_is_refused_by_name(small_pack: Path) -> None:
    state = stopped(balanced_of(small_pack, "class", 2), 2)
    others = {
        "SquareRoot": {"balance": "sqrt", "epoch_length": 17},
        "length=18": {"balance": "class", "epoch_length": 18},
        "max_repeats=3": {"balance": "class", "epoch_length": 17, "max_repeats": 3},
        "per_batch": {"balance": "class", "epoch_length": 17, "per_batch": (1, 1)},
        "PermutationSampler": {"shuffle": True},
    }
    for words, arguments in others.items():
        with pytest.raises(StateError, match=f"this loader has .*{words}"):
            loader_of(small_pack, 1, **{"shuffle": None} | arguments).load_state_dict(state)


@pytest.mark.filterwarnings("ignore:An epoch leaves out")
def test_a_balanced_order_follows_the_drawn_seed(small_pack: Path) -> None:
    def make(seed: int) -> fastload.DataLoader:
        torch.manual_seed(seed)
        return balanced_of(small_pack, "class", 3, seed=None)

    first, again, other = make(1), make(1), make(2)
    expected = images_of(first, passes=2)
    assert images_of(again, passes=2) == expected != images_of(other, passes=2)
    state = stopped(make(1), 2)
    assert resumed(make(2), state, 2) == expected[6:]


# ---- What is refused


def test_what_is_another_is_refused_by_name(
    small_pack: Path, label_folder: Path, tmp_path: Path
) -> None:
    state = stopped(loader_of(small_pack, 2), 2)
    other = fastload.pack(label_folder, tmp_path / "other.pack", seed=9).path
    crop = v1.Compose([v1.RandomResizedCrop(8), v1.PILToTensor()])
    part = Subset(fastload.ImageFolder(small_pack, TRAIN), range(IMAGES))
    loaders = {
        "dataset 'pack .*give the loader the pack": loader_of(other),
        "dataset 'pack .*has '22 samples": fastload.DataLoader(part, shuffle=True, seed=3),
        "transform .*RandomHorizontalFlip.*give the dataset": loader_of(small_pack, transform=crop),
        "decode 'exact', this loader has 'fast'": loader_of(small_pack, decode="fast"),
        "sampler sampler='PermutationSampler'.*'InOrderSampler'": loader_of(
            small_pack, shuffle=False
        ),
        "sampler .*has sampler='list' length=3": loader_of(small_pack, sampler=[1, 2, 3]),
        "seed 3, this loader has 4: leave seed=": loader_of(small_pack, seed=4),
    }
    for words, loader in loaders.items():
        with pytest.raises(StateError, match=words):
            loader.load_state_dict(state)
        assert loader.state_dict()["position"] == 0
    moved = tmp_path / "moved.pack"
    moved.symlink_to(small_pack)
    loader_of(moved, 2).load_state_dict(state)
    for nonsense in ({"version": 99}, {}, None, [1]):
        with pytest.raises(StateError, match="no state of this fastload"):
            loader_of(small_pack).load_state_dict(nonsense)  # type: ignore[arg-type]


def test_a_transform_without_a_name_of_its_own_is_the_same_in_every_process(
    small_pack: Path,
) -> None:
    def make() -> fastload.DataLoader:
        transform = v1.Compose([v1.CenterCrop(8), v1.ToTensor(), lambda image: image * 2])
        return loader_of(small_pack, 2, transform=transform)

    make().load_state_dict(stopped(make(), 1))


def test_other_datasets_say_that_nothing_is_resumed(caplog: pytest.LogCaptureFixture) -> None:
    loader = fastload.DataLoader(TensorDataset(torch.arange(10)), 3)
    loader.load_state_dict(loader.state_dict())
    assert "not made of packs" in caplog.text
    assert len(list(loader)) == 4


# ---- What it costs


@pytest.mark.parametrize("rows", [IMAGES, 4_000_000])
def test_saving_takes_under_a_millisecond(small_pack: Path, rows: int) -> None:
    indices: Any = np.arange(rows) % IMAGES
    dataset = Subset(fastload.ImageFolder(small_pack, TRAIN), indices)
    assert_small_and_quick(fastload.DataLoader(dataset, 4, shuffle=True, seed=1, cache=0))


@pytest.mark.filterwarnings("ignore:An epoch leaves out")
@pytest.mark.parametrize("weight", [1.0, 1])
def test_saving_with_many_classes_takes_under_a_millisecond(
    small_pack: Path, weight: float
) -> None:
    """Weights of classes, and images of each, that are all different."""
    classes = 100_000
    indices: Any = np.arange(classes) % IMAGES
    dataset = Subset(fastload.ImageFolder(small_pack, TRAIN), indices)
    balance = {label: weight * (label % 7 + 1) for label in range(classes)}
    sampler = BalancedSampler(np.arange(classes), balance, seed=1)
    assert_small_and_quick(fastload.DataLoader(dataset, 4, sampler=sampler, seed=1, cache=0))


def assert_small_and_quick(loader: fastload.DataLoader) -> None:
    running = iter(loader)
    times = []
    for _ in range(20):
        next(running, None)
        start = time.perf_counter()
        state = loader.state_dict()
        times.append(time.perf_counter() - start)
    del running
    for _ in range(20):
        # Between epochs, when no pass tells what decides the samples.
        loader.set_epoch(7)
        start = time.perf_counter()
        loader.state_dict()
        times.append(time.perf_counter() - start)
    assert median(times[:20]) < 1e-3 and median(times[20:]) < 1e-3
    assert len(json.dumps(state)) < 2000
    loader.close()
