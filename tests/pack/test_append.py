"""``fastload.append``: the pack that packing both folders as one would have given."""

from __future__ import annotations

import contextlib
import json
import pickle
import random
import shutil
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.datasets import ImageFolder

import fastload
from fastload.duplicates import near_duplicates_of
from fastload.errors import PackError
from fastload.pack import resemblance
from fastload.pack.added import Match
from fastload.pack.append import AppendJournal
from fastload.pack.duplicate import StoredBytes
from fastload.pack.flow import Progress
from fastload.pack.recode import recode_pack
from fastload.store import open_pack
from fastload.store.manifest import Manifest
from fastload.store.verify import faults
from tests.conftest import write_label_folder
from tests.pack.image_files import photo, saved
from tests.pack.test_pack import tree
from tests.plain_reader import read
from tests.store.damage import rewrite_manifest


def put(folder: Path, path: str, seed: int, file_format: str = "JPEG") -> Path:
    """One image that is like no other seed's."""
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(saved(photo(24 + seed % 7, 30, seed), file_format))
    return file


def divide(whole: Path, first: Path, second: Path, seed: int = 0) -> None:
    """Copies each file into one of two folders; ``first`` has every class."""
    draw = random.Random(seed)
    for path in sorted(whole.rglob("*")):
        if path.is_dir():
            (first / path.relative_to(whole)).mkdir(parents=True, exist_ok=True)
            continue
        target = draw.choice([first, second]) / path.relative_to(whole)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four classes with folders below them, whose order is not that of their paths."""
    root = write_label_folder(tmp_path_factory.mktemp("append") / "whole")
    for number, path in enumerate(
        ("ant/b/1.jpg", "ant/b-c/2.jpg", "ant/b/c/3.png", "ant/b.jpg", "cat/0/1.jpg", "dog/Z.JPG")
    ):
        put(root, path, 100 + number, "PNG" if path.endswith("png") else "JPEG")
    return root


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A pack of two classes with two images each, and the folder ``more`` beside it."""
    for number, path in enumerate(("cat/1.jpg", "cat/2.jpg", "dog/1.jpg", "dog/2.jpg")):
        put(tmp_path / "data", path, number)
    (tmp_path / "more").mkdir()
    return fastload.pack(tmp_path / "data").path


OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "small shards": {"shard_size": 20_000, "seed": 3},
    "without labels": {"cls": False},
    "lossy": {"quality": 70, "max_side": 40, "shard_size": 20_000},
    "dct": {"codec": "dct", "shard_size": 30_000},
    "verbatim": {"verbatim": True},
}


@pytest.mark.parametrize("name", OPTIONS)
def test_same_samples_as_packing_both_folders_as_one(
    whole: Path, tmp_path: Path, name: str
) -> None:
    divide(whole, tmp_path / "data", tmp_path / "more", seed=len(name))
    together = fastload.pack(whole, tmp_path / "whole.pack", **OPTIONS[name])
    before = fastload.pack(tmp_path / "data", allow_empty=True, **OPTIONS[name])
    report = fastload.append(before.path, tmp_path / "more", workers=2)
    assert report.added == together.manifest.records - before.manifest.records > 5
    assert (report.duplicates, report.renamed, report.rejected) == ([], [], [])
    names, samples = read(report.path)
    wanted_names, wanted = read(together.path)
    assert names == wanted_names
    for (path, label, image, payload), (their_path, their_label, their_image, theirs) in zip(
        samples, wanted, strict=True
    ):
        assert (path, label, payload) == (their_path, their_label, theirs)
        np.testing.assert_array_equal(np.asarray(image), np.asarray(their_image))
    assert list(faults(open_pack(report.path))) == []
    assert report.manifest.options == together.manifest.options
    measured = report.manifest.measured
    assert measured == pytest.approx(together.manifest.measured, abs=1e-3)
    assert bool(measured) == (name == "lossy")


