"""The FFCV engine beyond the contracts of tests/contracts: its parts, its limits, its pixels."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torchvision.transforms import v2

import fastload

needs_ffcv = pytest.mark.skipif(find_spec("ffcv") is None, reason="ffcv is not installed")
ROOT = Path(__file__).resolve().parents[2]
TRAIN = v2.Compose([v2.RandomResizedCrop(32), v2.RandomHorizontalFlip(), v2.PILToTensor()])


def loader_of(pack: Path, transform: Any = TRAIN, **arguments: Any) -> fastload.DataLoader:
    defaults = {"batch_size": 6, "shuffle": True, "seed": 3, "num_workers": 2, "engine": "ffcv"}
    return fastload.DataLoader(fastload.ImageFolder(pack, transform), **(defaults | arguments))


def run_python(program: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_nothing_of_ffcv_is_imported_before_it_is_asked_for() -> None:
    run_python(
        "import fastload, sys\nassert not {'ffcv', 'numba', 'cv2'} & set(sys.modules), 'imported'\n"
    )


def test_without_ffcv_the_error_says_what_to_install(small_pack: Path) -> None:
    said = run_python(
        "import sys\n"
        "sys.modules['ffcv'] = None\n"
        "import fastload, fastload.errors\n"
        f"loader = fastload.DataLoader(fastload.ImageFolder({str(small_pack)!r}), engine='ffcv')\n"
        "try:\n"
        "    next(iter(loader))\n"
        "except fastload.errors.EngineError as error:\n"
        "    print(error)\n"
    )
    assert "libturbojpeg0-dev" in said and 'pip install "fastload[ffcv]"' in said


@needs_ffcv
def test_importing_leaves_thread_settings_alone() -> None:
    run_python(
        "import torch, threading, psutil\n"
        "torch.set_num_threads(3)\n"
        "import numba\n"
        "import fastload.engines.ffcv\n"
        "from ffcv.pipeline import compiler\n"
        "from ffcv.fields import rgb_image\n"
        "assert torch.get_num_threads() == 3\n"
        "assert numba.get_num_threads() == numba.config.NUMBA_NUM_THREADS\n"
        "assert compiler.set_num_threads is numba.set_num_threads\n"
        "assert rgb_image.Dict is numba.typed.Dict\n"
        "assert dict(rgb_image.IMAGE_MODES) == {'jpg': 0, 'raw': 1}\n"
    )


@needs_ffcv
def test_pixels_are_those_of_ffcvs_own_functions(small_pack: Path) -> None:
    """A crop that is decoded from fewer rows is the crop of the whole image, bit for bit."""
    from ffcv import libffcv

    from fastload.augment import Draws
    from fastload.store import Codec

    crop = v2.Compose([v2.RandomResizedCrop((32, 24)), v2.PILToTensor()])
    dataset = fastload.ImageFolder(small_pack, crop)
    images = torch.cat([b for b, _ in loader_of(small_pack, crop, shuffle=False)])
    index = dataset.pack.index
    records = dataset.records(np.arange(len(dataset)))
    draws = Draws(3, 0, np.arange(len(records)))
    plan = dataset.pipeline.plan(draws, index.height[records], index.width[records])
    boxes = plan.columns[0]
    compared = 0
    for row, record in enumerate(records.tolist()):
        if index.codec[record] != Codec.JPEG:
            continue
        height, width = int(index.height[record]), int(index.width[record])
        whole = np.empty((height, width, 3), np.uint8)
        payload = np.frombuffer(dataset.pack.payload(record), np.uint8)
        assert libffcv.imdecode(payload, whole, height, width, height, width) == 0
        top, left = int(boxes["top"][row]), int(boxes["left"][row])
        bottom, right = top + int(boxes["height"][row]), left + int(boxes["width"][row])
        expected = np.empty((32, 24, 3), np.uint8)
        libffcv.resize_crop(whole, top, bottom, left, right, expected)
        np.testing.assert_array_equal(images[row].permute(1, 2, 0).numpy(), expected)
        compared += 1
    assert compared == 18


@needs_ffcv
def test_what_ffcv_does_not_decode_cleanly_the_native_engine_does(
    small_pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fastload.engines.ffcv import engine

    expected = torch.cat([b for b, _ in loader_of(small_pack, engine="native")])
    decode = engine._FfcvJob._decode

    def fail(*arguments: Any) -> Any:
        return np.full_like(decode(*arguments), -1)

    monkeypatch.setattr(engine._FfcvJob, "_decode", fail)
    assert torch.equal(torch.cat([b for b, _ in loader_of(small_pack)]), expected)


@needs_ffcv
@pytest.mark.parametrize("damage", ["cut short", "no JPEG"])
def test_a_failed_decode_is_seen(small_pack: Path, damage: str) -> None:
    from fastload.engines.ffcv.decoder import PLANNED
    from fastload.engines.ffcv.installed import exclusively
    from fastload.engines.ffcv.kernels import UNDECODABLE, decode_boxes, imdecode

    pack = fastload.ImageFolder(small_pack).pack
    record = int(np.flatnonzero(pack.index.codec == 0)[0])
    payload = np.frombuffer(pack.payload(record), np.uint8).copy()
    if damage == "cut short":
        payload = payload[: len(payload) // 2].copy()
    else:
        payload[:] = 0
    height, width = int(pack.index.height[record]), int(pack.index.width[record])
    rows = np.zeros(1, np.dtype([("f0", PLANNED)]))
    rows["f0"]["height"], rows["f0"]["width"] = height, width
    state = tuple(np.array([n], np.uint64) for n in (0, payload.ctypes.data, len(payload)))
    room, codes = np.empty(height * width * 3, np.uint8), np.zeros(1, np.int32)
    memory = np.empty(1, np.uint8), room, codes
    with exclusively():
        assert decode_boxes(np.arange(1), memory, rows["f0"], state)[0] != 0
    with exclusively(), pytest.raises(ValueError, match=UNDECODABLE):
        imdecode(payload, room, height, width, height, width, 0, 0, 1, 1, False, False)


@needs_ffcv
def test_what_a_thread_raises_reaches_the_consumer(
    small_pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fastload.engines.ffcv import engine

    def fail(*arguments: Any) -> None:
        raise RuntimeError("from a thread")

    monkeypatch.setattr(engine, "finish", fail)
    gc.collect()
    before = threading.active_count()
    loader = loader_of(small_pack, timeout=60)
    with pytest.raises(RuntimeError, match="from a thread"):
        list(loader)
    loader.close()
    assert threading.active_count() <= before


@needs_ffcv
def test_explained(small_pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loader_of(small_pack).explain()
    assert "FFCV decodes, crops and resizes (OpenCV's INTER_AREA" in capsys.readouterr().out
    loader_of(small_pack, v2.Compose([v2.CenterCrop(16), v2.PILToTensor()])).explain()
    assert "FFCV decodes; the native library does the rest" in capsys.readouterr().out


@needs_ffcv
@pytest.mark.slow
def test_compiled_code_is_kept_on_disk(small_pack: Path, tmp_path: Path) -> None:
    program = (
        "import fastload\n"
        "from torchvision.transforms import v2\n"
        "crop = v2.Compose([v2.RandomResizedCrop(32), v2.PILToTensor()])\n"
        f"dataset = fastload.ImageFolder({str(small_pack)!r}, crop)\n"
        "next(iter(fastload.DataLoader(dataset, 8, engine='ffcv')))\n"
        "from fastload.engines.ffcv.kernels import decode_boxes\n"
        "print(sum(decode_boxes.stats.cache_hits.values()), "
        "sum(decode_boxes.stats.cache_misses.values()))\n"
    )
    said = [run_python(program, NUMBA_CACHE_DIR=str(tmp_path)).split() for _ in range(2)]
    assert said == [["0", "1"], ["1", "0"]]


@needs_ffcv
@pytest.mark.real_data
def test_distance_from_torchvision_on_photos(real_photos: Path, tmp_path: Path) -> None:
    """docs/engines.md states these: FFCV averages areas, and repeats pixels where it enlarges."""
    pack = fastload.pack(real_photos, tmp_path / "photos.pack", workers=2).path
    shrunk = v2.Compose([v2.Resize((224, 224)), v2.PILToTensor()])
    drawn = v2.Compose([v2.RandomResizedCrop(224), v2.PILToTensor()])
    for transform, mean, most_of in ((shrunk, 2.0, 14), (drawn, 2.5, 16)):
        ours, theirs = (
            next(iter(loader_of(pack, transform, batch_size=200, engine=engine)))[0].int()
            for engine in ("ffcv", "native")
        )
        counts = torch.bincount((ours - theirs).abs().flatten(), minlength=256)
        share = counts.cumsum(0) / counts.sum()
        levels = torch.arange(256)
        assert float((counts * levels).sum() / counts.sum()) <= mean
        assert int((share >= 0.99).nonzero()[0]) <= most_of
