"""The listing is torchvision's, file by file, and so are its errors."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torchvision.datasets import ImageFolder
from torchvision.datasets.folder import IMG_EXTENSIONS

from fastload.errors import PackError
from fastload.pack.scan import EXTENSIONS, Listing, scan


def touch(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(path.encode("utf-8", "surrogateescape"))
    return root


def assert_same(root: Path, **options: bool) -> Listing:
    theirs, ours = ImageFolder(root, **options), scan(root, **options)
    assert list(ours.classes) == theirs.classes
    samples = zip(ours.paths, ours.labels.tolist(), strict=True)
    assert [(f"{root}/{path}", label) for path, label in samples] == theirs.samples
    return ours


def test_extensions_are_torchvisions() -> None:
    assert EXTENSIONS == IMG_EXTENSIONS


def test_nested_folders_and_what_is_no_image(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "b/2.png",
        "b/1.JPG",
        "b/deep/er/3.jpeg",
        "b/deep.er/4.jpg",
        "b/deep er/5.jpg",
        "b/deep/6.webp",
        "b/notes.txt",
        "b/.jpg",
        "b/jpg",
        "b/x.jpg.gz",
        "b/x.tiff",
        "a/only/below/7.pgm",
        "A/8.ppm",
        "file.jpg",
    )
    (tmp_path / "b" / "folder.png").mkdir()
    touch(tmp_path, "b/folder.png/9.bmp")
    listing = assert_same(tmp_path)
    assert listing.classes == ("A", "a", "b")
    assert len(listing) == 11
    assert listing.sizes.tolist() == [len(path) for path in listing.paths]


def test_links_to_files_and_folders_are_followed(tmp_path: Path) -> None:
    outside = touch(tmp_path / "outside", "1.jpg", "below/2.jpg")
    root = touch(tmp_path / "data", "a/3.jpg")
    (root / "a" / "linked").symlink_to(outside)
    (root / "a" / "4.jpg").symlink_to(outside / "1.jpg")
    (root / "b").symlink_to(outside)
    (root / "a" / "5.jpg").symlink_to(tmp_path / "nowhere.jpg")
    # The same folder twice is no loop.
    (root / "a" / "again").symlink_to(outside)
    listing = assert_same(root)
    assert len(listing) == 9
    assert listing.sizes[listing.paths.index("a/4.jpg")] == len("1.jpg")
    assert listing.sizes[listing.paths.index("a/5.jpg")] == 0


@pytest.mark.parametrize("target", [".", "..", "../..", "sub"])
def test_a_loop_of_links_is_an_error_that_names_the_link(tmp_path: Path, target: str) -> None:
    root = touch(tmp_path / "data", "a/1.jpg", "a/sub/2.jpg")
    link = root / "a" / "sub" / "loop"
    link.symlink_to(root / "a" / "sub" / target)
    if target == "sub":
        # It leads nowhere, and its name is no image's: torchvision skips it as well.
        assert_same(root)
        return
    with pytest.raises(PackError, match=r"/loop is a link to a folder above it"):
        scan(root)


def test_a_link_to_itself_with_an_images_name_is_listed(tmp_path: Path) -> None:
    root = touch(tmp_path / "data", "a/1.jpg")
    (root / "a" / "self.jpg").symlink_to("self.jpg")
    assert len(assert_same(root)) == 2


def test_an_unreadable_folder_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = touch(tmp_path / "data", "a/1.jpg", "a/locked/2.jpg")
    scandir = os.scandir

    def refuse(path: Path) -> object:
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(PackError, match=r"locked cannot be read \(Permission denied\)"):
        scan(root)


@pytest.mark.parametrize("layout", [[], ["x.jpg"], ["a/x.txt"], ["a/x.jpg", "b/", "c/d/"]])
def test_same_errors_as_torchvision_and_what_to_do(tmp_path: Path, layout: list[str]) -> None:
    for path in layout:
        if path.endswith("/"):
            (tmp_path / path).mkdir(parents=True)
        else:
            touch(tmp_path, path)
    with pytest.raises(FileNotFoundError) as theirs:
        ImageFolder(tmp_path)
    with pytest.raises(FileNotFoundError) as ours:
        scan(tmp_path)
    assert str(ours.value).startswith(str(theirs.value))
    assert re.search("one sub-folder a class|pack with --allow-empty", str(ours.value))


def test_what_is_no_label_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"No label folder at .*/nowhere"):
        scan(tmp_path / "nowhere")
    file = touch(tmp_path, "a/1.jpg") / "a/1.jpg"
    with pytest.raises(NotADirectoryError, match=r"1\.jpg is a file\. A label folder has"):
        scan(file)
    touch(tmp_path / "data.pack", "pack.json", "shards/00000.tar")
    with pytest.raises(PackError, match=r"data\.pack is a pack already"):
        scan(tmp_path / "data.pack")


def test_allow_empty(tmp_path: Path) -> None:
    touch(tmp_path, "b/1.jpg", "c/x.txt")
    (tmp_path / "a").mkdir()
    assert assert_same(tmp_path, allow_empty=True).classes == ("a", "b", "c")


def test_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "data/a/1.jpg")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert scan("~/data").paths == ["a/1.jpg"]


def test_fingerprints(tmp_path: Path) -> None:
    root = touch(tmp_path / "data", "a/1.jpg", "b/2.jpg")
    before = scan(root)
    assert scan(root).fingerprint() == before.fingerprint()
    os.utime(root / "a" / "1.jpg", ns=(1, 1))
    touched = scan(root)
    assert touched.fingerprint() == before.fingerprint()
    assert touched.state() != before.state()
    (root / "a" / "1.jpg").write_bytes(b"longer than it was")
    assert scan(root).fingerprint() != before.fingerprint()


# What a file system takes: no slash, no NUL, 255 bytes; half of an emoji is no UTF-8 but is a name.
letters = st.characters(exclude_characters="/\0", exclude_categories=["Cs"])
wild = st.text(letters | st.sampled_from("가각힣가.,\n\t 'é\udcff\udc80"), min_size=1, max_size=40)
names = wild.filter(
    lambda name: name not in (".", "..") and len(name.encode("utf-8", "surrogateescape")) < 240
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    tree=st.lists(
        st.tuples(
            names, st.lists(names, max_size=2), names, st.sampled_from([*EXTENSIONS, ".JPG", ""])
        ),
        min_size=1,
        max_size=8,
    )
)
def test_any_names(tmp_path_factory: pytest.TempPathFactory, tree: list[tuple]) -> None:
    root = tmp_path_factory.mktemp("names")
    for class_name, folders, name, extension in tree:
        folder = Path(root, class_name, *folders)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / (name + extension)).write_bytes(b"x")
        except (FileExistsError, IsADirectoryError, NotADirectoryError):
            continue
    assert_same(root, allow_empty=True)