def test_image_folder_and_loader_over_an_appended_pack(whole: Path, tmp_path: Path) -> None:
    divide(whole, tmp_path / "data", tmp_path / "more")
    pack = fastload.pack(tmp_path / "data", allow_empty=True).path
    fastload.append(pack, tmp_path / "more")
    theirs, ours = ImageFolder(whole), fastload.ImageFolder(pack)
    assert (ours.classes, ours.targets) == (theirs.classes, theirs.targets)
    assert [Path(path).relative_to(pack) for path, _ in ours.samples] == [
        Path(path).relative_to(whole) for path, _ in theirs.samples
    ]
    for (image, label), (wanted, their_label) in zip(ours, theirs, strict=True):
        assert label == their_label
        np.testing.assert_array_equal(np.asarray(image), np.asarray(wanted))
    from torchvision.transforms import v2

    transform = v2.Compose([v2.Resize((16, 16)), v2.PILToTensor()])
    loaders = [
        fastload.DataLoader(fastload.ImageFolder(root, transform), 5, shuffle=True, seed=3)
        for root in (pack, fastload.pack(whole, tmp_path / "whole.pack").path)
    ]
    for (images, labels), (their_images, their_labels) in zip(*loaders, strict=True):
        assert labels.tolist() == their_labels.tolist()
        assert bool((images == their_images).all())


parts = st.text("ab-.é\udcff0", min_size=1, max_size=3).filter(lambda part: part not in (".", ".."))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    paths=st.lists(
        st.tuples(st.sampled_from(["x", "y"]), st.lists(parts, max_size=2), parts, st.booleans()),
        min_size=1,
        max_size=8,
        unique_by=lambda path: (path[0], *path[1], "", path[2]),
    )
)
def test_any_paths_are_listed_as_in_one_folder(
    tmp_path_factory: pytest.TempPathFactory, paths: list[tuple[str, list[str], str, bool]]
) -> None:
    root = tmp_path_factory.mktemp("paths")
    for name in ("x", "y"):
        (root / "data" / name).mkdir(parents=True)
        (root / "whole" / name).mkdir(parents=True)
    for number, (name, folders, stem, later) in enumerate(paths):
        path = "/".join([name, *(f"{folder}_" for folder in folders), f"{stem}.png"])
        image = saved(photo(3, 4, number), "PNG")
        for part in ("whole", "more" if later else "data"):
            (root / part / path).parent.mkdir(parents=True, exist_ok=True)
            (root / part / path).write_bytes(image)
    pack = fastload.pack(root / "data", allow_empty=True, workers=1).path
    if (root / "more").exists():
        fastload.append(pack, root / "more", keep_duplicates=True, workers=1)
    together = fastload.pack(root / "whole", allow_empty=True, workers=1).path
    ours, theirs = (
        [(path, label, payload) for path, label, _, payload in read(each)[1]]
        for each in (pack, together)
    )
    assert ours == theirs


def test_same_bytes_for_any_number_of_workers(whole: Path, tmp_path: Path) -> None:
    divide(whole, tmp_path / "data", tmp_path / "more")
    packs = []
    for workers in (1, 4):
        target = tmp_path / f"{workers}.pack"
        fastload.pack(tmp_path / "data", target, shard_size=20_000, allow_empty=True)
        packs.append(fastload.append(target, tmp_path / "more", workers=workers).path)
    assert tree(packs[0]) == tree(packs[1])


def test_what_is_there_is_not_touched(base: Path, tmp_path: Path) -> None:
    (base / "shards" / "00000.idx").write_text("another program's")
    (base / "notes.tmp").write_text("mine")
    before = tree(base)
    put(tmp_path / "more", "dog/0.jpg", 9)
    fastload.append(base, tmp_path / "more")
    after = tree(base)
    assert set(after) - set(before) == {"index-2.arrow", "shards/00001.tar"}
    assert set(before) - set(after) == {"index.arrow"}
    kept = set(before) & set(after) - {"pack.json"}
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert not (base / ".appending").exists()


def test_packs_that_nothing_was_appended_to_say_nothing_new(base: Path) -> None:
    content = json.loads((base / "pack.json").read_text())
    assert content["version"] == [1, 1]
    assert set(content["index"]) == {"size", "sha256"}
    assert set(content["source"]) == {"files", "bytes", "rejected", "fingerprint"}


