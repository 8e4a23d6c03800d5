"""``fastload.DataLoader`` takes the place of torch's."""

from __future__ import annotations

import gc
import io
import os
import pickle
import signal
import threading
import time
import warnings
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch
from torch.utils.data import (
    BatchSampler,
    ConcatDataset,
    DistributedSampler,
    Subset,
    TensorDataset,
    WeightedRandomSampler,
    random_split,
)
from torch.utils.data import DataLoader as TorchDataLoader
from torchvision import datasets, tv_tensors
from torchvision.transforms import transforms as v1
from torchvision.transforms import v2

import fastload
from fastload import ignored
from fastload.batcher import Batcher
from fastload.errors import EngineError, LoaderTimeoutError, RecordError, TransformError
from tests.test_dataset import damaged_copy

ENGINES = ["torch", "native"]
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
EVAL = v1.Compose([v1.Resize(40), v1.CenterCrop(32), v1.ToTensor(), v1.Normalize(MEAN, STD)])
TRAIN = v1.Compose(
    [
        v1.RandomResizedCrop(24),
        v1.RandomHorizontalFlip(),
        v1.ColorJitter(0.3, 0.3, 0.3),
        v1.ToTensor(),
        v1.RandomErasing(),
    ]
)


def threads_of(engine: str) -> int:
    """How many threads run (torch starts some of its own below those of its engine)."""
    gc.collect()
    if engine == "torch":
        return sum(t.name.startswith("fastload-torch") for t in threading.enumerate())
    return psutil.Process().num_threads()


def loader_of(pack: Path, transform: Any, *args: Any, **kwargs: Any) -> fastload.DataLoader:
    kwargs.setdefault("num_workers", 2)
    return fastload.DataLoader(fastload.ImageFolder(pack, transform), *args, **kwargs)


def collected(loader: Any) -> tuple[torch.Tensor, torch.Tensor]:
    batches = list(loader)
    return torch.cat([b[0] for b in batches]), torch.cat([b[1] for b in batches])


def assert_same_batches(ours: Any, theirs: Any) -> None:
    for mine, other in zip(ours, theirs, strict=True):
        assert type(mine) is type(other) and len(mine) == len(other)
        for one, expected in zip(mine, other, strict=True):
            assert type(one) is type(expected)
            if isinstance(expected, torch.Tensor):
                assert one.dtype == expected.dtype and one.shape == expected.shape
                assert one.stride() == expected.stride()
                assert torch.equal(one, expected)
            else:
                assert one == expected


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


SAME_AS_TORCH: dict[str, tuple[Any, dict[str, Any]]] = {
    "eval": (EVAL, {"batch_size": 5}),
    "drop_last": (EVAL, {"batch_size": 5, "drop_last": True}),
    "one batch": (EVAL, {"batch_size": 50}),
    "no batches": (EVAL, {"batch_size": None}),
    "default size": (EVAL, {}),
    "user sampler": (EVAL, {"batch_size": 4, "sampler": [3, 1, 21, 1, 0]}),
    "user sampler without batches": (EVAL, {"batch_size": None, "sampler": [3, 1]}),
    "batch_sampler": (EVAL, {"batch_sampler": [[0, 3], [21], [5, 5, 2]]}),
    "tensor indices": (EVAL, {"batch_size": 2, "sampler": torch.tensor([4, 2, 9])}),
    "v2 tensors": (
        v2.Compose([v2.Resize(40), v2.CenterCrop(32), v2.ToImage(), v2.ToDtype(torch.float32)]),
        {"batch_size": 5},
    ),
    "uint8": (v1.Compose([v1.CenterCrop((48, 20)), v1.PILToTensor()]), {"batch_size": 5}),
    "half": (
        v2.Compose([v2.CenterCrop(9), v2.PILToTensor(), v2.ToDtype(torch.float16, scale=True)]),
        {"batch_size": 5},
    ),
    "bfloat16": (
        v2.Compose([v2.CenterCrop(9), v2.PILToTensor(), v2.ToDtype(torch.bfloat16, scale=True)]),
        {"batch_size": 5},
    ),
    "grey": (v1.Compose([v1.CenterCrop(20), v1.Grayscale(), v1.ToTensor()]), {"batch_size": 5}),
    "per sample": (
        v1.Compose([v1.CenterCrop(20), v1.ToTensor(), v1.Lambda(lambda image: image * 2)]),
        {"batch_size": 5},
    ),
    "all per sample": (lambda image: image.size[0], {"batch_size": 5}),
    "sizes differ one by one": (v1.Compose([v1.Resize(20), v1.ToTensor()]), {"batch_size": 1}),
    "list": (EVAL, {"batch_size": 5, "collate_fn": list}),
}


