"""WebDataset shards: the pack's own, looked at, and new ones."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fastload
from fastload.store import open_pack
from tests.cli.conftest import run
from tests.export.conftest import export, samples_by_record
from tests.store.damage import flip


def contents(folder: Path) -> dict[str, bytes]:
    """Every member by its name, shard after shard."""
    found: dict[str, bytes] = {}
    for shard in sorted(folder.iterdir()):
        with tarfile.open(shard) as tar:
            for member in tar:
                assert member.name not in found
                content = tar.extractfile(member)
                assert content is not None
                found[member.name] = content.read()
    return found


def test_new_shards_have_common_formats(odd_pack: Path, tmp_path: Path) -> None:
    words = export(odd_pack, "webdataset", tmp_path / "out", "--shard-size", "50kB")
    count = len(list((tmp_path / "out").iterdir()))
    assert count > 2
    assert words.splitlines()[-1] == f"{tmp_path}/out/{{00000..{count - 1:05d}}}.tar"
    assert all(shard.stat().st_size <= 50_000 for shard in (tmp_path / "out").iterdir())
    members = contents(tmp_path / "out")
    wanted = samples_by_record(odd_pack)
    assert len(members) == 2 * len(wanted)
    for record, (path, pixels, label) in enumerate(wanted):
        kind = "jpg" if path.lower().endswith(("jpg", "jpeg")) else "png"
        image = Image.open(io.BytesIO(members[f"{record:09d}.{kind}"]))
        assert image.format == {"jpg": "JPEG", "png": "PNG"}[kind]
        np.testing.assert_array_equal(image.convert("RGB"), pixels)
        assert members[f"{record:09d}.cls"] == str(label).encode()


def test_the_library_reads_new_shards(odd_pack: Path, tmp_path: Path) -> None:
    wds = pytest.importorskip("webdataset")
    words = export(odd_pack, "webdataset", tmp_path / "out", "--shard-size", "50kB")
    dataset = wds.WebDataset(words.splitlines()[-1], shardshuffle=False).decode("rgb8")
    shown = list(dataset.to_tuple("jpg;png", "cls"))
    for (image, label), (_, pixels, wanted) in zip(shown, samples_by_record(odd_pack), strict=True):
        assert label == wanted
        np.testing.assert_array_equal(image, pixels)


def test_verbatim_files_of_rare_formats_become_png(verbatim_pack: Path, tmp_path: Path) -> None:
    export(verbatim_pack, "webdataset", tmp_path / "out")
    members = contents(tmp_path / "out")
    assert {name.partition(".")[2] for name in members} == {"jpg", "png", "cls"}
    images = [data for name, data in members.items() if not name.endswith(".cls")]
    for data, (_, pixels, _) in zip(images, samples_by_record(verbatim_pack), strict=True):
        np.testing.assert_array_equal(Image.open(io.BytesIO(data)).convert("RGB"), pixels)


def test_without_classes_there_are_no_labels(unlabelled_pack: Path, tmp_path: Path) -> None:
    assert "no labels" in export(unlabelled_pack, "webdataset", tmp_path / "out")
    assert {name.partition(".")[2] for name in contents(tmp_path / "out")} == {"jpg", "png"}


@pytest.mark.parametrize("cls", [True, False])
def test_a_pack_of_jpegs_is_named_as_it_is(label_folder: Path, tmp_path: Path, cls: bool) -> None:
    pack = fastload.pack(label_folder, tmp_path / "a.pack", quality=95, cls=cls).path
    result = run("export", pack, "--to", "webdataset")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == f"{pack}/shards/00000.tar"
    assert f"22 images {'with' if cls else 'without'} labels" in result.stdout
    assert ("--no-cls" in result.stdout) != cls
    # Only looked at.
    assert [path.name for path in tmp_path.iterdir()] == ["a.pack"]
    if not cls:
        export(pack, "webdataset", tmp_path / "out")
        labels = [
            int(data) for name, data in contents(tmp_path / "out").items() if name.endswith(".cls")
        ]
        assert labels == open_pack(pack).index.label.tolist()


def test_a_pack_with_other_members_is_not(odd_pack: Path, small_pack: Path) -> None:
    result = run("export", odd_pack, "--to", "webdataset")
    assert result.exit_code == 1
    assert "22 .dct and 16 .qoi of 38 images" in result.stderr
    assert "--codec jpeg" in result.stderr
    result = run("export", small_pack, "--to", "webdataset")
    assert result.exit_code == 1
    assert "4 .qoi of 22 images" in result.stderr
    assert "--codec jpeg" not in result.stderr


def test_damaged_members_are_named(label_folder: Path, tmp_path: Path) -> None:
    pack = fastload.pack(label_folder, tmp_path / "a.pack", quality=95).path
    offset = int(open_pack(pack).index.offset[5])
    flip(pack, offset - 500)  # in the member's header
    result = run("export", pack, "--to", "webdataset")
    assert result.exit_code == 1
    assert "shards/00000.tar: its tar header is damaged" in result.stderr
