"""FFCV's files as we write them: read without FFCV, and by FFCV."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import fastload
from fastload.store import Codec, open_pack
from tests.cli.conftest import run
from tests.conftest import picture, write_label_folder
from tests.export.plain_beton import read
from tests.pack.image_files import saved


def export(pack: Path, output: Path, *options: object) -> str:
    result = run("export", pack, "--to", "ffcv", output, *options)
    assert result.exit_code == 0, result.output
    return result.stdout


def one_class(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = folder / "only" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


@pytest.mark.parametrize("codec", ["jpeg", "dct"])
def test_samples_are_those_of_the_pack(label_folder: Path, tmp_path: Path, codec: str) -> None:
    pack = fastload.pack(label_folder, tmp_path / "a.pack", codec=codec).path
    words = export(pack, tmp_path / "a.beton", "--workers", 3)
    assert "4 images are no JPEG and are stored as raw pixels" in words
    page, samples = read(tmp_path / "a.beton")
    assert page == 8 << 20
    dataset, opened = fastload.ImageFolder(pack), open_pack(pack)
    for sample, record, (image, label) in zip(samples, opened.index.listing, dataset, strict=True):
        assert sample.label == label
        np.testing.assert_array_equal(sample.pixels, np.asarray(image))
        assert sample.mode == ("raw" if opened.index.codec[record] == Codec.QOI else "jpg")
        if opened.index.codec[record] == Codec.JPEG:
            assert sample.data == bytes(opened.payload(int(record)))
    # On the pages in the order of the records, which mixes the classes.
    by_place = np.argsort([sample.place for sample in samples])
    assert opened.index.listing[by_place].tolist() == list(range(len(opened)))
    assert not list(tmp_path.glob("*.tmp"))


def test_with_quality_all_is_jpeg(small_pack: Path, tmp_path: Path) -> None:
    assert "raw pixels" not in export(small_pack, tmp_path / "a.beton", "--quality", 95)
    for sample, (image, _) in zip(
        read(tmp_path / "a.beton")[1], fastload.ImageFolder(small_pack), strict=True
    ):
        assert sample.mode == "jpg"
        difference = sample.pixels.astype(float) - np.asarray(image)
        assert np.sqrt((difference**2).mean()) < 8


def test_every_kind_of_verbatim_file(verbatim_pack: Path, tmp_path: Path) -> None:
    export(verbatim_pack, tmp_path / "a.beton")
    samples, dataset = read(tmp_path / "a.beton")[1], fastload.ImageFolder(verbatim_pack)
    assert {sample.mode for sample in samples} == {"jpg", "raw"}
    for sample, (image, _) in zip(samples, dataset, strict=True):
        np.testing.assert_array_equal(sample.pixels, np.asarray(image))


def test_images_fill_page_after_page(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    sides = [1000, 1200, 400, 1300, 300, 900]  # 19 MB of raw pixels on pages of 8 MiB
    noise = {
        f"{side}.bmp": saved(Image.fromarray(picture(rng, side, side)), "BMP") for side in sides
    }
    pack = fastload.pack(one_class(tmp_path / "large", noise)).path
    export(pack, tmp_path / "a.beton")
    page, samples = read(tmp_path / "a.beton")
    assert page == 8 << 20
    assert len({sample.place // page for sample in samples}) > 1


def test_pages_grow_to_the_largest_image(tmp_path: Path) -> None:
    white = saved(Image.new("RGB", (2000, 1500), "white"), "PNG")
    pack = fastload.pack(one_class(tmp_path / "large", {"white.png": white})).path
    export(pack, tmp_path / "a.beton")
    page, (sample,) = read(tmp_path / "a.beton")
    assert page == 16 << 20
    assert (sample.pixels == 255).all()


@pytest.mark.parametrize(
    ("width", "height", "words"),
    [
        (70_000, 2, "has 70000 x 2 pixels, an FFCV file has 65,535 a side at most"),
        (40_000, 20_000, "takes 2,400,000,000 bytes, a page"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int, height: int, words: str
) -> None:
    opened = open_pack(copy)
    monkeypatch.setattr("fastload.cli.export.open_pack", lambda _: opened)
    record = int(np.flatnonzero(opened.index.codec == Codec.QOI)[1])
    for column, value in (("width", width), ("height", height)):
        changed = getattr(opened.index, column).copy()
        changed[record] = value
        setattr(opened.index, column, changed)
    before = set(tmp_path.iterdir())
    result = run("export", copy, "--to", "ffcv", tmp_path / "a.beton")
    assert result.exit_code == 1
    assert f"record {record} ({opened.index.path(record)}" in result.stderr
    assert words in result.stderr
    assert set(tmp_path.iterdir()) == before


def test_a_jpeg_of_another_size_never_reaches_ffcv(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FFCV decodes it into room for what the file says, and beyond."""
    opened = open_pack(copy)
    monkeypatch.setattr("fastload.cli.export.open_pack", lambda _: opened)
    record = int(np.flatnonzero(opened.index.codec == Codec.JPEG)[2])
    opened.index.height = opened.index.height.copy()
    opened.index.height[record] -= 1
    result = run("export", copy, "--to", "ffcv", tmp_path / "a.beton")
    assert result.exit_code == 1
    assert f"record {record} (" in result.stderr
    assert "another size" in result.stderr
    assert list(tmp_path.glob("a.beton*")) == []