def test_the_manifest_tells_of_each_folder(base: Path, tmp_path: Path) -> None:
    files = [put(tmp_path / "more", f"dog/{number}.jpg", number) for number in (7, 8, 9)]
    shutil.copy(tmp_path / "data" / "cat" / "1.jpg", tmp_path / "more" / "dog" / "copy.jpg")
    (tmp_path / "more" / "dog" / "bad.jpg").write_bytes(b"bad")
    before = open_pack(base).manifest.source
    fastload.append(base, tmp_path / "more")
    put(tmp_path / "again", "cat/7.jpg", 17)
    manifest = fastload.append(base, tmp_path / "again").manifest
    content = json.loads((base / "pack.json").read_text())
    assert content["version"] == [1, 2]
    assert content["required_features"] == ["appended"]
    assert content["index"]["name"] == "index-3.arrow"
    assert {key: content["source"][key] for key in vars(before) if key != "appended"} == {
        key: value for key, value in vars(before).items() if key != "appended"
    }
    first, second = content["source"]["appended"]
    assert first == {
        "files": 5,
        "bytes": sum(path.stat().st_size for path in (tmp_path / "more").rglob("*.jpg")),
        "records": len(files),
        "duplicates": 1,
        "rejected": 1,
        "fingerprint": fastload.pack(tmp_path / "more").manifest.source.fingerprint,
        "writer": content["writer"],
    }
    assert (second["files"], second["records"]) == (1, 1)
    assert manifest.appended_at == [4, 7]
    assert manifest.source.rejected_in_all == 1
    assert [path.name for path in base.glob("index*")] == ["index-3.arrow"]
    assert len(read(base)[1]) == 8


def test_an_older_reader_refuses_by_name(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "more", "dog/0.jpg", 9)
    fastload.append(base, tmp_path / "more")
    monkeypatch.setattr("fastload.store.manifest.KNOWN_FEATURES", frozenset({"dct"}))
    with pytest.raises(PackError, match="the pack needs appended, which this fastload does not"):
        open_pack(base)


def test_appending_again_adds_nothing(base: Path, tmp_path: Path) -> None:
    put(tmp_path / "more", "dog/0.jpg", 9)
    put(tmp_path / "more", "dog/1.jpg", 10)
    (tmp_path / "more" / "dog" / "bad.jpg").write_bytes(b"bad")
    for keep in (False, True):
        fastload.append(base, tmp_path / "more", keep_duplicates=keep)
        before = {path: path.stat().st_mtime_ns for path in base.rglob("*") if path.is_file()}
        report = fastload.append(base, tmp_path / "more", keep_duplicates=keep)
        assert report.added == 0
        assert report.manifest == open_pack(base).manifest
        assert report.duplicates == [
            Match("dog/0.jpg", "dog/0.jpg", contradicts=False),
            Match("dog/1.jpg", "dog/1~2.jpg", contradicts=False),
        ]
        assert report.rejected == [("dog/bad.jpg", "cannot identify image file")]
        after = {path: path.stat().st_mtime_ns for path in base.rglob("*") if path.is_file()}
        assert after == before


def test_new_images_in_the_folder_that_was_packed(base: Path, tmp_path: Path) -> None:
    put(tmp_path / "data", "cat/3.jpg", 9)
    report = fastload.append(base, tmp_path / "data")
    assert (report.added, len(report.duplicates), report.renamed) == (1, 4, [])
    assert [path for path, _, _, _ in read(base)[1]][:3] == ["cat/1.jpg", "cat/2.jpg", "cat/3.jpg"]


def test_another_image_of_a_taken_path_gets_a_free_name(base: Path, tmp_path: Path) -> None:
    for path, seed in (("cat/1.jpg", 9), ("cat/1~2.jpg", 10), ("cat/2.JPG", 11)):
        put(tmp_path / "more", path, seed)
    report = fastload.append(base, tmp_path / "more")
    assert report.renamed == [("cat/1.jpg", "cat/1~3.jpg")]
    put(tmp_path / "third", "cat/1.jpg", 12)
    assert fastload.append(base, tmp_path / "third").renamed == [("cat/1.jpg", "cat/1~4.jpg")]
    paths = [path for path, _, _, _ in read(base)[1]]
    assert paths[:6] == [f"cat/{name}" for name in ("1.jpg", *(f"1~{n}.jpg" for n in (2, 3, 4)),
                                                    "2.JPG", "2.jpg")]  # fmt: skip


