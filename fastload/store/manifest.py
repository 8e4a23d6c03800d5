"""``pack.json``: what a pack is, what it holds, and the sizes and hashes of its files."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Any, TypeVar

from fastload.errors import PackError
from fastload.words import display_name

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "APPENDED",
    "BINARY_PATHS",
    "DCT_RECORDS",
    "FORMAT",
    "INDEX_NAME",
    "KNOWN_FEATURES",
    "MANIFEST_NAME",
    "UNLABELLED",
    "VERSION",
    "AppendedSource",
    "ClassEntry",
    "IndexEntry",
    "Manifest",
    "ShardEntry",
    "Source",
    "index_name",
    "shard_name",
    "version_with",
]

FORMAT = "fastload-pack"
# A reader refuses a newer major version and reads any minor one.
VERSION = (1, 2)
MANIFEST_NAME = "pack.json"
INDEX_NAME = "index.arrow"
# Required feature: the index's paths are bytes, because some of them are not UTF-8.
BINARY_PATHS = "binary-paths"
# Required feature: some records are coefficients without entropy coding, new in version 1.1.
DCT_RECORDS = "dct"
# Required feature: images were appended, the index has another name; new in version 1.2.
APPENDED = "appended"
# Required feature: the images have no classes; new in version 1.2.
UNLABELLED = "unlabelled"
KNOWN_FEATURES = frozenset({BINARY_PATHS, DCT_RECORDS, APPENDED, UNLABELLED})

_NEW_IN_1_2 = frozenset({APPENDED, UNLABELLED})

_T = TypeVar("_T")
_SHA256_DIGITS = 64


def shard_name(number: int) -> str:
    """File name of a shard under ``shards/``.

    >>> shard_name(7)
    '00007.tar'
    """
    return f"{number:05d}.tar"


def index_name(appends: int) -> str:
    """File name of the index after so many appends: each state of a pack has a file of its own.

    >>> index_name(0), index_name(2)
    ('index.arrow', 'index-3.arrow')
    """
    return f"index-{appends + 1}.arrow" if appends else INDEX_NAME


def version_with(features: Iterable[str]) -> tuple[int, int]:
    """The version that a pack with these features tells: one that readers of it know.

    >>> version_with(["dct"]), version_with(["appended", "dct"])
    ((1, 1), (1, 2))
    """
    return VERSION if _NEW_IN_1_2.intersection(features) else (1, 1)


@dataclass(frozen=True)
class ClassEntry:
    """One class.

    Attributes:
        name: the folder's name as ``os.listdir`` gives it, and so as ImageFolder shows it.
        count: how many records it has.
    """

    name: str
    count: int

    @property
    def display(self) -> str:
        """The name in NFC."""
        return display_name(self.name)


@dataclass(frozen=True)
class ShardEntry:
    """One shard: file name under ``shards/``, size in bytes, SHA-256 in hex, number of records."""

    name: str
    size: int
    sha256: str
    records: int


@dataclass(frozen=True)
class IndexEntry:
    """The index file: size in bytes, SHA-256 in hex, file name."""

    size: int
    sha256: str
    name: str = INDEX_NAME

    def to_json(self) -> dict[str, Any]:
        """Name, size and hash; packs that nothing was appended to tell no name."""
        content = vars(self).copy()
        if self.name == INDEX_NAME:
            del content["name"]
        return content


@dataclass(frozen=True)
class AppendedSource:
    """A folder whose images were appended to a pack.

    Attributes:
        files: how many image files were listed.
        bytes: their total size.
        records: how many of them were added; their ids follow on those before.
        duplicates: how many of them were left out because the pack had them already.
        rejected: how many of them could not be read.
        fingerprint: as that of :class:`Source`.
        writer: names and versions of the programs that appended.
    """

    files: int
    bytes: int
    records: int
    duplicates: int
    rejected: int
    fingerprint: str
    writer: dict[str, str]


@dataclass(frozen=True)
class Source:
    """The folder the pack was made from, and those that were appended.

    Attributes:
        files: how many image files the first folder listed, rejected ones included.
        bytes: their total size.
        rejected: how many of them are not in the pack.
        fingerprint: SHA-256 over the sorted (path, size) pairs, see docs/format.md.
        appended: one for each append, the first one first.
    """

    files: int
    bytes: int
    rejected: int
    fingerprint: str
    appended: tuple[AppendedSource, ...] = ()

    @property
    def bytes_in_all(self) -> int:
        """Total size of the files of all folders."""
        return self.bytes + sum(part.bytes for part in self.appended)

    @property
    def rejected_in_all(self) -> int:
        """How many files of all folders could not be read."""
        return self.rejected + sum(part.rejected for part in self.appended)

    def to_json(self) -> dict[str, Any]:
        """All of it; packs that nothing was appended to have no such list."""
        content = {**vars(self), "appended": [vars(part) for part in self.appended]}
        if not self.appended:
            del content["appended"]
        return content


@dataclass(frozen=True)
class Manifest:
    """The whole of ``pack.json``.

    Attributes:
        classes: in ImageFolder's order; the position is the label.
        shards: in order; records are numbered through them.
        index: of the index file.
        source: of the label folder, or the folder without classes.
        options: the options that decide the pack's bytes.
        features: required features; a reader that does not know one refuses the pack.
        measured: what was measured while packing (PSNR of a lossy pack), or empty.
        writer: names and versions of the programs that wrote the pack.
        version: (major, minor) of the format.
    """

    classes: tuple[ClassEntry, ...]
    shards: tuple[ShardEntry, ...]
    index: IndexEntry
    source: Source
    options: dict[str, Any]
    features: tuple[str, ...] = ()
    measured: dict[str, float] = field(default_factory=dict)
    writer: dict[str, str] = field(default_factory=dict)
    version: tuple[int, int] = VERSION

    @property
    def records(self) -> int:
        """Number of records in all shards."""
        return sum(shard.records for shard in self.shards)

    @property
    def unlabelled(self) -> bool:
        """The images have no classes: all labels are 0 and mean nothing."""
        return UNLABELLED in self.features

    @property
    def appended_at(self) -> list[int]:
        """The first record id of each append; a shard begins there."""
        counts = [part.records for part in self.source.appended]
        return list(accumulate(counts, initial=self.records - sum(counts)))[:-1]

    def to_json(self) -> bytes:
        """The manifest as written to disk: UTF-8, keys sorted, one trailing newline."""
        content = {
            "format": FORMAT,
            "version": list(self.version),
            "required_features": list(self.features),
            "records": self.records,
            "classes": [_class_to_json(entry) for entry in self.classes],
            "shards": [vars(entry) for entry in self.shards],
            "index": self.index.to_json(),
            "source": self.source.to_json(),
            "options": self.options,
            "measured": self.measured,
            "writer": self.writer,
        }
        text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False)
        return text.encode() + b"\n"

    @staticmethod
    def from_json(data: bytes, where: str = MANIFEST_NAME) -> Manifest:
        """Read and check a manifest.

        Args:
            data: the file's bytes.
            where: its name for messages.

        Raises:
            PackError: the bytes are no manifest, contradict themselves, or ask for more than this
                version of fastload can do.
        """
        return _Reading(where).manifest(data)


def _class_to_json(entry: ClassEntry) -> dict[str, Any]:
    written: dict[str, Any] = {"name": entry.display, "count": entry.count}
    raw = entry.name.encode("utf-8", "surrogateescape")
    if raw != entry.display.encode():
        written["bytes"] = raw.hex()
    return written


class _Reading:
    """The checks of one ``pack.json``; ``where`` goes into each message."""

    def __init__(self, where: str) -> None:
        self.where = where

    def refuse(self, reason: str) -> PackError:
        return PackError(
            f"{self.where}: {reason}. The pack is damaged or was edited: restore it from a copy, "
            "or pack the label folder again."
        )

    def get(self, holder: dict[str, Any], key: str, kind: type[_T]) -> _T:
        value = holder.get(key)
        if not isinstance(value, kind) or isinstance(value, bool):
            shown = "is missing" if value is None else f"is {value!r:.80}"
            raise self.refuse(f"{key!r} {shown}, expected {kind.__name__}")
        return value

    def natural(self, holder: dict[str, Any], key: str) -> int:
        value = self.get(holder, key, int)
        if not 0 <= value < 2**63:
            raise self.refuse(f"{key!r} is {value}, expected a natural number")
        return value

    def sha256(self, holder: dict[str, Any], key: str) -> str:
        value = self.get(holder, key, str)
        if len(value) != _SHA256_DIGITS or set(value) - set("0123456789abcdef"):
            raise self.refuse(f"{key!r} is {value!r:.80}, expected 64 hexadecimal digits")
        return value

    def objects(self, holder: dict[str, Any], key: str) -> list[dict[str, Any]]:
        values = self.get(holder, key, list)
        if not all(isinstance(value, dict) for value in values):
            raise self.refuse(f"{key!r} holds something else than objects")
        return values

    def manifest(self, data: bytes) -> Manifest:
        content = self.content(data)
        version = self.version(content)
        features = self.features(content)
        manifest = Manifest(
            classes=self.classes(content),
            shards=self.shards(content),
            index=self.index(self.get(content, "index", dict), APPENDED in features),
            source=self.source(self.get(content, "source", dict), APPENDED in features),
            options=self.get(content, "options", dict),
            features=features,
            measured=self.get(content, "measured", dict),
            writer=self.get(content, "writer", dict),
            version=version,
        )
        self.agree(manifest, self.natural(content, "records"))
        return manifest

    def content(self, data: bytes) -> dict[str, Any]:
        try:
            content = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise self.refuse(f"not JSON ({error})") from error
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise PackError(
                f'{self.where}: not a fastload pack ("format" is not {FORMAT!r}). '
                "Give the folder that `fastload pack` wrote."
            )
        return content

    def version(self, content: dict[str, Any]) -> tuple[int, int]:
        version = self.get(content, "version", list)
        if len(version) != 2 or not all(type(part) is int and part >= 0 for part in version):
            raise self.refuse(f"'version' is {version!r:.80}, expected [major, minor]")
        if version[0] != VERSION[0]:
            raise PackError(
                f"{self.where}: the pack has format version {version[0]}.{version[1]}, this "
                f"fastload reads {VERSION[0]}.x. Upgrade fastload, or pack the label folder again."
            )
        return version[0], version[1]

    def features(self, content: dict[str, Any]) -> tuple[str, ...]:
        features = self.get(content, "required_features", list)
        unknown = [str(name) for name in features if name not in KNOWN_FEATURES]
        if unknown:
            raise PackError(
                f"{self.where}: the pack needs {', '.join(unknown)}, which this fastload does not "
                "know. Upgrade fastload, or pack the label folder again."
            )
        return tuple(features)

    def classes(self, content: dict[str, Any]) -> tuple[ClassEntry, ...]:
        entries = tuple(self.class_entry(entry) for entry in self.objects(content, "classes"))
        if len({entry.name for entry in entries}) != len(entries):
            raise self.refuse("two classes have the same name")
        return entries

    def class_entry(self, entry: dict[str, Any]) -> ClassEntry:
        name = self.get(entry, "name", str)
        if "bytes" in entry:
            try:
                raw = bytes.fromhex(self.get(entry, "bytes", str))
            except ValueError as error:
                raise self.refuse(f"the class {name!r} has bytes that are not hex") from error
            name = raw.decode("utf-8", "surrogateescape")
        if name in ("", ".", "..") or "/" in name or "\0" in name:
            raise self.refuse(f"{name!r} cannot be the name of a class folder")
        return ClassEntry(name, self.natural(entry, "count"))

    def shards(self, content: dict[str, Any]) -> tuple[ShardEntry, ...]:
        entries = []
        for number, entry in enumerate(self.objects(content, "shards")):
            if self.get(entry, "name", str) != shard_name(number):
                raise self.refuse(f"shard {number} is named {entry['name']!r:.80}")
            entries.append(
                ShardEntry(
                    entry["name"],
                    self.natural(entry, "size"),
                    self.sha256(entry, "sha256"),
                    self.natural(entry, "records"),
                )
            )
        return tuple(entries)

    def index(self, entry: dict[str, Any], appended: bool) -> IndexEntry:
        name = self.get(entry, "name", str) if appended else INDEX_NAME
        return IndexEntry(self.natural(entry, "size"), self.sha256(entry, "sha256"), name)

    def source(self, entry: dict[str, Any], appended: bool) -> Source:
        parts = self.objects(entry, "appended") if appended else []
        return Source(
            self.natural(entry, "files"),
            self.natural(entry, "bytes"),
            self.natural(entry, "rejected"),
            self.sha256(entry, "fingerprint"),
            tuple(map(self.appended_source, parts)),
        )

    def appended_source(self, entry: dict[str, Any]) -> AppendedSource:
        return AppendedSource(
            self.natural(entry, "files"),
            self.natural(entry, "bytes"),
            self.natural(entry, "records"),
            self.natural(entry, "duplicates"),
            self.natural(entry, "rejected"),
            self.sha256(entry, "fingerprint"),
            self.get(entry, "writer", dict),
        )

    def agree(self, manifest: Manifest, records: int) -> None:
        if manifest.unlabelled and (manifest.classes or manifest.options.get("cls")):
            raise self.refuse("the pack is unlabelled and has classes or .cls members")
        counted = sum(entry.count for entry in manifest.classes)
        if records != manifest.records or (counted != records and not manifest.unlabelled):
            raise self.refuse(
                f"{records} records are declared, the shards hold {manifest.records} and the "
                f"classes {counted}"
            )
        if any(shard.records == 0 for shard in manifest.shards):
            raise self.refuse("a shard has no records")
        self.agree_on_appends(manifest)

    def agree_on_appends(self, manifest: Manifest) -> None:
        appended = manifest.source.appended
        if APPENDED in manifest.features and not appended:
            raise self.refuse("images were appended, and 'appended' is empty")
        if manifest.index.name != index_name(len(appended)):
            raise self.refuse(
                f"the index is named {manifest.index.name!r:.80}, after {len(appended)} appends "
                f"it is {index_name(len(appended))}"
            )
        begins = {0, *accumulate(shard.records for shard in manifest.shards)}
        if any(part.records == 0 for part in appended) or not begins.issuperset(
            manifest.appended_at
        ):
            raise self.refuse("what was appended does not begin with a shard")
