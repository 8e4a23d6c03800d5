"""``pipelines=``: what users have written for FFCV runs over a pack as over FFCV's own file."""

from __future__ import annotations

import gc
import pickle
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import Subset

import fastload
from fastload.errors import EngineError, RecordError
from tests.test_dataset import damaged_copy

pytestmark = pytest.mark.skipif(find_spec("ffcv") is None, reason="ffcv is not installed")

BAD = 5


def centre() -> dict[str, Any]:
    from ffcv.fields.decoders import CenterCropRGBImageDecoder, IntDecoder
    from ffcv.transforms import Squeeze, ToTensor, ToTorchImage

    image = [CenterCropRGBImageDecoder((24, 24), 0.8), ToTensor(), ToTorchImage()]
    return {"image": image, "label": [IntDecoder(), ToTensor(), Squeeze(1)]}


def flipped() -> dict[str, Any]:
    from ffcv.transforms import RandomHorizontalFlip

    pipelines = centre()
    pipelines["image"].insert(1, RandomHorizontalFlip())
    return pipelines


@pytest.fixture(scope="module", autouse=True)
def _ffcv() -> None:
    """Imported by the library first, which leaves the settings of others alone."""
    import fastload.engines.ffcv  # noqa: F401


def loader_of(pack: Path, pipelines: Any, **arguments: Any) -> fastload.DataLoader:
    defaults = {"batch_size": 8, "seed": 3, "num_workers": 2, "engine": "ffcv"}
    dataset = fastload.ImageFolder(pack)
    return fastload.DataLoader(dataset, pipelines=pipelines, **(defaults | arguments))


def collected(loader: Any) -> tuple[torch.Tensor, torch.Tensor]:
    batches = [(images.clone(), labels.clone()) for images, labels in loader]
    return torch.cat([b[0] for b in batches]), torch.cat([b[1] for b in batches])


