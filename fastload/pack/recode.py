"""A pack written again with its JPEG images in the other codec, no coefficient changed.

The records keep their order and what the index says of their images, so the result has the very
bytes of a pack that was made with this codec in the first place.
"""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastload.errors import PackError
from fastload.native.library import NativeCode, NativeError, crc32c
from fastload.pack.coefficients import dct_record, jpeg_record
from fastload.pack.commit import commit, writer_versions
from fastload.pack.encode import Encoded
from fastload.pack.flow import Report, write_pack
from fastload.pack.options import CODECS, DEFAULT_SHARD_SIZE
from fastload.pack.rejected import read_rejected, rejected_csv
from fastload.pack.scan import Listing
from fastload.pack.target import differing_options, finished_pack, keep, refuse_inside
from fastload.store.codec import Codec, member_extension
from fastload.store.paths import beside

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from fastload.pack.flow import Progress, Written
    from fastload.store.manifest import Manifest, ShardEntry
    from fastload.store.pack import Pack

__all__ = ["default_output", "recode_pack"]


def default_output(source: Path, codec: str) -> Path:
    """Where the recoded pack goes: next to the source, with the codec in its name.

    >>> default_output(Path("/data/train.pack"), "dct")
    PosixPath('/data/train.dct.pack')
    >>> default_output(Path("/data/train.dct.pack"), "jpeg")
    PosixPath('/data/train.jpeg.pack')
    """
    named = beside(source, "")
    stem = named.name.removesuffix(".pack")
    for other in CODECS:
        stem = stem.removesuffix(f".{other}")
    return named.with_name(f"{stem}.{codec}.pack")


def recode_pack(
    source: Pack,
    root: Path,
    codec: str,
    *,
    workers: int,
    progress: Callable[[Progress], None] | None = None,
) -> Report:
    """Write a pack again, its JPEG images in another codec.

    Each record is turned back and compared before it is written. Records that cannot be of the
    codec are copied. An interrupted run goes on when called again with the same arguments.

    Args:
        source: the pack, which is only read.
        root: the folder of the new pack.
        codec: ``"jpeg"`` or ``"dct"``.
        workers: threads that recode.
        progress: called now and then with how far it is.

    Raises:
        PackError: the pack is of this codec already or keeps the very bytes of its files, a record
            of it is damaged, the output folder holds something else or cannot be written, or the
            disk is full.
    """
    _refuse(source, codec)
    refuse_inside(root, source.root, "pack that is recoded")
    work = _PackWork(source, codec)
    existing = finished_pack(root)
    if existing is not None:
        keep(existing, _differing(existing.manifest, source.manifest, work.options))
        return Report(root, existing.manifest, already_packed=True)
    return write_pack(root, work, workers, progress)


def _refuse(source: Pack, codec: str) -> None:
    options = source.manifest.options
    if options.get("verbatim") or bool((source.index.codec == Codec.FILE).any()):
        raise PackError(
            f"{source.root} keeps the very bytes of its files (--verbatim), which recoding would "
            "lose: pack the label folder again without --verbatim."
        )
    if options.get("codec", "jpeg") == codec:
        raise PackError(f"{source.root} is of codec {codec} already: there is nothing to recode.")


class _PackWork:
    """The records of a pack in the order of their numbers."""

    strict = False
    before: tuple[ShardEntry, ...] = ()

    def __init__(self, pack: Pack, codec: str) -> None:
        self._pack = pack
        self._dct_wanted = codec == "dct"
        self._records = pack.index.listing.astype(np.int64)
        self._rejected = rejected_csv(read_rejected(pack.root, pack.manifest.source))
        self._writer = {**pack.manifest.writer, **_recoding_versions()}
        self.options = {**pack.manifest.options, "codec": codec}
        self.listing = _listing(pack, self._records)
        self.order = np.argsort(self._records)
        self.job = {
            "command": "recode",
            "codec": codec,
            **{f"{name} version": version for name, version in _recoding_versions().items()},
            "pack": hashlib.sha256(pack.manifest.to_json() + self._rejected).hexdigest(),
        }
        self.shard_size = _shard_size(self.options)
        self.cls = bool(self.options.get("cls"))
        self.starts = frozenset(pack.manifest.appended_at)

    def encode(self, place: int) -> Encoded:
        record, index = int(self._records[place]), self._pack.index
        payload, codec = self._recoded(record)
        return Encoded(
            payload,
            codec,
            member_extension(codec),
            int(index.width[record]),
            int(index.height[record]),
            int(index.orientation[record]),
            crc32c(payload),
            int(index.perceptual_hash[record]),
            math.nan,
        )

    def commit(self, root: Path, written: Written) -> Manifest:
        return commit(
            root,
            self.listing,
            written,
            source=self._pack.manifest.source,
            options=self.options,
            rejected=self._rejected,
            measured=self._pack.manifest.measured,
            writer=self._writer,
        )

    def _recoded(self, record: int) -> tuple[bytes, Codec]:
        """The payload and the codec of a record in the new pack."""
        payload = self._pack.sound_payload(record)
        codec = Codec(self._pack.index.codec[record])
        try:
            if codec is Codec.JPEG and self._dct_wanted:
                dct = dct_record(payload)
                return (bytes(payload), codec) if dct is None else (dct, Codec.DCT)
            if codec is Codec.DCT and not self._dct_wanted:
                return jpeg_record(payload), Codec.JPEG
        except (NativeError, ValueError) as error:
            if isinstance(error, NativeError) and error.code == NativeCode.OUT_OF_MEMORY:
                raise MemoryError(str(error)) from error
            raise self._pack.damaged(record, f"cannot be recoded: {error}") from error
        return bytes(payload), codec


def _recoding_versions() -> dict[str, str]:
    """Of what decides the new pack's bytes beside the old one: Pillow has no part in recoding."""
    return {name: version for name, version in writer_versions().items() if name != "pillow"}


def _listing(pack: Pack, records: NDArray[np.int64]) -> Listing:
    """The label folder as far as the pack knows it, each file as large as its record."""
    index = pack.index
    return Listing(
        pack.root,
        tuple(pack.classes),
        index.paths(records),
        index.label[records],
        index.length[records].astype(np.int64),
        np.zeros(len(records), np.int64),
    )


def _shard_size(options: dict[str, Any]) -> int:
    """The limit that the pack was written with; other programs need not tell theirs."""
    size = options.get("shard_size")
    return size if type(size) is int and size > 0 else DEFAULT_SHARD_SIZE


def _differing(found: Manifest, source: Manifest, options: dict[str, Any]) -> list[str]:
    told = differing_options(options, found.options)
    if (found.classes, found.source, found.records) != (
        source.classes,
        source.source,
        source.records,
    ):
        told.append("images (the pack that is recoded is another)")
    return told
