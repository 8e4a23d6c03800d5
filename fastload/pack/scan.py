"""The label folder as ImageFolder lists it: classes, files and labels in the very same order.

The rules are those of ``torchvision.datasets.folder``: a class is a sub-folder, its files are those
with an image's extension anywhere below it, symbolic links are followed, and everything is sorted
as Python sorts strings. Two things differ, both loudly: a loop of links is an error (torchvision
lists the same files again until the system stops it), and so is a folder that cannot be read.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fastload.errors import PackError
from fastload.store.manifest import MANIFEST_NAME
from fastload.store.shards import SHARDS_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["EXTENSIONS", "SUPPORTED", "Listing", "looks_labelled", "scan", "scan_unlabelled"]

EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")

_LABEL_FOLDER = "A label folder has one sub-folder a class, with the images of the class in it."
_IMAGES_WITHOUT_CLASSES = (
    " Here are images without: `fastload pack --unlabelled` packs them for inference."
)
SUPPORTED = f"Supported extensions are: {', '.join(EXTENSIONS)}."


@dataclass(frozen=True)
class Listing:
    """The files of a label folder, or of a folder without classes, in ImageFolder's order.

    Attributes:
        root: the folder.
        classes: names of the class folders, sorted; none of a folder without classes.
        paths: of the files, relative to the root, with ``/``.
        labels: (N,) uint32, position in ``classes``; 0 without classes.
        sizes: (N,) int64, bytes.
        mtimes: (N,) int64, nanoseconds.
    """

    root: Path
    classes: tuple[str, ...]
    paths: list[str]
    labels: NDArray[np.uint32]
    sizes: NDArray[np.int64]
    mtimes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.paths)

    def fingerprint(self) -> str:
        """SHA-256 in hex over ``path NUL size LF`` of each file, sorted by the path's bytes."""
        entries = sorted(zip(map(os.fsencode, self.paths), self.sizes.tolist(), strict=True))
        digest = hashlib.sha256()
        for path, size in entries:
            digest.update(b"%b\0%d\n" % (path, size))
        return digest.hexdigest()

    def state(self) -> str:
        """SHA-256 in hex over all that a half-written pack relies on, modification times too."""
        digest = hashlib.sha256()
        for name in self.classes:
            digest.update(os.fsencode(name) + b"\0")
        for path, size, mtime in zip(
            self.paths, self.sizes.tolist(), self.mtimes.tolist(), strict=True
        ):
            digest.update(b"%b\0%d %d\n" % (os.fsencode(path), size, mtime))
        return digest.hexdigest()


def scan(root: str | os.PathLike[str], *, allow_empty: bool = False) -> Listing:
    """List a label folder.

    Args:
        root: the label folder; ``~`` is the home folder.
        allow_empty: a class without a file is no error.

    Raises:
        FileNotFoundError: there is no such folder, no class in it, or a class without a file
            (torchvision's messages and what to do).
        NotADirectoryError: it is a file.
        PackError: it is a pack, symbolic links form a loop, or a folder cannot be read.
    """
    folder = Path(root).expanduser()
    classes = _classes(folder)
    paths: list[str] = []
    labels: list[int] = []
    stats: list[tuple[int, int]] = []
    empty = []
    for label, name in enumerate(classes):
        before = len(paths)
        for path, size, mtime in _files(folder, name):
            paths.append(path)
            labels.append(label)
            stats.append((size, mtime))
        if len(paths) == before:
            empty.append(name)
    if empty and not allow_empty:
        raise FileNotFoundError(
            f"Found no valid file for the classes {', '.join(empty)}. {SUPPORTED} "
            "Remove these folders, or pack with --allow-empty."
        )
    return _listing(folder, classes, paths, labels, stats)


