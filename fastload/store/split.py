"""Splits of a pack for validation: ``splits/NAME.arrow``, a fold a record."""

from __future__ import annotations

import io
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from fastload.errors import PackError
from fastload.store.durable import write_file

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastload.store.pack import Pack

__all__ = ["PARTS", "SPLITS_NAME", "Split", "open_split", "split_names"]

SPLITS_NAME = "splits"
PARTS = ("train", "val")

_FORMAT = "fastload-split"
_VERSION = (1, 0)
_SUFFIX = ".arrow"
_COLUMN = pa.field("fold", pa.int16(), nullable=False)
# What is a file's name everywhere, and never another folder's.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, eq=False)
class Split:
    """Which records of a pack validate, and when: folds for cross-validation, or one hold-out.

    Attributes:
        pack: the pack.
        fold_of: int16, shape (N,), by record id: the fold that a record validates in; -1 where it
            is for training only.
        folds: number of folds; 1 for a hold-out, whose validation part is fold 0.
        val: the share of a hold-out; None for folds.
        seed: that it was drawn with.
        group: the rule of what was kept together.
    """

    pack: Pack
    fold_of: NDArray[np.int16]
    folds: int
    val: float | None
    seed: int
    group: str

    def __repr__(self) -> str:
        return f"Split({str(self.pack.root)!r}, {self.words})"

    @property
    def words(self) -> str:
        """What it is, for people: ``5 folds, groups near-duplicates, seed 0``."""
        kind = f"{self.folds} folds" if self.val is None else f"hold-out of {self.val:g}"
        return f"{kind}, groups {self.group}, seed {self.seed}"

    @property
    def default_name(self) -> str:
        """``folds5`` or ``holdout20``: the kind and the number of folds or the percentage."""
        return f"folds{self.folds}" if self.val is None else f"holdout{100 * self.val:g}"

    def part(self, fold: int | None, part: str) -> NDArray[np.int64]:
        """The samples of a part: int64, ascending; their places in ``ImageFolder``'s order.

        Made for ``torch.utils.data.Subset``; ``pack.index.listing[places]`` are the record ids.

        Args:
            fold: which fold validates, 0 to ``folds - 1``; may be None for a hold-out.
            part: ``"val"`` for the records of the fold, ``"train"`` for all others.

        Raises:
            ValueError: there is no such fold or part.
        """
        if part not in PARTS:
            raise ValueError(f"part is {part!r}: choose {' or '.join(map(repr, PARTS))}.")
        if fold is None and self.folds == 1:
            fold = 0
        if fold is None or fold not in range(self.folds):
            there_is = f"0 to {self.folds - 1}" if self.folds > 1 else "0 alone, a hold-out"
            raise ValueError(f"fold is {fold!r}: this split ({self.words}) has {there_is}.")
        validates = self.fold_of[self.pack.index.listing] == fold
        return np.flatnonzero(validates if part == "val" else ~validates)

    def save(self, name: str | None = None, *, replace: bool = False) -> Path:
        """Write the split into its pack, as ``splits/NAME.arrow``; in whole or not at all.

        Args:
            name: letters, digits, ``.``, ``_`` and ``-``; None for :attr:`default_name`.
            replace: whether another split of this name may be overwritten.

        Returns:
            The file.

        Raises:
            ValueError: the name cannot be a file's.
            PackError: there is another split of this name, or the file cannot be written.
        """
        name = self.default_name if name is None else name
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"The split's name is {name!r}: take letters, digits, '.', '_' and '-', a letter "
                "or digit first."
            )
        path = _file(self.pack, name)
        data = self._to_arrow()
        if path.exists():
            if path.read_bytes() == data:
                return path
            if not replace:
                raise PackError(
                    f"{path} is there already and is another split. Choose another name (--name), "
                    "or replace it (--force; replace=True in Python)."
                )
        try:
            path.parent.mkdir(exist_ok=True)
            write_file(path, data)
        except OSError as error:
            raise PackError(
                f"{path} cannot be written ({error.strerror}); the pack is as it was. Make room or "
                "get the right to write there, or do without the file: in Python, ImageFolder "
                "takes what fastload.folds or fastload.holdout gives as split=."
            ) from error
        return path

    def _to_arrow(self) -> bytes:
        facts = {
            "format": _FORMAT,
            "version": ".".join(map(str, _VERSION)),
            "folds": str(self.folds),
            "seed": str(self.seed),
            "group": self.group,
            "index_sha256": self.pack.manifest.index.sha256,
        }
        if self.val is not None:
            facts["val"] = repr(self.val)
        # A CSV file's name, which is part of the rule, may be no UTF-8.
        metadata = {key: os.fsencode(value) for key, value in facts.items()}
        schema = pa.schema([_COLUMN], metadata)
        file = io.BytesIO()
        with pa.ipc.new_file(file, schema) as writer:
            writer.write_batch(pa.record_batch([pa.array(self.fold_of)], schema=schema))
        return file.getvalue()


