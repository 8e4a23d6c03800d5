"""Splits on disk: written whole, read by another reader, checked before they are used."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import fastload
from fastload.errors import PackError
from fastload.store import Split, durable, open_pack, open_split, split_names
from tests.plain_reader import read_split
from tests.store.damage import rewrite_column


@pytest.fixture
def pack(small_pack: Path, tmp_path: Path) -> Path:
    """A pack of 22 records that may be changed."""
    shutil.copytree(small_pack, tmp_path / "copy.pack")
    return tmp_path / "copy.pack"


def saved(pack: Path, folds: int = 3, seed: int = 0) -> Path:
    return fastload.folds(pack, folds, group="none", seed=seed).save()


def test_what_is_saved_is_read(pack: Path) -> None:
    split = fastload.folds(pack, 3, group="none", seed=7)
    assert split.save() == pack / "splits/folds3.arrow"
    again = open_split(open_pack(pack), "folds3")
    assert np.array_equal(again.fold_of, split.fold_of)
    assert (again.folds, again.val, again.seed, again.group) == (3, None, 7, "none")
    assert again.words == "3 folds, groups none, seed 7"
    held = fastload.holdout(pack, 0.25, group=np.arange(22) // 2)
    assert held.save().name == "holdout25.arrow"
    again = open_split(open_pack(pack), "holdout25")
    assert (again.folds, again.val, again.group) == (1, 0.25, "given")
    assert split_names(open_pack(pack)) == ["folds3", "holdout25"]
    assert not list((pack / "splits").glob("*.tmp"))


@pytest.mark.parametrize("name", ["folds3", "holdout30"])
def test_another_reader_reads_the_same_parts(pack: Path, name: str) -> None:
    made = {"folds3": fastload.folds, "holdout30": fastload.holdout}[name]
    split: Split = made(pack, {"folds3": 3, "holdout30": 0.3}[name], group="none")
    split.save()
    index = split.pack.index
    for fold, parts in enumerate(read_split(pack, name)):
        for part, paths in zip(("train", "val"), parts, strict=True):
            places = split.part(fold, part)
            assert index.paths(index.listing[places]) == paths
            assert len(paths) > 0


def test_the_pack_stays_what_it_was(pack: Path) -> None:
    before = {path: path.read_bytes() for path in pack.rglob("*") if path.is_file()}
    saved(pack)
    assert all(path.read_bytes() == data for path, data in before.items())


def test_nothing_is_left_of_a_split_for_which_there_is_no_room(
    pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    split = fastload.folds(pack, 3, group="none")
    monkeypatch.setattr(durable, "publish", full)
    with pytest.raises(PackError, match=r"folds3.arrow cannot be written \(No space left"):
        split.save()
    assert not list((pack / "splits").iterdir())
    assert len(fastload.ImageFolder(pack, split=split, fold=0, part="val")) == 8


def test_another_split_is_replaced_only_when_asked(pack: Path) -> None:
    file = saved(pack)
    data = file.read_bytes()
    assert saved(pack) == file
    other = fastload.folds(pack, 3, group="none", seed=1)
    with pytest.raises(PackError, match=r"folds3\.arrow is there already .*--force"):
        other.save()
    assert file.read_bytes() == data
    assert other.save("other") == file.with_name("other.arrow")
    assert other.save(replace=True) == file
    assert file.read_bytes() != data


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "a b", "é"])
def test_names_that_are_no_files(pack: Path, name: str) -> None:
    with pytest.raises(ValueError, match="take letters, digits"):
        fastload.folds(pack, 2, group="none").save(name)
    with pytest.raises(PackError, match="has no split"):
        open_split(open_pack(pack), name)


def test_a_missing_split_tells_which_there_are(pack: Path) -> None:
    with pytest.raises(PackError, match=r"no split 'folds5', it has none. `fastload split`"):
        open_split(open_pack(pack), "folds5")
    saved(pack)
    with pytest.raises(PackError, match="no split 'folds5', it has folds3"):
        open_split(open_pack(pack), "folds5")


def test_a_split_of_other_records_is_refused(pack: Path) -> None:
    saved(pack)
    rewrite_column(pack, "crc32c", lambda values: values.__setitem__(0, values[0] ^ 1))
    with pytest.raises(PackError, match=r"other records \(22 then, others now\).*--force"):
        open_split(open_pack(pack), "folds3")
    saved_again = fastload.folds(pack, 3, group="none").save("again")
    assert open_split(open_pack(pack), saved_again.stem).folds == 3


def test_a_split_made_before_images_were_added_is_refused(
    label_folder: Path, pack: Path, tmp_path: Path
) -> None:
    split = saved(pack)
    shutil.copytree(label_folder, tmp_path / "more")
    shutil.copy(tmp_path / "more/ant/000.jpg", tmp_path / "more/ant/new.jpg")
    larger = fastload.pack(tmp_path / "more").path
    shutil.copytree(split.parent, larger / "splits")
    with pytest.raises(PackError, match=r"\(22 then, 23 now\): images were added"):
        open_split(open_pack(larger), "folds3")


def rewrite(
    file: Path,
    facts: dict[str, str | None] | None = None,
    column: pa.Array | None = None,
    name: str = "fold",
) -> None:
    """Write the file again with other metadata or another column."""
    table = pa.ipc.open_file(file.read_bytes()).read_all()
    metadata = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    metadata.update(facts or {})
    kept = {key: value for key, value in metadata.items() if value is not None}
    array = table.column("fold").combine_chunks() if column is None else column
    changed = pa.table({name: array}).replace_schema_metadata(kept)
    with pa.ipc.new_file(file, changed.schema) as writer:
        writer.write_table(changed)


def folds_with(value: int) -> pa.Array:
    return pa.array([value] + [0] * 21, pa.int16())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda file: file.write_bytes(b""), "not an Arrow file"),
        (lambda file: file.write_bytes(file.read_bytes()[:-9]), "not an Arrow file"),
        (lambda file: rewrite(file, {"format": "other"}), "its format is not 'fastload-split'"),
        (lambda file: rewrite(file, {"format": None}), "its format is not"),
        (lambda file: rewrite(file, {"version": "2.0"}), r"format version 2\.0, .* Upgrade"),
        (lambda file: rewrite(file, {"version": None}), "'version' is missing"),
        (lambda file: rewrite(file, {"folds": "0"}), "'folds' is 0"),
        (lambda file: rewrite(file, {"folds": "-3"}), "'folds' is '-3'"),
        (lambda file: rewrite(file, {"folds": None}), "'folds' is missing"),
        (lambda file: rewrite(file, {"folds": "2"}), "record . is in fold 2 of 2"),
        (lambda file: rewrite(file, {"val": "0.2"}), "'folds' is 3"),
        (lambda file: rewrite(file, {"val": "nan", "folds": "1"}), "'val' is 'nan'"),
        (lambda file: rewrite(file, {"val": "x", "folds": "1"}), "'val' is 'x'"),
        (lambda file: rewrite(file, {"seed": "x"}), "'seed' is 'x'"),
        (lambda file: rewrite(file, {"group": None}), "'group' is missing"),
        (lambda file: rewrite(file, {"index_sha256": None}), "'index_sha256' is missing"),
        (lambda file: rewrite(file, column=folds_with(3)), "record 0 is in fold 3 of 3"),
        (lambda file: rewrite(file, column=folds_with(-2)), "record 0 is in fold -2 of 3"),
        (lambda file: rewrite(file, column=folds_with(0)[1:]), "21 rows for 22 records"),
        (lambda file: rewrite(file, column=folds_with(0), name="part"), "no column 'fold'"),
        (lambda file: rewrite(file, column=folds_with(0).cast(pa.int8())), "of type int16"),
        (lambda file: rewrite(file, column=pa.array([None] * 22, pa.int16())), "has nulls"),
    ],
)
def test_damaged_splits_are_refused(
    pack: Path, change: Callable[[Path], object], words: str
) -> None:
    file = saved(pack)
    change(file)
    with pytest.raises(PackError, match=words) as caught:
        open_split(open_pack(pack), "folds3")
    assert str(file) in str(caught.value)


def test_newer_minor_versions_are_read(pack: Path) -> None:
    file = saved(pack)
    rewrite(file, {"version": "1.9", "more": "facts"})
    assert open_split(open_pack(pack), "folds3").folds == 3


def test_parts(pack: Path) -> None:
    split = fastload.folds(pack, 3, group="none")
    everything = np.arange(22)
    validated = [split.part(fold, "val") for fold in range(3)]
    assert sorted(np.concatenate(validated).tolist()) == everything.tolist()
    for fold, places in enumerate(validated):
        train = split.part(fold, "train")
        assert train.dtype == np.int64 and (np.diff(train) > 0).all()
        assert np.array_equal(train, np.setdiff1d(everything, places))
    with pytest.raises(ValueError, match="part is 'test': choose 'train' or 'val'"):
        split.part(0, "test")
    for fold in (None, 3, -1, 0.5):
        with pytest.raises(ValueError, match=r"fold is .*: this split \(3 folds.* has 0 to 2"):
            split.part(fold, "val")
    held = fastload.holdout(pack, 0.25, group="none")
    assert np.array_equal(held.part(None, "val"), held.part(0, "val"))
    with pytest.raises(ValueError, match="0 alone, a hold-out"):
        held.part(1, "val")


def test_arguments_out_of_range(pack: Path) -> None:
    for folds in (1, 0, -5, 1001, 2.5, "5"):
        with pytest.raises(ValueError, match=r"folds is .*: it takes an integer, 2 to 1000"):
            fastload.folds(pack, folds, group="none")
    for val in (0, 1, 1.5, -0.1, float("nan"), "a fifth"):
        with pytest.raises(ValueError, match=r"val is .*: it takes a share"):
            fastload.holdout(pack, val, group="none")
    for seed in (-1, 2**64, 0.5):
        with pytest.raises(ValueError, match="seed is "):
            fastload.folds(pack, group="none", seed=seed)
    for group in (np.zeros(21, np.int64), np.zeros(22), [[0] * 22]):
        with pytest.raises(ValueError, match="integers, one for each of the 22 records"):
            fastload.folds(pack, group=group)


def test_too_few_groups(pack: Path) -> None:
    with pytest.raises(fastload.FastloadError, match=r"\(2\) than there are parts \(5\)"):
        fastload.folds(pack, 5, group=np.arange(22) % 2)
    by_class = open_pack(pack).index.label.astype(np.int64)
    with pytest.raises(fastload.FastloadError, match="one group of each class"):
        fastload.holdout(pack, 0.5, group=by_class)
