"""What every engine promises: the contracts of the design, one test each, over all engines."""

from __future__ import annotations

import gc
import itertools
import pickle
import threading
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch
from torch.utils.data import ConcatDataset, Subset
from torchvision.transforms import transforms as v1
from torchvision.transforms import v2

import fastload
from fastload.errors import RecordError, TransformError
from tests.contracts.engines import ENGINES, engine_parameters
from tests.forked import in_child
from tests.test_dataset import damaged_copy

CROP = [v2.RandomResizedCrop(32), v2.RandomHorizontalFlip()]
TRAIN = v2.Compose([*CROP, v2.PILToTensor()])
BAD = 5

TRANSFORMS: dict[str, Any] = {
    "evaluation": v2.Compose([v2.Resize(40), v2.CenterCrop(32), v2.PILToTensor()]),
    "random resized crop": TRAIN,
    "other filters": v2.Compose(
        [v2.RandomResizedCrop(40, interpolation=v2.InterpolationMode.BICUBIC), v2.PILToTensor()]
    ),
    "larger": v2.Compose([v2.Resize((150, 170)), v2.PILToTensor()]),
    "no size but a crop's": v2.Compose([v2.CenterCrop(48), v2.PILToTensor()]),
    "random crop": v2.Compose(
        [v2.Resize((40, 44)), v2.RandomCrop(40, padding=4), v2.PILToTensor()]
    ),
    "reflected borders": v2.Compose(
        [v2.Resize((40, 44)), v2.Pad(6, padding_mode="reflect"), v2.PILToTensor()]
    ),
    "flips": v2.Compose(
        [v2.Resize((32, 32)), v2.RandomHorizontalFlip(), v2.RandomVerticalFlip(), v2.PILToTensor()]
    ),
    "colour": v2.Compose([*CROP, v2.ColorJitter(0.4, 0.4, 0.4, 0.1), v2.PILToTensor()]),
    "now and then": v2.Compose(
        [
            *CROP,
            v2.RandomApply([v2.ColorJitter(0.4, 0.4)], p=0.5),
            v2.RandomGrayscale(0.3),
            v2.PILToTensor(),
        ]
    ),
    "grey": v2.Compose([*CROP, v2.Grayscale(), v2.PILToTensor()]),
    "RandAugment": v2.Compose([*CROP, v2.RandAugment(), v2.PILToTensor()]),
    "TrivialAugmentWide": v2.Compose([*CROP, v2.TrivialAugmentWide(), v2.PILToTensor()]),
    "AutoAugment": v2.Compose([*CROP, v2.AutoAugment(), v2.PILToTensor()]),
    "blurred": v2.Compose([*CROP, v2.GaussianBlur(5), v2.PILToTensor()]),
    "erased": v2.Compose([*CROP, v2.PILToTensor(), v2.RandomErasing(p=0.7, value=9)]),
    "per sample": v2.Compose([*CROP, v2.PILToTensor(), v2.Lambda(lambda image: 255 - image)]),
}

DTYPES = [torch.uint8, torch.float16, torch.bfloat16, torch.float32]


def loader_of(pack: Path, transform: Any = TRAIN, **arguments: Any) -> fastload.DataLoader:
    defaults = {"batch_size": 6, "shuffle": True, "seed": 3, "num_workers": 2}
    return fastload.DataLoader(fastload.ImageFolder(pack, transform), **(defaults | arguments))


def collected(loader: Any) -> tuple[torch.Tensor, torch.Tensor]:
    batches = list(loader)
    return torch.cat([b[0] for b in batches]), torch.cat([b[1] for b in batches])


def assert_same(one: Any, other: Any) -> None:
    for mine, theirs in zip(one, other, strict=True):
        assert torch.equal(mine, theirs)


def assert_within(
    images: torch.Tensor, expected: torch.Tensor, engine: str, augmented: bool = False
) -> None:
    standard = ENGINES[engine]
    assert images.shape == expected.shape and images.dtype == expected.dtype
    differences = (images.double() - expected.double()).abs().flatten()
    if augmented and standard.augmented is not None:
        assert float(differences.mean()) <= standard.augmented
        return
    assert float(differences.mean()) <= standard.mean
    assert float(differences.quantile(0.999)) <= standard.typical
    assert float(differences.max()) <= standard.most