def write_beton(pack: Path, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """FFCV's own file of the very bytes of a pack, what is no JPEG as raw pixels."""
    from ffcv.fields import IntField, RGBImageField
    from ffcv.writer import DatasetWriter

    dataset = fastload.ImageFolder(pack)
    encode = RGBImageField.encode

    def pass_through(self: Any, destination: Any, image: Any, malloc: Any) -> None:
        if image[0] is None:
            return encode(self, destination, image[1], malloc)
        destination["mode"], (destination["height"], destination["width"]) = 0, image[1].shape[:2]
        destination["data_ptr"], storage = malloc(image[0].nbytes)
        storage[:] = image[0]
        return None

    class Samples:
        def __len__(self) -> int:
            return len(dataset)

        def __getitem__(self, place: int) -> Any:
            record = dataset.record(place)
            jpeg = dataset.pack.index.codec[record] == 0
            payload = np.frombuffer(dataset.pack.payload(record), np.uint8) if jpeg else None
            image, label = dataset[place]
            return (payload, np.array(image)), label

    monkeypatch.setattr(RGBImageField, "encode", pass_through)
    fields = {"image": RGBImageField(), "label": IntField()}
    DatasetWriter(str(path), fields, num_workers=1).from_indexed_dataset(Samples())


def batches_of_ffcv(path: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """What FFCV's own Loader gives."""
    from ffcv.loader import Loader, OrderOption

    order, drop_last = OrderOption.SEQUENTIAL, False
    loader = Loader(
        str(path), 8, num_workers=1, order=order, drop_last=drop_last, pipelines=centre()
    )
    return collected(loader)


@pytest.mark.slow
def test_batches_are_those_of_ffcvs_own_loader(
    small_pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, threads = tmp_path / "data.beton", torch.get_num_threads()
    write_beton(small_pack, path, monkeypatch)
    first = collected(loader_of(small_pack, centre()))
    expected = batches_of_ffcv(path)
    torch.set_num_threads(threads)
    ours = loader_of(small_pack, centre())
    for mine, wanted in zip(collected(ours), expected, strict=True):
        assert mine.dtype == wanted.dtype
        assert torch.equal(mine, wanted)
    # What was compiled before FFCV's own loader had been at work is found again behind it.
    assert all(map(torch.equal, collected(loader_of(small_pack, centre())), first))
    assert all(isinstance(batch, tuple) for batch in ours)
    assert torch.get_num_threads() == threads


@pytest.mark.slow
def test_what_is_drawn_comes_from_the_seed(small_pack: Path) -> None:
    loader = loader_of(small_pack, flipped(), num_workers=1)
    first, second = collected(loader), collected(loader)
    mirrored = [torch.equal(one, other) for one, other in zip(first[0], second[0], strict=True)]
    assert 0 < sum(mirrored) < 22
    again = pickle.loads(pickle.dumps(loader))
    again.set_epoch(0)
    running = iter(again)
    batches = [next(running)]
    state = again.state_dict()
    resumed = loader_of(small_pack, flipped(), num_workers=3)
    resumed.load_state_dict(state)
    batches += list(resumed)
    assert torch.equal(torch.cat([images for images, _ in batches]), first[0])


def test_fields_are_left_out_and_take_their_defaults(small_pack: Path) -> None:
    only_labels = loader_of(small_pack, {"image": None})
    labels = torch.cat([labels for (labels,) in only_labels]).flatten()
    assert labels.tolist() == fastload.ImageFolder(small_pack).targets
    part = Subset(fastload.ImageFolder(small_pack), [20, 3, 11])
    loader = fastload.DataLoader(part, 2, engine="ffcv", pipelines={"image": None})
    assert [labels.flatten().tolist() for (labels,) in loader] == [[3, 0], [1]]


@pytest.mark.slow
def test_a_bad_record_is_named_left_out_or_replaced(small_pack: Path, tmp_path: Path) -> None:
    broken = damaged_copy(small_pack, tmp_path, BAD)
    expected = collected(loader_of(small_pack, centre()))
    with pytest.raises(RecordError, match="checksum") as raised:
        list(loader_of(broken, centre()))
    assert raised.value.record == fastload.ImageFolder(broken).record(BAD)
    kept = torch.arange(22) != BAD
    skipping = loader_of(broken, centre(), on_error="skip")
    images, labels = collected(skipping)
    assert torch.equal(images, expected[0][kept]) and torch.equal(labels, expected[1][kept])
    assert len(skipping.errors) == 1
    images, labels = collected(loader_of(broken, centre(), on_error="substitute"))
    assert torch.equal(images[kept], expected[0][kept]) and torch.equal(labels, expected[1])


def test_jpegs_that_ffcv_cannot_decode_come_from_the_native_library(
    small_pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fastload.engines.ffcv import pipelines
    from fastload.engines.ffcv.kernels import UNDECODABLE

    outputs, calls = pipelines.PipelineRunner._outputs, []

    def fail_once(self: Any, samples: Any, seed: int, metadata: Any, pixels: Any) -> Any:
        calls.append(len(pixels))
        if len(calls) == 1:
            raise ValueError(UNDECODABLE)
        return outputs(self, samples, seed, metadata, pixels)

    expected = collected(loader_of(small_pack, centre()))
    monkeypatch.setattr(pipelines.PipelineRunner, "_outputs", fail_once)
    images, labels = collected(loader_of(small_pack, centre(), batch_size=22))
    assert calls == [4, 22]
    assert torch.equal(labels, expected[1])
    # FFCV decodes with a faster inverse DCT.
    assert (images.int() - expected[0].int()).abs().max() <= 12


def test_what_an_operation_raises_reaches_the_consumer(small_pack: Path) -> None:
    class Broken(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            raise RuntimeError("from an operation")

    gc.collect()
    before = threading.active_count()
    pipelines = centre()
    pipelines["image"].append(Broken())
    loader = loader_of(small_pack, pipelines, timeout=120)
    with pytest.warns(ResourceWarning), pytest.raises(RuntimeError, match="from an operation"):
        list(loader)
    loader.close()
    assert threading.active_count() <= before


def test_batches_that_are_kept_are_never_overwritten(small_pack: Path) -> None:
    loader = loader_of(small_pack, centre(), batch_size=2)
    kept = [images for images, _ in loader]
    assert torch.equal(torch.cat(kept), collected(loader)[0])


def test_arguments_that_contradict_pipelines(small_pack: Path) -> None:
    with pytest.raises(EngineError, match="engine='ffcv'"):
        loader_of(small_pack, {}, engine="native")
    with pytest.raises(TypeError, match="mapping"):
        loader_of(small_pack, [])
    with pytest.raises(ValueError, match="collate_fn"):
        loader_of(small_pack, {}, collate_fn=list)
    renamed = fastload.ImageFolder(small_pack, target_transform=str)
    with pytest.raises(ValueError, match="target_transform"):
        fastload.DataLoader(renamed, engine="ffcv", pipelines={})
    with pytest.raises(ValueError, match="made of packs"):
        fastload.DataLoader([1, 2], engine="ffcv", pipelines={})
    with pytest.raises(ValueError, match="has to be a sequence"):
        next(iter(loader_of(small_pack, {"image": 3})))