def test_without_classes_there_is_no_label(tmp_path: Path) -> None:
    folder = write_label_folder(tmp_path / "photos")
    pack = fastload.pack(folder, unlabelled=True).path
    assert "no labels" in export(pack, tmp_path / "a.beton")
    samples = read(tmp_path / "a.beton")[1]
    assert {sample.label for sample in samples} == {None}
    for sample, (image, _) in zip(samples, fastload.ImageFolder(pack), strict=True):
        np.testing.assert_array_equal(sample.pixels, np.asarray(image))


def test_a_part_of_a_split(small_pack: Path, tmp_path: Path) -> None:
    pack = tmp_path / "copy.pack"
    shutil.copytree(small_pack, pack)
    assert run("split", pack, "--folds", 2, "--group", "none").exit_code == 0
    for part in ("train", "val"):
        options = ("--split", "folds2", "--fold", 1, "--part", part)
        export(pack, tmp_path / f"{part}.beton", *options)
        wanted = fastload.ImageFolder(pack, split="folds2", fold=1, part=part)
        for sample, (image, label) in zip(read(tmp_path / f"{part}.beton")[1], wanted, strict=True):
            assert sample.label == label
            np.testing.assert_array_equal(sample.pixels, np.asarray(image))


# FFCV decodes with libjpeg-turbo's fast inverse DCT, which is no image library's default.
FAST_DCT_LEVELS = 4


def ffcv_samples(file: Path, **options: Any) -> list[tuple[np.ndarray, int]]:
    from ffcv.fields.basics import IntDecoder
    from ffcv.fields.rgb_image import SimpleRGBImageDecoder
    from ffcv.loader import Loader

    pipelines = {"image": [SimpleRGBImageDecoder()], "label": [IntDecoder()]}
    loader = Loader(str(file), 3, num_workers=1, drop_last=False, pipelines=pipelines, **options)
    return [
        (image.copy(), int(label))
        for images, labels in loader
        for image, label in zip(images, labels[:, 0], strict=True)
    ]


@pytest.fixture(scope="module")
def same_size(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack of 16 images of one size in two classes: FFCV's plain decoder takes no others."""
    rng = np.random.default_rng(3)
    folder = tmp_path_factory.mktemp("same") / "photos"
    for number in range(16):
        path = folder / ("a", "나")[number % 2] / f"{number}.{('jpg', 'png')[number % 4 > 1]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(rng, 75, 101)).save(path)
    return fastload.pack(folder).path


@pytest.mark.parametrize("os_cache", [True, False])
def test_ffcv_reads_the_file(same_size: Path, tmp_path: Path, os_cache: bool) -> None:
    pytest.importorskip("ffcv")
    export(same_size, tmp_path / "a.beton")
    shown = ffcv_samples(tmp_path / "a.beton", os_cache=os_cache)
    opened = open_pack(same_size)
    for (image, label), record, (wanted, target) in zip(
        shown, opened.index.listing, fastload.ImageFolder(same_size), strict=True
    ):
        assert label == target
        difference = np.abs(image.astype(int) - np.asarray(wanted))
        exact = opened.index.codec[record] == Codec.QOI
        assert difference.max() <= (0 if exact else FAST_DCT_LEVELS)
        assert difference.mean() < 1.5


def test_ffcv_agrees_with_the_fields(small_pack: Path, tmp_path: Path) -> None:
    """Its reader, and its decoder for images of all sizes."""
    pytest.importorskip("ffcv")
    from ffcv.fields.basics import IntDecoder
    from ffcv.fields.rgb_image import CenterCropRGBImageDecoder
    from ffcv.loader import Loader, OrderOption
    from ffcv.reader import Reader

    export(small_pack, tmp_path / "a.beton")
    reader, samples = Reader(str(tmp_path / "a.beton")), read(tmp_path / "a.beton")[1]
    assert reader.field_names == ["image", "label"]
    rows = [
        (("jpg", "raw").index(sample.mode), *sample.pixels.shape[1::-1], sample.place)
        for sample in samples
    ]
    assert [tuple(map(int, row)) for row in reader.metadata["f0"]] == rows
    assert reader.metadata["f1"].tolist() == [sample.label for sample in samples]
    loader = Loader(
        str(tmp_path / "a.beton"),
        4,
        num_workers=1,
        drop_last=False,
        order=OrderOption.QUASI_RANDOM,
        os_cache=False,
        pipelines={"image": [CenterCropRGBImageDecoder((32, 32), 1.0)], "label": [IntDecoder()]},
    )
    labels = [int(label) for _, labels in loader for label in labels[:, 0]]
    assert sorted(labels) == sorted(sample.label for sample in samples)


def test_jpegs_pass_unchanged(tmp_path: Path) -> None:
    """The very bytes of a verbatim pack's JPEG, progressive ones too."""
    image = Image.fromarray(picture(np.random.default_rng(5), 90, 60))
    files = {"a.jpg": saved(image, "JPEG"), "b.jpg": saved(image, "JPEG", progressive=True)}
    pack = fastload.pack(one_class(tmp_path / "few", files), verbatim=True).path
    export(pack, tmp_path / "a.beton")
    assert [sample.data for sample in read(tmp_path / "a.beton")[1]] == list(files.values())
    assert Image.open(io.BytesIO(files["b.jpg"])).info["progressive"]
