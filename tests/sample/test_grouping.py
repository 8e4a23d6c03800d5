"""What is kept together: rules over paths and over tables of the user's."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

import fastload
from fastload.errors import FastloadError
from fastload.sample.grouping import grouping_of
from fastload.store import Pack, open_pack
from tests.pack.image_files import photo, saved


@pytest.fixture(scope="module")
def patients(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    """Two classes; patients 1 to 3 have two images in each, one of them in a folder of her own."""
    root = tmp_path_factory.mktemp("patients") / os.fsdecode(b"scans\xe9")
    for label in ("benign", "malign"):
        for patient in range(1, 4):
            for number in range(2):
                file = (
                    root
                    / label
                    / f"p{patient}"
                    / os.fsdecode(b"p%d_%d\xe9.png" % (patient, number))
                )
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(saved(photo(3, 3, patient), "PNG"))
    return open_pack(fastload.pack(root).path)


def grouped(pack: Pack, rule: str) -> set[frozenset[str]]:
    """The paths of each group."""
    of_record = grouping_of(pack, rule).of_record
    assert of_record.shape == (len(pack),) and of_record.dtype == np.int64
    return {
        frozenset(pack.index.paths(np.flatnonzero(of_record == group)))
        for group in np.unique(of_record)
    }


def of_patients(pack: Pack) -> set[frozenset[str]]:
    paths = pack.index.paths(range(len(pack)))
    return {frozenset(path for path in paths if f"/p{p}/" in path) for p in range(1, 4)}


def write_rows(file: Path, rows: Iterable[tuple[str, str]], header: str = "path,patient") -> Path:
    lines = [header, *(f'"{path}",{patient}' for path, patient in rows)]
    file.write_bytes(b"\xef\xbb\xbf" + os.fsencode("\r\n".join([*lines, ""])))
    return file


def rows_of(pack: Pack) -> list[tuple[str, str]]:
    return [(path, path.split("/")[1]) for path in pack.index.paths(range(len(pack)))]


def test_no_groups(patients: Pack) -> None:
    assert all(len(group) == 1 for group in grouped(patients, "none"))


def test_patterns(patients: Pack) -> None:
    assert grouped(patients, r"path:^[^/]+/(.+)/") == of_patients(patients)
    assert grouped(patients, r"path:p\d") == of_patients(patients)
    assert len(grouped(patients, r"path:^(\w+)/")) == 2


def test_a_column_of_a_table(patients: Pack, tmp_path: Path) -> None:
    extra = ("benign/other.png", "p9")
    file = write_rows(tmp_path / "a:b.csv", [extra, *rows_of(patients), rows_of(patients)[0]])
    assert grouped(patients, f"{file}:patient") == of_patients(patients)
    assert grouping_of(patients, f"{file}:patient").rule == "a:b.csv:patient"


def test_images_without_a_value_are_named(patients: Pack, tmp_path: Path) -> None:
    rows = rows_of(patients)
    file = write_rows(tmp_path / "few.csv", [(rows[0][0], ""), *rows[5:]])
    with pytest.raises(FastloadError, match=r"has no patient for 5 of 12 images \(") as caught:
        grouping_of(patients, f"{file}:patient")
    assert all(path in str(caught.value) for path, _ in rows[:3])
    assert "and 2 more" in str(caught.value)
    with pytest.raises(FastloadError, match=r"is not found in 8 of 12 images"):
        grouping_of(patients, "path:p3")


def test_tables_that_contradict_themselves(patients: Pack, tmp_path: Path) -> None:
    path, _ = rows_of(patients)[0]
    file = write_rows(tmp_path / "two.csv", [*rows_of(patients), (path, "other")])
    with pytest.raises(FastloadError, match=r"row 14: .* is in the groups p\d and other"):
        grouping_of(patients, f"{file}:patient")
    file.write_text("path,patient\nbenign/x.png\n")
    with pytest.raises(FastloadError, match="row 2: 1 columns instead of 2"):
        grouping_of(patients, f"{file}:patient")
    for header in ("file,patient", "path,scan"):
        file = write_rows(tmp_path / "names.csv", rows_of(patients), header)
        with pytest.raises(FastloadError, match="it needs path and patient"):
            grouping_of(patients, f"{file}:patient")
    file.write_text("")
    with pytest.raises(FastloadError, match=r"has the columns \(none\)"):
        grouping_of(patients, f"{file}:patient")


def test_rules_that_are_none(patients: Pack) -> None:
    for rule in ("patient", "near-dupes", ":patient", "scans.csv:"):
        with pytest.raises(ValueError, match="choose near-duplicates, none"):
            grouping_of(patients, rule)
    with pytest.raises(ValueError, match="not a regular expression"):
        grouping_of(patients, "path:(")
    with pytest.raises(FileNotFoundError):
        grouping_of(patients, "nowhere.csv:patient")