def scan_unlabelled(root: str | os.PathLike[str]) -> Listing:
    """List a folder of images without classes, at any depth, as ImageFolder lists those of a class.

    Args:
        root: the folder; ``~`` is the home folder.

    Raises:
        FileNotFoundError: there is no such folder, or no image in it.
        NotADirectoryError: it is a file.
        PackError: it is a pack, symbolic links form a loop, or a folder cannot be read.
    """
    folder = Path(root).expanduser()
    _refuse_pack(folder, _sub_folders(folder))
    paths: list[str] = []
    stats: list[tuple[int, int]] = []
    for path, size, mtime in _files(folder, ""):
        paths.append(path)
        stats.append((size, mtime))
    if not paths:
        raise FileNotFoundError(f"Found no valid file in {folder}. {SUPPORTED}")
    return _listing(folder, (), paths, [0] * len(paths), stats)


def looks_labelled(root: str | os.PathLike[str]) -> bool:
    """Whether a folder has sub-folders and no image beside them, as label folders do."""
    files, folders = _entries(Path(root).expanduser())
    return bool(folders) and not files


def _listing(
    folder: Path,
    classes: tuple[str, ...],
    paths: list[str],
    labels: list[int],
    stats: list[tuple[int, int]],
) -> Listing:
    columns = np.array(stats, np.int64).reshape(-1, 2)
    return Listing(
        folder, classes, paths, np.array(labels, np.uint32), columns[:, 0], columns[:, 1]
    )


def _classes(folder: Path) -> tuple[str, ...]:
    classes = _sub_folders(folder)
    if not classes:
        without = _IMAGES_WITHOUT_CLASSES if _entries(folder)[0] else ""
        raise FileNotFoundError(
            f"Couldn't find any class folder in {folder}. {_LABEL_FOLDER}{without}"
        )
    _refuse_pack(folder, classes)
    return tuple(classes)


def _sub_folders(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir())
    except FileNotFoundError as error:
        raise FileNotFoundError(f"No label folder at {folder}: there is no such folder.") from error
    except NotADirectoryError as error:
        raise NotADirectoryError(f"{folder} is a file. {_LABEL_FOLDER}") from error


def _refuse_pack(folder: Path, folders: list[str]) -> None:
    if (folder / MANIFEST_NAME).is_file() and SHARDS_NAME in folders:
        raise PackError(
            f"{folder} is a pack already: open it with fastload.ImageFolder, or give the label "
            "folder that it was made of."
        )


def _files(folder: Path, name: str) -> Iterator[tuple[str, int, int]]:
    """Path, size and modification time of each file of a class, in ImageFolder's order.

    Without a name, of each file in the whole folder.
    """
    found: dict[str, list[os.DirEntry[str]]] = {}
    above_all = (_identity(folder),) if name else ()
    pending: list[tuple[str, tuple[tuple[int, int], ...]]] = [(name, above_all)]
    while pending:
        relative, above = pending.pop()
        here = _identity(folder / relative)
        if here in above:
            raise PackError(
                f"{folder / relative} is a link to a folder above it: following it never ends. "
                "Remove the link."
            )
        files, folders = _entries(folder / relative)
        found[relative] = files
        pending += [(_below(relative, entry.name), (*above, here)) for entry in folders]
    for relative in sorted(found):
        for entry in sorted(found[relative], key=lambda entry: entry.name):
            yield _below(relative, entry.name), *_size_and_mtime(entry)


def _below(relative: str, name: str) -> str:
    return f"{relative}/{name}" if relative else name


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _entries(folder: Path) -> tuple[list[os.DirEntry[str]], list[os.DirEntry[str]]]:
    """The image files and the folders in a folder; a dangling link counts as a file."""
    files, folders = [], []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if _is_folder(entry):
                    folders.append(entry)
                elif entry.name.lower().endswith(EXTENSIONS):
                    files.append(entry)
    except OSError as error:
        raise PackError(
            f"{folder} cannot be read ({error.strerror}). Its images would be missing from the "
            "pack: grant the right to read it, or move it out of the label folder."
        ) from error
    return files, folders


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _size_and_mtime(entry: os.DirEntry[str]) -> tuple[int, int]:
    """Zeros for what cannot be read as a file; encoding it will say why."""
    try:
        status = entry.stat()
    except OSError:
        return 0, 0
    return (status.st_size, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else (0, 0)