@pytest.mark.parametrize("name", SAME_AS_TORCH)
def test_same_batches_as_torch(
    label_folder: Path, small_pack: Path, engine: str, name: str
) -> None:
    transform, arguments = SAME_AS_TORCH[name]
    theirs = TorchDataLoader(datasets.ImageFolder(label_folder, transform), **arguments)
    ours = loader_of(small_pack, transform, engine=engine, **arguments)
    assert len(ours) == len(theirs)
    if name == "list":
        assert_same_batches((pair for batch in ours for pair in batch), sum(theirs, []))
    else:
        assert_same_batches(ours, theirs)


@pytest.mark.parametrize("name", ["eval", "uint8", "bfloat16", "grey", "per sample"])
def test_channels_last(small_pack: Path, engine: str, name: str) -> None:
    transform, arguments = SAME_AS_TORCH[name]
    theirs = loader_of(small_pack, transform, engine=engine, **arguments)
    ours = loader_of(
        small_pack, transform, engine=engine, memory_format=torch.channels_last, **arguments
    )
    for (images, labels), (expected, their_labels) in zip(ours, theirs, strict=True):
        assert images.is_contiguous(memory_format=torch.channels_last)
        assert torch.equal(images, expected) and torch.equal(labels, their_labels)


def test_erased_boxes_channels_last(small_pack: Path, engine: str) -> None:
    images = collected(loader_of(small_pack, TRAIN, 8, seed=2, engine=engine))[0]
    last = loader_of(small_pack, TRAIN, 8, seed=2, engine=engine, memory_format=torch.channels_last)
    assert torch.equal(collected(last)[0], images)