def test_duplicates_are_left_out_and_named(base: Path, tmp_path: Path) -> None:
    (tmp_path / "more" / "dog").mkdir()
    shutil.copy(tmp_path / "data" / "dog" / "1.jpg", tmp_path / "more" / "dog" / "same.jpg")
    shutil.copy(tmp_path / "data" / "cat" / "2.jpg", tmp_path / "more" / "dog" / "wrong.jpg")
    put(tmp_path / "more", "dog/new.jpg", 9)
    named = [
        Match("dog/same.jpg", "dog/1.jpg", contradicts=False),
        Match("dog/wrong.jpg", "cat/2.jpg", contradicts=True),
    ]
    copy = tmp_path / "copy.pack"
    shutil.copytree(base, copy)
    report = fastload.append(base, tmp_path / "more")
    assert (report.added, report.duplicates, report.kept_duplicates) == (1, named, [])
    report = fastload.append(copy, tmp_path / "more", keep_duplicates=True)
    assert (report.added, report.duplicates, report.kept_duplicates) == (3, [], named)
    assert report.near == []
    assert len(read(copy)[1]) == 7
    # An image of both classes is one of the class it is given as.
    report = fastload.append(copy, tmp_path / "more")
    assert (report.added, len(report.duplicates)) == (0, 3)
    assert not any(match.contradicts for match in report.duplicates)


def test_equal_checksums_do_not_make_a_duplicate(base: Path) -> None:
    pack = open_pack(base)
    stored, payload = StoredBytes(pack), bytes(pack.payload(2))
    checksum = int(pack.index.crc32c[2])
    assert stored.same(payload, checksum) == [2]
    assert stored.same(payload[:-1] + b"?", checksum) == []


def test_near_duplicates_are_added_and_named(base: Path, tmp_path: Path) -> None:
    (tmp_path / "more" / "dog").mkdir()
    image = photo(24, 30, 0)
    (tmp_path / "more" / "dog" / "again.jpg").write_bytes(saved(image, "JPEG", quality=60))
    report = fastload.append(base, tmp_path / "more")
    assert report.added == 1
    assert report.near == [Match("dog/again.jpg", "cat/1.jpg", contradicts=True)]


def test_of_many_near_records_one_is_named_and_one_of_another_class_first(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "more", "cat/new.jpg", 9)
    all_of_them = np.array([[0, record] for record in range(4)])
    monkeypatch.setattr(
        "fastload.pack.resemblance.near_duplicates_of", lambda hashes, among: all_of_them
    )
    (named,) = fastload.append(base, tmp_path / "more").near
    assert named.contradicts
    assert named.other.startswith("dog/")


