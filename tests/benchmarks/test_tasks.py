"""What the adapters of fastload and of the decoders do, on a small pack."""

from __future__ import annotations

import importlib
import multiprocessing
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import fastload
from benchmarks import index_tasks, whole_decode
from benchmarks.job import TRAIN_UINT8, Job
from benchmarks.many_rows import repeat_rows
from benchmarks.peers import fastload as ours
from benchmarks.peers import imagefolder, step_alone
from benchmarks.places import Places
from benchmarks.ranks import ranks
from benchmarks.train_step import training_step
from fastload.store import open_pack


@pytest.fixture(scope="module")
def rows(small_pack: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack of 100 rows, of the small one's 22 images."""
    target = tmp_path_factory.mktemp("rows") / "many"
    repeat_rows(str(small_pack), 100, target)
    return target


def test_a_pack_of_many_rows_has_as_many_as_were_asked_for(rows: Path, small_pack: Path) -> None:
    many, few = open_pack(rows), open_pack(small_pack)
    assert many.index.label.tolist() == np.resize(few.index.label, 100).tolist()
    assert many.payload(99).tobytes() == few.payload(99 % 22).tobytes()
    targets = np.array(fastload.ImageFolder(rows).targets)
    assert (np.diff(targets) >= 0).all()
    assert targets.sum() == many.index.label.sum()


@pytest.mark.parametrize("count", [1, 2])
def test_ranks_share_one_epoch_and_end_with_their_window(rows: Path, count: int) -> None:
    before = set(multiprocessing.active_children())
    window = ranks(Job("fastload", "ranks", TRAIN_UINT8, 1, packed=str(rows), batch=5, ranks=count))
    assert [list(window()) for _ in range(2)] == [[5] * 20] * 2
    processes = set(multiprocessing.active_children()) - before
    assert len(processes) == count
    del window
    # One that stayed would hold all that was open here, and a browser's driver waits for that.
    for process in processes:
        process.join(timeout=20)
        assert process.exitcode == 0


def test_an_index_is_opened_shuffled_and_ordered(
    rows: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_tasks, "SAMPLES_OF_A_WINDOW", 250)
    job = Job("fastload", "", TRAIN_UINT8, 1, packed=str(rows), batch=40, passes=3, rows=100)
    assert list(ours.open_pack(job)()) == [1, 1, 1]
    assert list(ours.shuffled(job)()) == [40, 40, 20]
    assert list(ours.shuffled_order(job)()) == [100, 100]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A label folder of one JPEG whose EXIF data would turn it."""
    (tmp_path / "files" / "one").mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).resize((80, 60)).save(tmp_path / "files" / "one" / "a.jpg", exif=exif)
    return tmp_path / "files"


@pytest.mark.parametrize("peer", ["fastload", "pillow", "torchvision_io", "simplejpeg", "opencv"])
def test_every_decoder_gives_the_same_picture(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, peer: str
) -> None:
    library = {"simplejpeg": "simplejpeg", "opencv": "cv2"}.get(peer, "torchvision")
    pytest.importorskip(library, reason="of the extra named bench")
    adapter = importlib.import_module(f"benchmarks.peers.{peer}")
    packed = fastload.pack(files, tmp_path / "files.pack").path
    taken: list[Any] = []
    door = "decoding_each" if peer == "fastload" else "decoding"
    monkeypatch.setattr(adapter, door, lambda *arguments: taken.extend(arguments))
    adapter.decode(Job(peer, "decode", photos=str(files), packed=str(packed)))
    decode = taken[-1]
    file = next(files.rglob("*.jpg"))
    data = taken[0][0] if peer == "fastload" else file.read_bytes()
    pixels = np.asarray(decode(data))
    planar = pixels.transpose(1, 2, 0) if pixels.shape[0] == 3 else pixels
    expected = np.asarray(Image.open(file).convert("RGB"), int)
    assert planar.shape == (60, 80, 3)
    # The builds of libjpeg differ in rounding at most.
    assert abs(planar - expected).max() <= 2


def test_a_window_decodes_every_file_as_often_as_asked(files: Path) -> None:
    seen: list[bytes] = []
    window = whole_decode.decoding(
        Job("pillow", "decode", photos=str(files), passes=3), seen.append
    )
    assert list(window()) == [1, 1, 1]
    assert seen == [next(files.rglob("*.jpg")).read_bytes()] * 3


def test_a_training_step_learns() -> None:
    torch.manual_seed(0)
    images, labels = torch.zeros(8, 3, 64, 64, dtype=torch.uint8), torch.arange(8) % 2
    images[labels == 1] = 255
    step = training_step()
    before, after = [], []
    for kept in (before, after):
        for _ in range(8):
            kept.append(step(images, labels))
    assert sum(after) < sum(before)


def test_the_step_alone_counts_the_images_of_a_thousand_photos() -> None:
    window = step_alone.train(Job("step_alone", "train", TRAIN_UINT8, batch=250, passes=1))
    assert next(window()) == 250


def test_imagefolder_draws_rare_classes_as_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, count in (("common", 30), ("rare", 2)):
        (tmp_path / name).mkdir()
        for number in range(count):
            Image.new("RGB", (16, 16)).save(tmp_path / name / f"{number}.png")
    drawn: list[int] = []
    monkeypatch.setattr(
        imagefolder, "passes_of", lambda loader: drawn.extend(loader.sampler) or iter
    )
    torch.manual_seed(0)
    imagefolder.balanced(Job("imagefolder", "balanced", TRAIN_UINT8, 0, str(tmp_path), passes=20))
    assert len(drawn) == 640
    assert 0.4 < np.mean(np.array(drawn) >= 30) < 0.6


def test_places_write_each_thing_once(tmp_path: Path) -> None:
    pytest.importorskip("sklearn", reason="scikit-learn ships the sample photos that are cut")
    places = Places(tmp_path, smoke=True, full=False)
    job = Job("imagefolder", "load", TRAIN_UINT8, kind="64 px")
    [placed], [again] = places.place([job]), places.place([job])
    assert placed == again
    assert places.photos["64 px"].images == 24
    assert places.photos["64 px"].name.startswith("64 px, of cuts")
    assert len(deque(Path(placed.photos).rglob("*.jpg"))) == 24
    [packing] = places.place([Job("fastload", "pack")])
    assert not Path(packing.packed).exists()
    places.packing_seconds["fastload", "jpeg"] = 1.5
    assert places.seconds_of(Job("fastload", "load")) == 1.5
    assert places.seconds_of(Job("fastload", "load", rows=1000)) is None
    assert places.seconds_of(Job("imagefolder", "load")) is None
