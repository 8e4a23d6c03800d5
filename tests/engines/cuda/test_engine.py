"""The engine for GPUs gives the very pixels of the engine for CPUs; its kernels are interpreted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torchvision.transforms import transforms as v1
from torchvision.transforms import v2

import fastload
from fastload import engines
from fastload.errors import RecordError
from tests.test_dataset import damaged_copy

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CUDA = ("fastload.engines.cuda.engine", "CudaEngine")
TRANSFORMS: dict[str, Any] = {
    "random crops": v1.Compose(
        [
            v1.RandomResizedCrop(20),
            v1.RandomHorizontalFlip(),
            v1.ToTensor(),
            v1.Normalize(MEAN, STD),
        ]
    ),
    "larger": v1.Compose([v1.RandomResizedCrop((60, 44), interpolation=3), v1.PILToTensor()]),
    "lanczos": v1.Compose([v2.Resize((11, 60), interpolation=1), v1.PILToTensor()]),
    "nearest": v1.Compose([v2.Resize((13, 11), interpolation=0), v1.PILToTensor()]),
    "windows": v1.Compose([v1.Resize(40), v1.CenterCrop(24), v1.ToTensor()]),
    "colours": v2.Compose(
        [
            v2.RandomResizedCrop(16),
            v2.ColorJitter(0.4, 0.4, 0.4, 0.3),
            v2.RandomGrayscale(0.3),
            v2.RandomVerticalFlip(),
            v2.ToImage(),
            v2.ToDtype(torch.bfloat16, scale=True),
            v2.RandomErasing(0.7, value=(0.3, 0.5, 0.2)),
        ]
    ),
    "two contrasts": v2.Compose(
        [
            v2.Resize((14, 17)),
            v2.ColorJitter(contrast=(0.5, 2.0)),
            v2.ColorJitter(0.5, contrast=(0.5, 2.0)),
            v2.PILToTensor(),
        ]
    ),
    "erased bytes": v2.Compose(
        [v2.Resize((14, 17)), v2.PILToTensor(), v2.RandomErasing(0.9, value=9)]
    ),
    "one channel": v1.Compose([v1.Resize((20, 20)), v1.Grayscale(), v1.ToTensor()]),
    "halves": v2.Compose(
        [v2.Resize((20, 20)), v2.ToImage(), v2.ToDtype(torch.float16, scale=True)]
    ),
    "padded": v1.Compose([v1.Resize((30, 20)), v1.RandomCrop(20, padding=4), v1.ToTensor()]),
    "sizes of their own": v1.Compose([v1.RandomHorizontalFlip(), v1.ToTensor()]),
}

# Whole images and parts of them; the interpreter takes too long for every transform.
IN_ALL_SIZES = "random crops", "halves"


@pytest.fixture(scope="session")
def packs(
    sampled_folder: Path, all_sizes: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("packs")
    sources = {
        "jpeg": (sampled_folder, "jpeg"),
        "dct": (sampled_folder, "dct"),
        "all sizes": (all_sizes, "dct"),
    }
    return {
        name: fastload.pack(source, folder / f"{name}.pack", codec=codec, workers=1).path
        for name, (source, codec) in sources.items()
    }


def served(
    monkeypatch: pytest.MonkeyPatch, pack: Path, transform: Any, engine: Any, **kwargs: Any
) -> list[torch.Tensor]:
    monkeypatch.setitem(engines.ENGINES["native"], "cpu", engine)
    options = {"batch_size": 5, "cache": 0, **kwargs}
    loader = fastload.DataLoader(
        fastload.ImageFolder(pack, transform), shuffle=True, engine="native", seed=6, **options
    )
    if transform is TRANSFORMS["sizes of their own"]:
        loader = fastload.DataLoader(
            fastload.ImageFolder(pack, transform), 1, engine="native", seed=6, cache=0
        )
    images = [batch[0] for _ in range(2 if options["cache"] else 1) for batch in loader]
    loader.close()
    return images


def check_same(monkeypatch: pytest.MonkeyPatch, pack: Path, transform: Any, **kwargs: Any) -> None:
    cpu = engines.ENGINES["native"]["cpu"]
    expected = served(monkeypatch, pack, transform, cpu, **kwargs)
    made = served(monkeypatch, pack, transform, CUDA, **kwargs)
    assert len(made) == len(expected) > 0
    for image, wanted in zip(made, expected, strict=True):
        assert image.dtype == wanted.dtype and image.stride() == wanted.stride()
        assert torch.equal(image, wanted)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_same_pixels(packs: dict[str, Path], name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pack, batch_size = ("all sizes", 10) if name in IN_ALL_SIZES else ("dct", 5)
    check_same(monkeypatch, packs[pack], TRANSFORMS[name], batch_size=batch_size)


@pytest.mark.parametrize("cache", [0, "64MB", 20_000])
def test_same_pixels_of_jpegs(
    packs: dict[str, Path], cache: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_same(monkeypatch, packs["jpeg"], TRANSFORMS["random crops"], cache=cache)


def test_channels_last(packs: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    transform = TRANSFORMS["colours"]
    check_same(monkeypatch, packs["dct"], transform, memory_format=torch.channels_last)


def test_files_that_only_pillow_reads(
    label_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = fastload.pack(label_folder, tmp_path / "verbatim.pack", verbatim=True, workers=1).path
    check_same(monkeypatch, pack, TRANSFORMS["halves"], batch_size=22)


@pytest.mark.parametrize("codec", ["jpeg", "dct"])
def test_a_damaged_record_is_named(
    packs: dict[str, Path], tmp_path: Path, codec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = damaged_copy(packs[codec], tmp_path, index=1)
    with pytest.raises(RecordError, match="checksum mismatch"):
        served(monkeypatch, broken, TRANSFORMS["halves"], CUDA)
    skipped = served(monkeypatch, broken, TRANSFORMS["halves"], CUDA, on_error="skip")
    assert sum(map(len, skipped)) == 9
    check_same(monkeypatch, broken, TRANSFORMS["halves"], on_error="substitute")


def test_breaking_off_ends_the_threads(
    packs: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    monkeypatch.setitem(engines.ENGINES["native"], "cpu", CUDA)
    dataset = fastload.ImageFolder(packs["dct"], TRANSFORMS["halves"])
    loader = fastload.DataLoader(dataset, 2, engine="native", seed=1)
    for _ in loader:
        break
    loader.close()
    assert not [thread for thread in threading.enumerate() if "fastload-gpu" in thread.name]


def test_without_triton_images_are_copied(
    packs: dict[str, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from fastload.engines.cuda import engine

    monkeypatch.setattr(engine, "find_spec", lambda _: None)
    with pytest.warns(UserWarning, match="need Triton"):
        check_same(monkeypatch, packs["dct"], TRANSFORMS["halves"])
    loader = fastload.DataLoader(fastload.ImageFolder(packs["dct"], TRANSFORMS["halves"]), 2)
    loader.explain()
    assert "need Triton" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "line"), [("padded", "RandomCrop"), ("colours", None), ("sizes of their own", "sizes")]
)
def test_explains_what_the_gpu_does_not_do(
    packs: dict[str, Path], name: str, line: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fastload.engines.cuda.engine import CudaEngine

    pipeline = fastload.ImageFolder(packs["dct"], TRANSFORMS[name]).pipeline
    remarks = CudaEngine.remarks(pipeline)
    assert (line is None and not remarks) or line in remarks[0]


@pytest.mark.real_data
def test_real_photos(real_photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = tmp_path / "few" / "photos"
    few.mkdir(parents=True)
    for number, path in enumerate(sorted(real_photos.rglob("*.*"))[:6]):
        with Image.open(path) as photo:
            side = min(photo.size) // 3
            box = photo.convert("RGB").crop((20, 10, 20 + side, 10 + side))
        box.save(few / f"{number}.jpg", quality=85, subsampling=number % 3)
    pack = fastload.pack(few.parent, tmp_path / "few.pack", codec="dct", workers=1).path
    check_same(monkeypatch, pack, TRANSFORMS["random crops"])


def test_kernels_compile_for_gpus(tmp_path: Path) -> None:
    import os

    environment = {**os.environ, "TRITON_CACHE_DIR": str(tmp_path), "TRITON_INTERPRET": "0"}
    command = [sys.executable, "-m", "tests.engines.cuda.compile_kernels", "80", "90"]
    result = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=environment,
        cwd=Path(__file__).parents[3],
        check=False,
    )
    assert result.returncode == 0, result.stderr
    sizes = [line.split() for line in result.stdout.splitlines()]
    assert {(capability, name) for capability, name, _ in sizes} == {
        (capability, name)
        for capability in ("80", "90")
        for name in (
            "unpack_blocks",
            "upsample_colour",
            "resample",
            "colour_phase",
            "write_output",
        )
    }
    assert min(int(size) for *_, size in sizes) > 0