def test_auto_says_what_it_chose_and_why(
    small_pack: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loader = loader_of(small_pack, EVAL, 4)
    loader.explain()
    assert loader.engine == "native"
    assert "engine native (the fastest measured on the CPU)" in capsys.readouterr().out
    loader_of(small_pack, EVAL, 4, engine="torch").explain()
    assert "engine torch, decode" in capsys.readouterr().out


def test_target_transform(label_folder: Path, small_pack: Path) -> None:
    for target in (lambda label: label + 0.5, str, lambda label: torch.tensor([label, 1])):
        theirs = datasets.ImageFolder(label_folder, EVAL, target)
        ours = fastload.ImageFolder(small_pack, EVAL, target)
        assert_same_batches(fastload.DataLoader(ours, 4), TorchDataLoader(theirs, 4))


def test_samples_of_v2_are_its_tensors(small_pack: Path, engine: str) -> None:
    loader = loader_of(small_pack, v2.ToImage(), 3, collate_fn=list, engine=engine)
    assert all(type(image) is tv_tensors.Image for image, _ in next(iter(loader)))


def test_pil_images_reach_collate(label_folder: Path, small_pack: Path, engine: str) -> None:
    theirs = datasets.ImageFolder(label_folder)
    loader = loader_of(small_pack, None, 4, collate_fn=list, engine=engine)
    served = [pair for batch in loader for pair in batch]
    for (image, label), (expected, other) in zip(served, theirs, strict=True):
        assert np.array_equal(np.asarray(image), np.asarray(expected)) and label == other
    with pytest.raises(TypeError, match="PIL"):
        next(iter(loader_of(small_pack, None, 4, engine=engine)))


def test_sizes_that_differ_are_refused_as_torch_does(small_pack: Path, engine: str) -> None:
    with pytest.raises(RuntimeError, match="equal size"):
        next(iter(loader_of(small_pack, v1.ToTensor(), 4, engine=engine)))


def test_engines_agree(small_pack: Path) -> None:
    batches = [
        collected(loader_of(small_pack, TRAIN, 6, shuffle=True, seed=3, engine=engine))
        for engine in ENGINES
    ]
    assert torch.equal(batches[0][1], batches[1][1])
    difference = (batches[0][0] - batches[1][0]).abs() * 255
    assert difference.max() < 2.01
    assert difference.flatten().quantile(0.999) < 1.01


def test_verbatim_packs(label_folder: Path, tmp_path: Path, engine: str) -> None:
    pack = fastload.pack(label_folder, tmp_path / "verbatim.pack", verbatim=True, workers=2).path
    ours = loader_of(pack, EVAL, 5, engine=engine)
    assert_same_batches(ours, TorchDataLoader(datasets.ImageFolder(label_folder, EVAL), 5))


FAST = {
    "augmented": TRAIN,
    "evaluated": EVAL,
    "much smaller": v1.Compose([v1.RandomResizedCrop(8), v1.ToTensor()]),
}


@pytest.mark.parametrize("name", FAST)
def test_fast_decoding_is_near(small_pack: Path, name: str) -> None:
    exact, fast = (
        collected(loader_of(small_pack, FAST[name], 6, shuffle=True, seed=3, decode=decode))
        for decode in ("exact", "fast")
    )
    assert torch.equal(exact[1], fast[1])
    difference = (exact[0] - fast[0]).abs()
    assert 0 < difference.mean() < 0.02
    assert difference.flatten().quantile(0.99) < 0.1


def test_fast_decoding_enlarges_exactly(small_pack: Path) -> None:
    enlarge = v1.Compose([v1.Resize((150, 140)), v1.ToTensor()])
    exact, fast = (
        collected(loader_of(small_pack, enlarge, 6, decode=decode)) for decode in ("exact", "fast")
    )
    assert torch.equal(exact[0], fast[0])


def test_fast_decoding_of_other_files(label_folder: Path, small_pack: Path, tmp_path: Path) -> None:
    verbatim = fastload.pack(label_folder, tmp_path / "verbatim.pack", verbatim=True, workers=2)
    one, other = (
        collected(loader_of(pack, TRAIN, 6, shuffle=True, seed=3, decode="fast"))[0]
        for pack in (small_pack, verbatim.path)
    )
    assert torch.equal(one, other)


@pytest.mark.real_data
@pytest.mark.parametrize("resize", [v1.RandomResizedCrop(224), v1.Resize(256)])
def test_fast_decoding_of_photos(real_photos: Path, tmp_path: Path, resize: Any) -> None:
    pack = fastload.pack(real_photos, tmp_path / "photos.pack").path
    transform = v1.Compose([resize, v1.CenterCrop(224), v1.PILToTensor()])
    loaders = (
        loader_of(pack, transform, 50, seed=3, decode=decode) for decode in ("exact", "fast")
    )
    noise = [
        (exact.float() - fast.float()).square().mean(dim=(1, 2, 3)).clamp(min=0.01)
        for (exact, _), (fast, _) in zip(*loaders, strict=True)
    ]
    psnr = 10 * torch.log10(255**2 / torch.cat(noise))
    assert psnr.mean() > 48
    assert psnr.min() > 28


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_threads_change_nothing(small_pack: Path, engine: str, threads: int) -> None:
    arguments: dict[str, Any] = {"shuffle": True, "seed": 3, "engine": engine}
    one = collected(loader_of(small_pack, TRAIN, 6, **arguments))
    other = collected(loader_of(small_pack, TRAIN, 6, num_workers=threads, **arguments))
    assert torch.equal(one[0], other[0]) and torch.equal(one[1], other[1])


def test_nothing_ahead_changes_nothing(small_pack: Path) -> None:
    one = collected(loader_of(small_pack, TRAIN, 6, shuffle=True, seed=3))
    other = collected(loader_of(small_pack, TRAIN, 6, shuffle=True, seed=3, num_workers=0))
    assert torch.equal(one[0], other[0])


def test_batch_size_changes_no_sample(small_pack: Path) -> None:
    one = collected(loader_of(small_pack, TRAIN, 6, shuffle=True, seed=3))
    other = collected(loader_of(small_pack, TRAIN, 7, shuffle=True, seed=3))
    assert torch.equal(one[0], other[0])


def test_each_sample_once_an_epoch_in_ever_new_orders(small_pack: Path) -> None:
    dataset = fastload.ImageFolder(small_pack, v1.Compose([v1.CenterCrop(8), v1.ToTensor()]))
    dataset.target_transform = None
    loader = fastload.DataLoader(dataset, 4, shuffle=True, seed=1)
    epochs = [collected(loader) for _ in range(3)]
    for images, labels in epochs:
        assert sorted(labels.tolist()) == list(dataset.targets)
        assert len({image.numpy().tobytes() for image in images}) == len(dataset)
    assert not torch.equal(epochs[0][0], epochs[1][0])
    assert not torch.equal(epochs[1][0], epochs[2][0])


def test_seeds_and_epochs(small_pack: Path) -> None:
    def images(loader: fastload.DataLoader) -> torch.Tensor:
        return collected(loader)[0]

    def make(**kwargs: Any) -> fastload.DataLoader:
        return loader_of(small_pack, TRAIN, 6, shuffle=True, **kwargs)

    loader = make(seed=3)
    first, second = images(loader), images(loader)
    loader.set_epoch(0)
    assert torch.equal(images(loader), first)
    assert torch.equal(images(loader), second)
    assert torch.equal(images(make(seed=3)), first)
    assert not torch.equal(images(make(seed=4)), first)
    torch.manual_seed(9)
    drawn = make()
    torch.manual_seed(9)
    assert torch.equal(images(make()), images(drawn))
    by_generator = [make(generator=torch.Generator().manual_seed(2)) for _ in range(2)]
    assert torch.equal(images(by_generator[0]), images(by_generator[1]))


def test_the_sampler_of_a_shuffling_loader_follows_its_epochs(small_pack: Path) -> None:
    loader = loader_of(small_pack, EVAL, 22, shuffle=True, seed=3)
    first = collected(loader)
    loader.sampler.set_epoch(0)
    assert torch.equal(collected(loader)[0], first[0])


def test_weighted_sampler(label_folder: Path, small_pack: Path) -> None:
    weights = np.where(np.array(fastload.ImageFolder(small_pack).targets) == 2, 5.0, 1.0)

    def batches(make: Any, dataset: Any) -> Any:
        generator = torch.Generator().manual_seed(5)
        sampler = WeightedRandomSampler(weights.tolist(), 40, generator=generator)
        return make(dataset, 8, sampler=sampler)

    ours = batches(fastload.DataLoader, fastload.ImageFolder(small_pack, EVAL))
    theirs = batches(TorchDataLoader, datasets.ImageFolder(label_folder, EVAL))
    assert_same_batches(ours, theirs)


def test_distributed_sampler(label_folder: Path, small_pack: Path) -> None:
    for rank in range(2):
        loaders = []
        for make, dataset in (
            (fastload.DataLoader, fastload.ImageFolder(small_pack, EVAL)),
            (TorchDataLoader, datasets.ImageFolder(label_folder, EVAL)),
        ):
            sampler: Any = DistributedSampler(dataset, 2, rank, shuffle=True, seed=4)
            loaders.append(make(dataset, 4, sampler=sampler))
            loaders[-1].sampler.set_epoch(3)
        assert_same_batches(*loaders)


def test_set_epoch_tells_the_users_samplers(small_pack: Path) -> None:
    dataset = fastload.ImageFolder(small_pack, EVAL)
    sampler: Any = DistributedSampler(dataset, 2, 0)
    fastload.DataLoader(dataset, 4, sampler=sampler).set_epoch(7)
    assert sampler.epoch == 7
    inner: Any = DistributedSampler(dataset, 2, 0)
    fastload.DataLoader(dataset, batch_sampler=BatchSampler(inner, 3, False)).set_epoch(8)
    assert inner.epoch == 8


def test_ranks_draw_differently(small_pack: Path) -> None:
    dataset = fastload.ImageFolder(small_pack, TRAIN)
    images = []
    for rank in range(2):
        sampler: Any = DistributedSampler([0] * 22, 2, rank, shuffle=False)
        same_records = Subset(dataset, [4] * 22)
        loader = fastload.DataLoader(same_records, 11, sampler=sampler, seed=1)
        images += list(collected(loader)[0])
    assert len({image.numpy().tobytes() for image in images}) == 22


def test_parts_and_unions_of_packs(label_folder: Path, small_pack: Path, engine: str) -> None:
    grey = v1.Compose([v1.Grayscale(), EVAL.transforms[1], v1.ToTensor()])

    def make(folder: Any, path: Path) -> dict[str, Any]:
        whole, other = folder(path, EVAL), folder(path, v1.Compose([*EVAL.transforms]))
        split = random_split(whole, [9, 13], torch.Generator().manual_seed(0))
        return {
            "subset": Subset(whole, [3, 20, -1, 3]),
            "split": split[1],
            "union": ConcatDataset([whole, other]),
            "nested": Subset(ConcatDataset([split[0], Subset(other, [1, 5])]), [10, 0, 9, 3]),
            "unlike": ConcatDataset([Subset(whole, [0, 1]), Subset(folder(path, grey), [2, 3])]),
        }

    ours = make(fastload.ImageFolder, small_pack)
    theirs = make(datasets.ImageFolder, label_folder)
    for name in ours:
        if name == "unlike":
            arguments: dict[str, Any] = {"batch_size": 4, "collate_fn": list}
        else:
            arguments = {"batch_size": 4}
        loader = fastload.DataLoader(ours[name], engine=engine, **arguments)
        assert loader._view is not None
        reference = TorchDataLoader(theirs[name], **arguments)
        if name == "unlike":
            for mine, expected in zip(sum(loader, []), sum(reference, []), strict=True):
                assert torch.equal(mine[0], expected[0]) and mine[1] == expected[1]
        else:
            assert_same_batches(loader, reference)


def test_other_datasets_get_torchs_own_path() -> None:
    dataset = TensorDataset(torch.arange(10))
    loader = fastload.DataLoader(dataset, 3)
    assert loader.num_workers == 0
    assert_same_batches(loader, TorchDataLoader(dataset, 3))
    loader.set_epoch(1)
    with redirect_stdout(io.StringIO()) as said:
        loader.explain()
    assert "torch's own path" in said.getvalue()


class _Noisy(fastload.ImageFolder):
    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return 7, 8


def test_a_dataset_with_its_own_items_keeps_them(small_pack: Path) -> None:
    batch = next(iter(fastload.DataLoader(_Noisy(small_pack), 3)))
    assert batch[0].tolist() == [7, 7, 7] and batch[1].tolist() == [8, 8, 8]


def test_positional_arguments_are_torchs(small_pack: Path) -> None:
    dataset = fastload.ImageFolder(small_pack, EVAL)
    loader = fastload.DataLoader(dataset, 4, True, None, None, 3, None, False, True, 9)
    assert loader.batch_size == 4 and loader.num_workers == 3
    assert loader.drop_last and loader.timeout == 9 and len(loader) == 5
    assert isinstance(loader, TorchDataLoader)


@pytest.mark.parametrize(
    "arguments",
    [
        {"shuffle": True, "sampler": [1]},
        {"batch_sampler": [[1]], "batch_size": 3},
        {"batch_sampler": [[1]], "shuffle": True},
        {"batch_size": None, "drop_last": True},
        {"batch_size": 0},
        {"num_workers": -1},
        {"num_workers": 0, "prefetch_factor": 3},
        {"timeout": -1},
    ],
)
def test_contradictions_are_torchs_errors(small_pack: Path, arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError) as theirs:
        TorchDataLoader(range(3), **arguments)
    with pytest.raises(ValueError) as ours:
        fastload.DataLoader(fastload.ImageFolder(small_pack), **arguments)
    assert str(ours.value) == str(theirs.value)


def test_choices_are_named(small_pack: Path) -> None:
    with pytest.raises(EngineError, match="choose one of auto, native"):
        loader_of(small_pack, EVAL, engine="warp")
    with pytest.raises(EngineError, match="choose one of exact, fast"):
        loader_of(small_pack, EVAL, decode="blurred")
    with pytest.raises(ValueError, match=r"torch\.preserve_format: choose"):
        loader_of(small_pack, EVAL, memory_format=torch.preserve_format)
    with pytest.raises(ValueError, match="raise, skip, substitute"):
        loader_of(small_pack, EVAL, on_error="ignore")
    for seed in (-1, 2**64, 1.5):
        with pytest.raises(ValueError, match=f"seed is {seed}"):
            loader_of(small_pack, EVAL, seed=seed)
    if not torch.cuda.is_available():
        with pytest.raises(EngineError, match="no CUDA GPU"):
            loader_of(small_pack, EVAL, device="cuda")


def test_what_means_nothing_warns_once(small_pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ignored, "_warned", set())
    with pytest.warns(UserWarning, match="ignores worker_init_fn") as caught:
        loader_of(small_pack, EVAL, worker_init_fn=print)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loader_of(small_pack, EVAL, worker_init_fn=print)
        list(loader_of(small_pack, EVAL, 8, pin_memory=True, persistent_workers=True))


def test_a_path_is_no_dataset(small_pack: Path) -> None:
    for path in (small_pack, str(small_pack)):
        with pytest.raises(TypeError, match=r"The dataset is a path: give ImageFolder\("):
            fastload.DataLoader(path)


@pytest.mark.parametrize(
    ("transform", "words"),
    [
        (v1.Compose([v1.ToTensor(), lambda image: None]), "NoneType.*let it end in ToTensor"),
        (None, r"PIL\.Image.*let it end in ToTensor"),
        (v1.ToTensor(), "equal size.*bring all images to one size"),
    ],
)
def test_samples_that_make_no_batch_say_what_to_do(
    small_pack: Path, transform: Any, words: str
) -> None:
    with pytest.raises((TypeError, RuntimeError), match=words):
        list(loader_of(small_pack, transform, 4))


def test_device_cpu(small_pack: Path) -> None:
    images, labels = next(iter(loader_of(small_pack, EVAL, 4, device="cpu")))
    assert images.device.type == labels.device.type == "cpu"


def test_batches_that_are_kept_stay(small_pack: Path, engine: str) -> None:
    loader = loader_of(small_pack, EVAL, 2, engine=engine)
    kept, copies = [], []
    for _ in range(3):
        for images, _ in loader:
            kept.append(images[1])
            copies.append(images[1].clone())
            del images
    assert all(torch.equal(one, copy) for one, copy in zip(kept, copies, strict=True))


def test_memory_and_threads_stay_flat_over_broken_epochs(small_pack: Path, engine: str) -> None:
    loader = loader_of(
        small_pack, v1.Compose([v1.Resize((512, 512)), v1.ToTensor()]), 4, engine=engine
    )
    process = psutil.Process()

    def break_off() -> None:
        for _ in loader:
            break

    for _ in range(5):
        break_off()
    threads = threads_of(engine)
    memory = process.memory_info().rss
    for _ in range(30):
        break_off()
    assert threads_of(engine) == threads
    assert process.memory_info().rss - memory < 30e6
    loader.close()


def test_close_stops_the_threads_and_a_new_pass_starts_them(small_pack: Path, engine: str) -> None:
    loader = loader_of(small_pack, EVAL, 4, num_workers=3, engine=engine)
    before = threads_of(engine)
    running = iter(loader)
    next(running)
    assert threads_of(engine) > before
    loader.close()
    assert threads_of(engine) <= before
    with pytest.raises(StopIteration):
        next(running)
    assert len(list(loader)) == 6
    loader.close()


def test_a_loader_that_is_gone_leaves_no_threads(small_pack: Path, engine: str) -> None:
    before = threads_of(engine)
    for _ in range(3):
        next(iter(loader_of(small_pack, EVAL, 4, num_workers=3, engine=engine)))
    deadline = time.monotonic() + 5
    while threads_of(engine) > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threads_of(engine) <= before


def test_inference_mode_leaves_ordinary_tensors(small_pack: Path, engine: str) -> None:
    loader = loader_of(small_pack, EVAL, 4, engine=engine)
    with torch.inference_mode():
        running = iter(loader)
        batches = [next(running)]
    batches += running
    assert len(batches) == 6
    for images, labels in batches:
        assert not images.is_inference() and not labels.is_inference()


def test_two_loaders_at_once(small_pack: Path, engine: str) -> None:
    one = loader_of(small_pack, TRAIN, 3, shuffle=True, seed=1, engine=engine)
    two = loader_of(small_pack, TRAIN, 3, shuffle=True, seed=1, engine=engine)
    for mine, other in zip(one, two, strict=True):
        assert torch.equal(mine[0], other[0])
    passes = iter(one), iter(one)
    for mine, other in zip(*passes, strict=True):
        assert mine[0].shape == other[0].shape


def test_progressive_resizing(small_pack: Path, engine: str) -> None:
    loader = loader_of(small_pack, TRAIN, 8, seed=1, engine=engine)
    assert next(iter(loader))[0].shape[2:] == (24, 24)
    loader.set_resolution(16)
    assert next(iter(loader))[0].shape[2:] == (16, 16)
    loader.set_resolution(20, 28)
    assert next(iter(loader))[0].shape[2:] == (20, 28)
    with pytest.raises(TransformError):
        loader_of(small_pack, v1.ToTensor(), 8).set_resolution(16)
    for side in (0, -5, 4.5):
        with pytest.raises(ValueError, match=f"A side of {side} pixels"):
            loader.set_resolution(side)


def test_a_new_transform_counts_from_the_next_pass(small_pack: Path) -> None:
    loader = loader_of(small_pack, EVAL, 8)
    assert next(iter(loader))[0].shape[2:] == (32, 32)
    loader.dataset.transform = v1.Compose([v1.CenterCrop(10), v1.ToTensor()])
    assert next(iter(loader))[0].shape[2:] == (10, 10)
    loader.dataset.transform.transforms[0].size = (12, 12)
    assert next(iter(loader))[0].shape[2:] == (12, 12)


def test_explain(small_pack: Path) -> None:
    transform = v1.Compose([*TRAIN.transforms, v1.Lambda(abs)])
    with redirect_stdout(io.StringIO()) as said:
        loader_of(small_pack, transform, 8, engine="torch").explain()
    lines = said.getvalue().splitlines()
    assert lines[0] == "engine torch, decode exact, 2 threads, 2 batches ahead"
    assert [line.split()[0] for line in lines[2:8]] == ["engine"] * 5 + ["per"]
    assert "does not know it" in lines[7]
    assert lines[8].endswith("tensor, float32, 3 x 24 x 24")


def test_per_sample_randomness_is_seeded_and_forked(small_pack: Path) -> None:
    transform = v1.Compose(
        [v1.CenterCrop(8), v1.ToTensor(), v1.Lambda(lambda image: image + torch.rand(1))]
    )
    one = loader_of(small_pack, transform, 6, seed=1)
    torch.manual_seed(0)
    first = collected(one)[0]
    after = torch.rand(1)
    torch.manual_seed(0)
    assert torch.equal(after, torch.rand(1))
    other = loader_of(small_pack, transform, 7, seed=1, num_workers=0)
    assert torch.equal(collected(other)[0], first)
    assert not torch.equal(collected(one)[0], first)


def test_bad_records_are_raised_with_their_names(
    small_pack: Path, tmp_path: Path, engine: str
) -> None:
    broken = damaged_copy(small_pack, tmp_path, index=5)
    running = iter(loader_of(broken, EVAL, 4, engine=engine))
    next(running)
    with pytest.raises(RecordError, match="checksum") as caught:
        next(running)
    pack = fastload.ImageFolder(broken).pack
    assert caught.value.path == pack.index.path(int(pack.index.listing[5]))
    assert len(next(running)[0]) == 4


def test_bad_records_are_skipped(
    small_pack: Path, tmp_path: Path, engine: str, caplog: pytest.LogCaptureFixture
) -> None:
    broken = damaged_copy(small_pack, tmp_path, index=5)
    good = collected(loader_of(small_pack, EVAL, 4, engine=engine))
    loader = loader_of(broken, EVAL, 4, engine=engine, on_error="skip")
    images, labels = collected(loader)
    kept = [index for index in range(22) if index != 5]
    assert torch.equal(images, good[0][kept]) and torch.equal(labels, good[1][kept])
    collected(loader)
    assert [type(error) for error in loader.errors] == [RecordError]
    assert len(caplog.records) == 2
    alone = loader_of(broken, EVAL, 1, engine=engine, on_error="skip")
    assert len(list(alone)) == 21


@pytest.mark.parametrize("transform", [EVAL, v1.Compose([v1.Resize(20), v1.ToTensor()])])
def test_bad_records_are_substituted(
    small_pack: Path, tmp_path: Path, engine: str, transform: Any
) -> None:
    broken = damaged_copy(small_pack, tmp_path, index=5)
    arguments: dict[str, Any] = {"engine": engine, "collate_fn": list, "seed": 2}
    good = [pair for b in loader_of(small_pack, transform, 4, **arguments) for pair in b]
    found = []
    for threads in (1, 3):
        arguments |= {"num_workers": threads, "on_error": "substitute"}
        loader = loader_of(broken, transform, 4, **arguments)
        served = [pair for batch in loader for pair in batch]
        assert [label for _, label in served] == [label for _, label in good]
        for index in set(range(22)) - {5}:
            assert torch.equal(served[index][0], good[index][0])
        found.append(served[5][0])
        assert len(loader.errors) == 1
    assert torch.equal(found[0], found[1])
    of_its_class = [image for (image, label) in good if label == good[5][1]]
    assert any(torch.equal(found[0], image) for image in of_its_class)


def test_no_substitute_from_outside_the_subset(small_pack: Path, tmp_path: Path) -> None:
    broken = damaged_copy(small_pack, tmp_path, index=5)
    dataset = Subset(fastload.ImageFolder(broken, EVAL), [5, 15])
    with pytest.raises(RecordError):
        list(fastload.DataLoader(dataset, 2, on_error="substitute"))


def test_an_image_that_a_transform_cannot_take_is_named(small_pack: Path, engine: str) -> None:
    transform = v1.Compose([v1.RandomCrop(60), v1.ToTensor()])
    with pytest.raises(TransformError, match=r"record \d+ \(.*larger than input image size"):
        collected(loader_of(small_pack, transform, 4, engine=engine))
    images, _ = collected(loader_of(small_pack, transform, 4, engine=engine, on_error="skip"))
    assert 0 < len(images) < 22


def test_errors_of_a_sampler_come_in_their_place(small_pack: Path) -> None:
    def indices() -> Any:
        yield from range(4)
        raise KeyError("no more")

    running = iter(loader_of(small_pack, EVAL, 2, sampler=indices()))
    assert len(next(running)[0]) == 2 and len(next(running)[0]) == 2
    with pytest.raises(KeyError, match="no more"):
        next(running)
    with pytest.raises(IndexError, match="Index 22 is outside"):
        list(loader_of(small_pack, EVAL, 2, sampler=[0, 22]))


class _SlowJob:
    def __init__(self, finished: threading.Event) -> None:
        self._finished = finished

    def wait(self, seconds: float | None) -> bool:
        return self._finished.wait(seconds)

    def hand_over(self) -> None:
        pass

    def failures(self) -> dict[int, str]:
        return {}

    def close(self) -> None:
        self._finished.set()


class _SlowEngine:
    name = "slow"

    def submit(self, work: Any) -> _SlowJob:
        return _SlowJob(threading.Event())

    def close(self) -> None:
        pass


@pytest.fixture
def slow_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Batcher, "engine", lambda self, device: _SlowEngine())


