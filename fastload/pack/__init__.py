"""Writing packs: scan -> encode -> write -> commit, one file each.

Heavy imports wait until something is packed, so that ``import fastload`` stays light.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from fastload.pack.flow import Progress, Report

__all__ = ["pack"]


def pack(
    source: str | os.PathLike[str],
    output: str | os.PathLike[str] | None = None,
    *,
    codec: str = "jpeg",
    max_side: int | None = None,
    quality: int | None = None,
    verbatim: bool = False,
    shard_size: int | str = "256MB",
    workers: int | None = None,
    cls: bool = True,
    seed: int = 0,
    strict: bool = False,
    allow_empty: bool = False,
    unlabelled: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> Report:
    """Turn a label folder into a pack that yields the pixels, labels and classes of ImageFolder.

    Or, with ``unlabelled``, a folder of images without classes into a pack for inference.

    An interrupted packing goes on when called again with the same arguments, and ends in the very
    bytes of an undisturbed one. The bytes do not depend on ``workers``.

    Args:
        source: a folder with one sub-folder a class; with ``unlabelled`` any folder of images.
        output: the pack's folder; the source's name and ``.pack`` by default.
        codec: how JPEG images are stored: ``"jpeg"``, or ``"dct"``, which loads faster and takes
            more room (docs/packing.md). What cannot be stored so is stored as without it.
        max_side: make images with a longer side this small (pixels; lossy).
        quality: store everything as JPEG of this quality, 1 to 100 (lossy).
        verbatim: keep the very bytes of the files.
        shard_size: bytes a shard may have, as a number or a text such as ``"64MB"``.
        workers: threads that encode; the usable CPUs by default.
        cls: add each label as a ``.cls`` member, for readers that know tar files alone.
        seed: of the order in which records are spread over the shards.
        strict: a file that cannot be read is an error; otherwise it is left out and listed in
            ``rejected.csv``.
        allow_empty: a class without a file is no error.
        unlabelled: the images have no classes: ``ImageFolder.classes`` is empty, all targets are
            -1, and sub-folders of any depth are parts of the paths. There are no ``.cls`` members.
        progress: called now and then with how far it is.

    Raises:
        FileNotFoundError: the folder, its classes or a class's files are missing.
        NotADirectoryError: ``source`` is a file.
        ValueError: an option is out of range, or two of them exclude each other.
        PackError: ``source`` is a pack, the output folder holds something else or cannot be
            written, the disk is full, a file changed meanwhile, or ``strict`` met a file that
            cannot be read.
    """
    from pathlib import Path

    from fastload.cpus import usable_cpus
    from fastload.pack.folder import pack_folder
    from fastload.pack.options import Options
    from fastload.sizes import parse_size
    from fastload.store.paths import beside

    size = parse_size(shard_size, "--shard-size")
    has_cls = cls and not unlabelled
    options = Options(max_side, quality, verbatim, size, has_cls, seed, codec)
    if workers is not None and workers < 1:
        raise ValueError(f"--workers is {workers}, it takes 1 or more")
    folder = Path(source).expanduser()
    return pack_folder(
        folder,
        beside(folder, ".pack") if output is None else Path(output).expanduser(),
        options,
        workers=workers or usable_cpus(),
        strict=strict,
        allow_empty=allow_empty,
        unlabelled=unlabelled,
        progress=progress,
    )


class _CallableModule(ModuleType):
    """``fastload.pack`` names this package and the public function: calling it packs."""

    __call__ = staticmethod(pack)


sys.modules[__name__].__class__ = _CallableModule