def open_split(pack: Pack, name: str) -> Split:
    """Read a split of a pack and check all of it.

    Args:
        pack: the pack.
        name: the split's, as ``folds5``.

    Raises:
        PackError: there is no such split, it is damaged or newer than this fastload, or it was made
            for other records than the pack has now.
    """
    path = _file(pack, name)
    try:
        if not _NAME.fullmatch(name):
            raise FileNotFoundError(name)
        data = path.read_bytes()
    except FileNotFoundError as error:
        names = split_names(pack)
        there_are = f"it has {', '.join(names)}" if names else "it has none"
        raise PackError(
            f"{pack.root} has no split {name!r}, {there_are}. `fastload split` makes one."
        ) from error
    return _Reading(pack, path).split(data)


def split_names(pack: Pack) -> list[str]:
    """The names of the splits that lie in a pack, sorted; they are not read."""
    folder = pack.location / SPLITS_NAME
    if not folder.is_dir():
        return []
    return sorted(path.stem for path in folder.iterdir() if path.suffix == _SUFFIX)


def _file(pack: Pack, name: str) -> Path:
    return pack.location / SPLITS_NAME / f"{name}{_SUFFIX}"


class _Reading:
    """The checks of one file."""

    def __init__(self, pack: Pack, path: Path) -> None:
        self._pack = pack
        self._path = path

    def split(self, data: bytes) -> Split:
        table = self._table(data)
        facts = self._facts(table.schema.metadata or {})
        folds = self._natural(facts, "folds")
        val = self._val(facts)
        if folds < 1 or (val is not None and folds != 1):
            raise self._refuse(f"'folds' is {folds}")
        self._check_pack(facts, table.num_rows)
        return Split(
            pack=self._pack,
            fold_of=self._fold_of(table, folds),
            folds=folds,
            val=val,
            seed=self._natural(facts, "seed"),
            group=self._get(facts, "group"),
        )

    def _table(self, data: bytes) -> pa.Table:
        try:
            table = pa.ipc.open_file(pa.py_buffer(data)).read_all()
            table.validate(full=True)
        except (pa.ArrowException, OSError) as error:
            raise self._refuse(f"not an Arrow file ({error})") from error
        return table

    def _facts(self, metadata: dict[bytes, bytes]) -> dict[str, str]:
        facts = {os.fsdecode(key): os.fsdecode(value) for key, value in metadata.items()}
        if facts.get("format") != _FORMAT:
            raise self._refuse(f"not a split (its format is not {_FORMAT!r})")
        version = self._get(facts, "version")
        if version.partition(".")[0] != str(_VERSION[0]):
            raise PackError(
                f"{self._path}: the split has format version {version}, this fastload reads "
                f"{_VERSION[0]}.x. Upgrade fastload, or make the split again."
            )
        return facts

    def _get(self, facts: dict[str, str], key: str) -> str:
        if key not in facts:
            raise self._refuse(f"{key!r} is missing")
        return facts[key]

    def _natural(self, facts: dict[str, str], key: str) -> int:
        value = self._get(facts, key)
        if not re.fullmatch("[0-9]{1,20}", value):
            raise self._refuse(f"{key!r} is {value!r:.80}, expected a natural number")
        return int(value)

    def _val(self, facts: dict[str, str]) -> float | None:
        if "val" not in facts:
            return None
        try:
            val = float(facts["val"])
        except ValueError:
            val = 0.0
        if not 0 < val < 1:
            raise self._refuse(f"'val' is {facts['val']!r:.80}, expected a share")
        return val

    def _check_pack(self, facts: dict[str, str], rows: int) -> None:
        records = len(self._pack)
        if self._get(facts, "index_sha256") != self._pack.manifest.index.sha256:
            now = f"{records:,} now" if rows != records else "others now"
            raise PackError(
                f"{self._path} was made for other records ({rows:,} then, {now}): images were "
                "added to the pack, or the file is another pack's. Run `fastload split` again, "
                "with --force to replace it."
            )
        if rows != records:
            raise self._refuse(f"{rows} rows for {records} records")

    def _fold_of(self, table: pa.Table, folds: int) -> NDArray[np.int16]:
        number = table.schema.get_field_index(_COLUMN.name)
        if number < 0 or table.schema.field(number).type != _COLUMN.type:
            raise self._refuse(f"no column {_COLUMN.name!r} of type {_COLUMN.type}")
        column = table.column(number)
        if column.null_count:
            raise self._refuse(f"column {_COLUMN.name!r} has nulls")
        fold_of: NDArray[Any] = column.to_numpy()
        wrong = np.flatnonzero((fold_of < -1) | (fold_of >= folds))
        if len(wrong):
            raise self._refuse(f"record {wrong[0]} is in fold {fold_of[wrong[0]]} of {folds}")
        return fold_of

    def _refuse(self, reason: str) -> PackError:
        return PackError(
            f"{self._path}: {reason}. The split is damaged: remove the file and run "
            "`fastload split` again."
        )