@pytest.mark.usefixtures("slow_engine")
def test_timeout(small_pack: Path) -> None:
    start = time.monotonic()
    with pytest.raises(LoaderTimeoutError, match=r"within 0\.2 seconds"):
        next(iter(loader_of(small_pack, EVAL, 2, timeout=0.2)))
    assert time.monotonic() - start < 2


@pytest.mark.usefixtures("slow_engine", "heard_ctrl_c")
def test_ctrl_c_stops_the_wait(small_pack: Path) -> None:
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        next(iter(loader_of(small_pack, EVAL, 2)))
    timer.join()


def test_pickling(small_pack: Path, engine: str) -> None:
    loader = loader_of(small_pack, EVAL, 4, shuffle=True, seed=1, engine=engine)
    first = collected(loader)[0]
    again = pickle.loads(pickle.dumps(loader))
    again.set_epoch(0)
    assert torch.equal(collected(again)[0], first)


def in_child(loader: fastload.DataLoader, expected: torch.Tensor, result: Any) -> None:
    torch.set_num_threads(1)  # torch's own threads do not survive a fork
    result.put(bool(torch.equal(collected(loader)[0], expected)))


def test_a_forked_process_starts_its_own_engine(small_pack: Path, engine: str) -> None:
    context: Any = torch.multiprocessing.get_context("fork")
    loader = loader_of(small_pack, EVAL, 4, engine=engine)
    expected = collected(loader)[0]
    result = context.SimpleQueue()
    child = context.Process(target=in_child, args=(loader, expected, result))
    child.start()
    child.join(60)
    assert child.exitcode == 0 and result.get()


@pytest.mark.real_data
def test_real_photos(real_photos: Path, tmp_path: Path, engine: str) -> None:
    transform = v1.Compose([v1.Resize(256), v1.CenterCrop(224), *EVAL.transforms[2:]])
    pack = fastload.pack(real_photos, tmp_path / "photos.pack", workers=2).path
    some = range(0, 1000, 8)
    ours = Subset(fastload.ImageFolder(pack, transform), some)
    theirs = Subset(datasets.ImageFolder(real_photos, transform), some)
    loader = fastload.DataLoader(ours, 32, num_workers=2, engine=engine)
    assert_same_batches(loader, TorchDataLoader(theirs, 32))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_batches_on_a_gpu(small_pack: Path, engine: str) -> None:
    expected = collected(loader_of(small_pack, EVAL, 4, engine=engine))
    pinned = next(iter(loader_of(small_pack, EVAL, 4, engine=engine, pin_memory=True)))
    assert pinned[0].is_pinned() and pinned[1].is_pinned()
    there = collected(loader_of(small_pack, EVAL, 4, engine=engine, device="cuda"))
    assert there[0].device.type == there[1].device.type == "cuda"
    assert torch.equal(there[0].cpu(), expected[0])