@pytest.mark.parametrize("engine", engine_parameters())
class TestContract:
    # -- Pixels ------------------------------------------------------------------------------

    @pytest.mark.parametrize("name", TRANSFORMS)
    def test_pixels_are_torchvisions(self, small_pack: Path, engine: str, name: str) -> None:
        transform = TRANSFORMS[name]
        images, labels = collected(loader_of(small_pack, transform, engine=engine))
        expected, their_labels = collected(loader_of(small_pack, transform, engine="torch"))
        assert torch.equal(labels, their_labels)
        assert_within(images, expected, engine, augmented="Augment" in name)

    @pytest.mark.parametrize("dtype", DTYPES)
    @pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
    def test_values_of_every_kind(
        self, small_pack: Path, engine: str, dtype: torch.dtype, memory_format: torch.memory_format
    ) -> None:
        normalised = v2.Compose(
            [
                *CROP,
                v2.ToImage(),
                v2.ToDtype(dtype, scale=True),
                *([v2.Normalize([0.4] * 3, [0.2] * 3)] if dtype.is_floating_point else []),
            ]
        )
        images, expected = (
            collected(loader_of(small_pack, normalised, engine=one, memory_format=memory_format))[0]
            for one in (engine, "torch")
        )
        assert images.dtype == dtype
        scale = 255 * 0.2 if dtype.is_floating_point else 1
        # Beside the levels' own difference there is a last bit of the values'.
        rounding = 3 * torch.finfo(dtype).eps * scale if dtype.is_floating_point else 0
        differences = (images.double() - expected.double()).abs() * scale - rounding
        assert float(differences.max()) <= ENGINES[engine].most
        for batch, _ in loader_of(
            small_pack, normalised, engine=engine, memory_format=memory_format
        ):
            assert batch.is_contiguous(memory_format=memory_format)

    def test_pil_images(self, small_pack: Path, engine: str) -> None:
        crop = v2.RandomCrop(30)
        images, expected = (
            [
                np.asarray(image)
                for batch in loader_of(small_pack, crop, collate_fn=list, engine=one)
                for image, _ in batch
            ]
            for one in (engine, "torch")
        )
        assert_within(torch.tensor(np.stack(images)), torch.tensor(np.stack(expected)), engine)

    @pytest.mark.parametrize("codec", ["dct", "jpeg"])
    def test_codecs_change_no_pixel(
        self, label_folder: Path, small_pack: Path, tmp_path: Path, engine: str, codec: str
    ) -> None:
        verbatim = codec == "jpeg"
        pack = fastload.pack(
            label_folder,
            tmp_path / "other.pack",
            codec=codec,
            verbatim=verbatim,
            workers=2,
        ).path
        images, expected = (
            collected(loader_of(one, engine=engine))[0] for one in (pack, small_pack)
        )
        # Which part of an image is decoded by what may depend on the codec.
        assert_within(images, expected, engine)

    # -- Determinism -------------------------------------------------------------------------

    @pytest.mark.parametrize("threads", [1, 3])
    @pytest.mark.parametrize("cache", [0, "auto"])
    def test_threads_and_cache_change_nothing(
        self, small_pack: Path, engine: str, threads: int, cache: Any
    ) -> None:
        expected = collected(loader_of(small_pack, engine=engine))
        loader = loader_of(small_pack, engine=engine, num_workers=threads, cache=cache)
        assert_same(collected(loader), expected)
        second = collected(loader)
        assert not torch.equal(second[0], expected[0])
        loader.set_epoch(0)
        assert_same(collected(loader), expected)

    def test_nothing_ahead_changes_nothing(self, small_pack: Path, engine: str) -> None:
        ahead, none = (
            collected(loader_of(small_pack, engine=engine, num_workers=workers))
            for workers in (2, 0)
        )
        assert_same(none, ahead)

    @pytest.mark.parametrize("taken", [0, 1, 3])
    def test_an_epoch_resumes_at_the_very_next_sample(
        self, small_pack: Path, engine: str, taken: int
    ) -> None:
        whole = list(loader_of(small_pack, engine=engine))
        broken = loader_of(small_pack, engine=engine)
        running = iter(broken)
        for _ in range(taken):
            next(running)
        state = broken.state_dict()
        resumed = loader_of(small_pack, engine=engine)
        resumed.load_state_dict(state)
        for mine, theirs in zip(resumed, whole[taken:], strict=True):
            assert_same(mine, theirs)

    def test_ranks_together_serve_the_epoch_of_one(self, small_pack: Path, engine: str) -> None:
        whole = collected(loader_of(small_pack, engine=engine, batch_size=6))
        ranks = [
            list(loader_of(small_pack, engine=engine, batch_size=3, rank=rank, world_size=2))
            for rank in range(2)
        ]
        # Rank r serves positions r, r + W, ... of each batch of all.
        images = [
            image
            for batches in zip(*ranks, strict=True)
            for pair in zip(*(images for images, _ in batches), strict=True)
            for image in pair
        ]
        assert torch.equal(torch.stack(images)[: len(whole[0])], whole[0])

    def test_batches_of_another_resolution(self, small_pack: Path, engine: str) -> None:
        loader = loader_of(small_pack, engine=engine)
        first = collected(loader)[0]
        loader.set_resolution(24, 20)
        smaller = collected(loader)[0]
        assert first.shape[2:] == (32, 32) and smaller.shape[2:] == (24, 20)
        other = loader_of(
            small_pack,
            v2.Compose([v2.RandomResizedCrop((24, 20)), *TRAIN.transforms[1:]]),
            engine=engine,
        )
        other.set_epoch(1)
        assert torch.equal(smaller, collected(other)[0])

    # -- What is loaded from -------------------------------------------------------------------

    def test_parts_with_transforms_of_their_own(self, small_pack: Path, engine: str) -> None:
        def batches(one: str) -> torch.Tensor:
            train = fastload.ImageFolder(small_pack, TRAIN)
            other = fastload.ImageFolder(small_pack, TRANSFORMS["evaluation"])
            union = ConcatDataset([Subset(train, range(0, 22, 2)), other])
            return collected(
                fastload.DataLoader(union, 6, shuffle=True, seed=1, engine=one, num_workers=2)
            )[0]

        assert_within(batches(engine), batches("torch"), engine)

    def test_sizes_that_differ(self, small_pack: Path, engine: str) -> None:
        whole = v2.Compose([v2.Resize(30), v2.PILToTensor()])
        mine, theirs = (
            [
                image
                for batch in loader_of(small_pack, whole, collate_fn=list, engine=one)
                for image, _ in batch
            ]
            for one in (engine, "torch")
        )
        for image, expected in zip(mine, theirs, strict=True):
            assert_within(image, expected, engine)

    def test_batches_of_several_sizes(self, small_pack: Path, engine: str) -> None:
        sampler = [[0], [1, 2, 3, 4, 5, 6, 7, 8], [9, 9], list(range(10, 22))]
        dataset = fastload.ImageFolder(small_pack, TRAIN)
        loader = fastload.DataLoader(dataset, batch_sampler=sampler, engine=engine, seed=1)
        for _ in range(2):
            assert [len(labels) for _, labels in loader] == [1, 8, 2, 12]

    # -- Errors ------------------------------------------------------------------------------

    def test_a_bad_record_is_named(self, small_pack: Path, tmp_path: Path, engine: str) -> None:
        broken = damaged_copy(small_pack, tmp_path, BAD)
        dataset = fastload.ImageFolder(broken, TRAIN)
        path = dataset.pack.index.path(dataset.record(BAD))
        loader = fastload.DataLoader(dataset, 4, engine=engine, num_workers=2)
        running = iter(loader)
        next(running)
        with pytest.raises(RecordError) as raised:
            next(running)
        assert raised.value.record == dataset.record(BAD)
        for word in (path, "00000.tar", "hecksum"):
            assert word in str(raised.value)
        # The next epoch is served all the same.
        next(iter(loader))

    def test_a_bad_record_costs_itself_alone(
        self, small_pack: Path, tmp_path: Path, engine: str
    ) -> None:
        broken = damaged_copy(small_pack, tmp_path, BAD)
        arguments = {"engine": engine, "shuffle": False}
        expected = collected(loader_of(small_pack, **arguments))
        kept = torch.arange(22) != BAD
        skipping = loader_of(broken, on_error="skip", **arguments)
        images, labels = collected(skipping)
        assert torch.equal(images, expected[0][kept]) and torch.equal(labels, expected[1][kept])
        assert len(skipping.errors) == 1
        replacing = loader_of(broken, on_error="substitute", **arguments)
        images, labels = collected(replacing)
        assert torch.equal(images[kept], expected[0][kept])
        assert torch.equal(labels, expected[1])
        assert images[BAD].float().std() > 0

    def test_an_image_that_the_transform_cannot_take_is_named(
        self, small_pack: Path, engine: str
    ) -> None:
        large = v2.Compose([v2.RandomCrop(100), v2.PILToTensor()])
        with pytest.raises(TransformError, match="larger than input"):
            list(loader_of(small_pack, large, engine=engine))
        skipping = loader_of(small_pack, large, engine=engine, on_error="skip")
        theirs = loader_of(small_pack, large, engine="torch", on_error="skip")
        assert_within(collected(skipping)[0], collected(theirs)[0], engine)

    # -- Memory and threads ----------------------------------------------------------------------

    def test_batches_that_are_kept_are_never_overwritten(
        self, small_pack: Path, engine: str
    ) -> None:
        loader = loader_of(small_pack, engine=engine, batch_size=2)
        kept, copies = [], []
        for _ in range(3):
            for images, _ in loader:
                kept.append(images)
                copies.append(images.clone())
        assert_same(kept, copies)
        del loader
        gc.collect()
        assert_same(kept, copies)

    def test_batches_are_the_users_to_change(self, small_pack: Path, engine: str) -> None:
        expected = collected(loader_of(small_pack, engine=engine))
        loader = loader_of(small_pack, engine=engine)
        served = []
        for images, labels in loader:
            served.append((images.clone(), labels))
            images.zero_()
        assert_same((torch.cat([images for images, _ in served]),), expected[:1])

    def test_two_loaders_at_once(self, small_pack: Path, engine: str) -> None:
        train, validation = (
            loader_of(small_pack, transform, engine=engine)
            for transform in (TRAIN, TRANSFORMS["evaluation"])
        )
        expected = list(train), list(validation)
        for loader in (train, validation):
            loader.set_epoch(0)
        both = list(zip(train, validation, strict=True))
        for place, one in enumerate(expected):
            for mine, theirs in zip((pair[place] for pair in both), one, strict=True):
                assert_same(mine, theirs)

    def test_two_passes_of_one_loader_at_once(self, small_pack: Path, engine: str) -> None:
        loader = loader_of(small_pack, engine=engine, shuffle=False)
        first = iter(loader)
        next(first)
        second = iter(loader)
        rest = list(first)
        assert len(rest) == 3 and len(list(second)) == 4

    def test_epochs_broken_off_leave_no_threads(self, small_pack: Path, engine: str) -> None:
        process = psutil.Process()
        loader = loader_of(small_pack, engine=engine, batch_size=2)
        for _ in itertools.islice(loader, 2):
            pass
        gc.collect()
        native, pythons = process.num_threads(), threading.active_count()
        for _ in range(5):
            for _ in itertools.islice(loader, 2):
                pass
        gc.collect()
        assert process.num_threads() <= native
        assert threading.active_count() <= pythons

    def test_closing_stops_all_and_iterating_starts_anew(
        self, small_pack: Path, engine: str
    ) -> None:
        loader = loader_of(small_pack, engine=engine)
        expected = collected(loader)
        loader.close()
        loader.close()
        loader.set_epoch(0)
        assert_same(collected(loader), expected)

    def test_settings_of_other_libraries_stay(self, small_pack: Path, engine: str) -> None:
        def settings() -> tuple[Any, ...]:
            return (
                torch.get_num_threads(),
                torch.get_num_interop_threads(),
                torch.initial_seed(),
                torch.get_default_dtype(),
                np.random.get_state()[1].tobytes(),  # noqa: NPY002
                torch.is_grad_enabled(),
            )

        before = settings()
        collected(loader_of(small_pack, engine=engine, num_workers=3))
        assert settings() == before

    # -- Processes ---------------------------------------------------------------------------

    def test_pickled(self, small_pack: Path, engine: str) -> None:
        loader = loader_of(small_pack, engine=engine)
        expected = collected(loader)
        again = pickle.loads(pickle.dumps(loader))
        again.set_epoch(0)
        assert_same(collected(again), expected)

    def test_forked(self, small_pack: Path, engine: str) -> None:
        context: Any = torch.multiprocessing.get_context("fork")
        loader = loader_of(
            small_pack, v1.Compose([v1.CenterCrop(32), v1.PILToTensor()]), engine=engine
        )
        expected = collected(loader)[0]
        loader.set_epoch(0)
        result = context.SimpleQueue()
        child = context.Process(target=in_child, args=(loader, expected, result))
        child.start()
        child.join(60)
        assert child.exitcode == 0 and result.get()

    def test_without_gradients(self, small_pack: Path, engine: str) -> None:
        with torch.inference_mode():
            running = iter(loader_of(small_pack, engine=engine))
        images, _ = next(running)
        assert not images.is_inference()