def test_flat_images_are_compared_once_for_each_class(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A million pairs of images without contrast would not be worth their memory."""
    for number in range(20):
        for folder in ("first", "second"):
            flat = Image.new("RGB", (16 + number, 16), (number, 90, len(folder)))
            (tmp_path / folder / "cat").mkdir(parents=True, exist_ok=True)
            flat.save(tmp_path / folder / "cat" / f"{folder}{number}.png")
    fastload.append(base, tmp_path / "first")
    seen = []

    def compared(hashes: np.ndarray, among: np.ndarray) -> np.ndarray:
        seen.append((len(hashes), len(among)))
        return near_duplicates_of(hashes, among)

    monkeypatch.setattr(resemblance, "near_duplicates_of", compared)
    report = fastload.append(base, tmp_path / "second")
    assert seen == [(1, 5)]
    assert len(report.near) == report.added == 20
    assert {match.other.split("/")[1][:5] for match in report.near} == {"first"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("catt", r"'catt' \(is it 'cat'\?\)"),
        ("elephant", r"class folder 'elephant' and .* has no such class"),
    ],
)
def test_a_new_class_is_refused(base: Path, tmp_path: Path, name: str, words: str) -> None:
    put(tmp_path / "more", f"{name}/0.jpg", 9)
    put(tmp_path / "more", "dog/0.jpg", 10)
    before = tree(base)
    with pytest.raises(PackError, match=words):
        fastload.append(base, tmp_path / "more")
    assert tree(base) == before
    assert not (base / ".appending").exists()


def test_a_class_in_another_unicode_form_is_told_as_such(tmp_path: Path) -> None:
    put(tmp_path / "data", unicodedata.normalize("NFC", "고양이/1.jpg"), 1)
    put(tmp_path / "more", unicodedata.normalize("NFD", "고양이/2.jpg"), 2)
    pack = fastload.pack(tmp_path / "data").path
    with pytest.raises(PackError, match="in other bytes"):
        fastload.append(pack, tmp_path / "more")


def test_rejected_files_are_added_to_the_list(tmp_path: Path) -> None:
    put(tmp_path / "data", "a/1.jpg", 1)
    (tmp_path / "data" / "a" / "old,\nbad\udcff.jpg").write_bytes(b"")
    put(tmp_path / "more", "a/2.jpg", 2)
    (tmp_path / "more" / "a" / "bad.jpg").write_bytes(b"bad")
    pack = fastload.pack(tmp_path / "data").path
    before = (pack / "rejected.csv").read_bytes()
    with pytest.raises(PackError, match=r"bad\.jpg: cannot identify .* leave out --strict"):
        fastload.append(pack, tmp_path / "more", strict=True)
    assert (pack / "rejected.csv").read_bytes() == before
    # As an append leaves it that was killed before its last step.
    (pack / "rejected.csv").write_bytes(before + b"a/other.jpg,of another append\n")
    fastload.append(pack, tmp_path / "more")
    assert (
        pack / "rejected.csv"
    ).read_bytes() == before + b"a/bad.jpg,cannot identify image file\n"


def test_nothing_to_append_is_an_error(base: Path, tmp_path: Path) -> None:
    (tmp_path / "more" / "cat").mkdir()
    with pytest.raises(FileNotFoundError, match=r"Found no valid file in .*/more"):
        fastload.append(base, tmp_path / "more")
    with pytest.raises(FileNotFoundError, match=r"No label folder at .*/nowhere"):
        fastload.append(base, tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="No pack at"):
        fastload.append(tmp_path / "no.pack", tmp_path / "data")
    with pytest.raises(PackError, match="is not a pack"):
        fastload.append(tmp_path / "data", tmp_path / "data")
    with pytest.raises(ValueError, match="--workers is 0"):
        fastload.append(base, tmp_path / "data", workers=0)


def test_appending_to_an_empty_pack(tmp_path: Path) -> None:
    (tmp_path / "data" / "a").mkdir(parents=True)
    pack = fastload.pack(tmp_path / "data", allow_empty=True).path
    put(tmp_path / "more", "a/1.jpg", 1)
    report = fastload.append(pack, tmp_path / "more")
    assert report.manifest.appended_at == [0]
    assert [path for path, _, _, _ in read(pack)[1]] == ["a/1.jpg"]


def test_two_at_once_exclude_each_other(base: Path, tmp_path: Path) -> None:
    put(tmp_path / "more", "dog/0.jpg", 9)
    before = tree(base)
    with (
        contextlib.closing(AppendJournal(base)),
        pytest.raises(PackError, match=r"being written by another process\. Wait for it, and run"),
    ):
        fastload.append(base, tmp_path / "more")
    assert {name: data for name, data in tree(base).items() if "lock" not in name} == before
    assert fastload.append(base, tmp_path / "more").added == 1


def test_an_append_that_waited_for_nothing_builds_on_the_one_before(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between opening the pack and holding the journal another one was committed."""
    put(tmp_path / "more", "dog/0.jpg", 9)
    put(tmp_path / "other", "cat/0.jpg", 10)
    begin = AppendJournal.__init__

    def late(journal: AppendJournal, root: Path) -> None:
        monkeypatch.setattr(AppendJournal, "__init__", begin)
        fastload.append(base, tmp_path / "other")
        begin(journal, root)

    monkeypatch.setattr(AppendJournal, "__init__", late)
    assert fastload.append(base, tmp_path / "more").manifest.records == 6
    assert len(read(base)[1]) == 6


def stopped(pack: Path, more: Path) -> None:
    """An append that was stopped after its last shard."""
    with pytest.MonkeyPatch.context() as patch, contextlib.suppress(KeyboardInterrupt):
        patch.setattr("fastload.pack.added.commit", interrupted)
        fastload.append(pack, more)
    assert (pack / ".appending" / "options.json").exists()


def interrupted(*arguments: object, **options: object) -> None:
    raise KeyboardInterrupt


def test_an_interrupted_append_goes_on(whole: Path, tmp_path: Path) -> None:
    divide(whole, tmp_path / "data", tmp_path / "more")
    for name in ("once", "twice"):
        fastload.pack(tmp_path / "data", tmp_path / name, shard_size=20_000, allow_empty=True)
    fastload.append(tmp_path / "once", tmp_path / "more")
    stopped(tmp_path / "twice", tmp_path / "more")
    max((tmp_path / "twice" / ".appending").glob("*.arrow")).unlink()
    seen: list[Progress] = []
    report = fastload.append(tmp_path / "twice", tmp_path / "more", progress=seen.append)
    assert 0 < report.files_now < report.added
    assert 0 < seen[0].files < seen[-1].files == report.added
    assert tree(tmp_path / "twice") == tree(tmp_path / "once")


def test_what_a_broken_append_left_is_ignored_and_removed(base: Path, tmp_path: Path) -> None:
    put(tmp_path / "more", "dog/0.jpg", 9)
    put(tmp_path / "other", "cat/0.jpg", 10)
    before = tree(base)
    clean = tmp_path / "clean.pack"
    shutil.copytree(base, clean)
    stopped(base, tmp_path / "more")
    (base / "index-2.arrow").write_bytes(b"half")
    (base / "index-2.arrow.tmp").write_bytes(b"half")
    (base / "shards" / "00002.tar.tmp").write_bytes(b"half")
    assert len(read(base)[1]) == len(open_pack(base)) == 4
    assert list(faults(open_pack(base))) == []
    assert {name: data for name, data in tree(base).items() if name in before} == before
    # Packing finds its pack and leaves the other command's journal alone.
    assert fastload.pack(tmp_path / "data").already_packed
    assert (base / ".appending").is_dir()
    fastload.append(base, tmp_path / "other")
    fastload.append(clean, tmp_path / "other")
    assert tree(base) == tree(clean)


def test_a_damaged_journal_is_begun_anew(base: Path, tmp_path: Path) -> None:
    put(tmp_path / "more", "dog/0.jpg", 9)
    stopped(base, tmp_path / "more")
    (base / ".appending" / "options.json").write_text("{")
    report = fastload.append(base, tmp_path / "more")
    assert report.files_now == report.added == 1


def test_who_has_the_pack_open_keeps_it_as_it_was(base: Path, tmp_path: Path) -> None:
    put(tmp_path / "more", "cat/0.jpg", 9)
    dataset = fastload.ImageFolder(base)
    stored = pickle.dumps(dataset)
    wanted = [(path, np.asarray(image)) for (path, _), (image, _) in
              zip(dataset.samples, fastload.ImageFolder(base), strict=True)]  # fmt: skip
    fastload.append(base, tmp_path / "more")
    assert len(dataset) == 4
    for (path, pixels), (own_path, _), (image, _) in zip(
        wanted, dataset.samples, dataset, strict=True
    ):
        assert path == own_path
        np.testing.assert_array_equal(np.asarray(image), pixels)
    # Its numbers would mean other images in another process.
    for data in (stored, pickle.dumps(dataset)):
        with pytest.raises(PackError, match="has changed since it was opened"):
            pickle.loads(data)
    now = fastload.ImageFolder(base)
    assert len(pickle.loads(pickle.dumps(now))) == len(now) == 5


def test_a_pack_that_is_opened_while_an_append_ends(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "more", "cat/0.jpg", 9)
    from_json = Manifest.from_json

    def slowly(data: bytes, where: str) -> Manifest:
        manifest = from_json(data, where)
        monkeypatch.setattr(Manifest, "from_json", staticmethod(from_json))
        fastload.append(base, tmp_path / "more")
        return manifest

    monkeypatch.setattr(Manifest, "from_json", staticmethod(slowly))
    assert len(open_pack(base)) == 5


def test_a_damaged_pack_is_not_built_upon(base: Path, tmp_path: Path) -> None:
    put(tmp_path / "more", "cat/0.jpg", 9)
    for name in ("index.arrow", "shards/00000.tar"):
        copy = tmp_path / "copy.pack"
        shutil.copytree(base, copy)
        data = (copy / name).read_bytes()
        place = data.find(b"cat/1.jpg")
        changed = data[:place] + b"b" + data[place + 1 :]
        (copy / name).write_bytes(changed if name == "index.arrow" else data[:-512])
        with pytest.raises(PackError, match=rf"{name} is missing or damaged\. Run `fastload verif"):
            fastload.append(copy, tmp_path / "more")
        shutil.rmtree(copy)


def test_without_its_list_of_rejected_files_a_pack_is_incomplete(
    base: Path, tmp_path: Path
) -> None:
    put(tmp_path / "more", "cat/0.jpg", 9)
    for content, words in ((None, "the file is missing"), ("a,b\n", "does not list paths")):
        (base / "rejected.csv").unlink()
        if content is not None:
            (base / "rejected.csv").write_text(content)
        with pytest.raises(PackError, match=rf"rejected\.csv: .*{words}"):
            fastload.append(base, tmp_path / "more")
        (base / "rejected.csv").touch()
    assert not (base / ".appending").exists()


def test_options_that_cannot_be_followed(base: Path, tmp_path: Path) -> None:
    put(tmp_path / "more", "cat/0.jpg", 9)
    for option, value in (("codec", "avif"), ("shard_size", "large"), ("max_side", True)):
        copy = tmp_path / f"{option}.pack"
        shutil.copytree(base, copy)
        rewrite_manifest(copy, lambda content: content["options"].update({option: value}))  # noqa: B023
        with pytest.raises(PackError, match="its options cannot be followed"):
            fastload.append(copy, tmp_path / "more")


def test_a_pack_of_version_1_0(base: Path, tmp_path: Path) -> None:
    put(tmp_path / "more", "cat/0.jpg", 9)

    def as_before(content: dict[str, Any]) -> None:
        content["version"] = [1, 0]
        content["options"] = {"cls": True}

    rewrite_manifest(base, as_before)
    assert fastload.append(base, tmp_path / "more").manifest.options == {"cls": True}
    assert len(read(base)[1]) == 5


def test_packing_does_not_take_an_appended_pack_for_its_own(base: Path, tmp_path: Path) -> None:
    put(tmp_path / "more", "cat/0.jpg", 9)
    fastload.append(base, tmp_path / "more")
    with pytest.raises(PackError, match=r"images \(others were appended to it\)"):
        fastload.pack(tmp_path / "data")


@pytest.mark.parametrize("options", [{}, {"shard_size": 20_000, "cls": False}])
def test_recoding_an_appended_pack_there_and_back(
    whole: Path, tmp_path: Path, options: dict[str, Any]
) -> None:
    """The very bytes of appending to a pack of the other codec."""
    divide(whole, tmp_path / "data", tmp_path / "rest")
    divide(tmp_path / "rest", tmp_path / "more", tmp_path / "last", seed=1)
    packs = {}
    for codec in ("jpeg", "dct"):
        target = tmp_path / f"{codec}.pack"
        fastload.pack(tmp_path / "data", target, codec=codec, allow_empty=True, **options)
        fastload.append(target, tmp_path / "more")
        packs[codec] = fastload.append(target, tmp_path / "last").path
    for source, codec in (("jpeg", "dct"), ("dct", "jpeg")):
        recoded = recode_pack(open_pack(packs[source]), tmp_path / codec, codec, workers=2)
        assert tree(recoded.path) == tree(packs[codec])
        assert list(faults(open_pack(recoded.path))) == []


def test_where_nothing_may_be_written(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "more", "cat/0.jpg", 9)
    mkdir = Path.mkdir

    def refuse(path: Path, *arguments: Any, **options: Any) -> None:
        if path.name == ".appending":
            raise PermissionError(13, "Permission denied", str(path))
        mkdir(path, *arguments, **options)

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(PackError, match=r"cannot be written .*: it needs the right to write there"):
        fastload.append(base, tmp_path / "more")


def test_a_class_count_is_that_of_all_images(whole: Path, tmp_path: Path) -> None:
    divide(whole, tmp_path / "data", tmp_path / "more")
    pack = fastload.pack(tmp_path / "data", allow_empty=True).path
    fastload.append(pack, tmp_path / "more")
    theirs = ImageFolder(whole)
    counts = [theirs.targets.count(label) for label in range(len(theirs.classes))]
    assert [entry.count for entry in open_pack(pack).manifest.classes] == counts
