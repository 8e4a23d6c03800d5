from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import fastload
from tests.train_ref.report.conftest import CLASSES, paths_of, write_pictures
from tests.train_ref.report.run_folders import Recipe, made_run
from train_ref.report import read_run
from train_ref.report.shared_images import pictures_on_both_sides, shared_images


def test_a_mirrored_copy_on_the_other_side_is_found(walls: Path, tmp_path: Path) -> None:
    paths = paths_of(walls)
    pair = {paths.index("훼손/<b>000.png"), paths.index("훼손/copy.png")}
    seen = []
    for fold in range(3):
        found = shared_images(
            read_run(made_run(tmp_path / f"{fold}", Recipe(walls, "apart", fold)))
        )
        assert found is not None
        assert all({*one} == pair for one in zip(found.validation, found.training, strict=True))
        seen += found.validation.tolist()
    assert sorted(seen) == sorted(pair)


def test_a_split_of_groups_shares_nothing(walls: Path, tmp_path: Path) -> None:
    for fold in range(3):
        run = read_run(made_run(tmp_path / f"{fold}", Recipe(walls, "together", fold)))
        found = shared_images(run)
        assert found is not None and len(found.validation) == 0


def test_a_pack_of_its_own_to_validate_with(walls: Path, tmp_path: Path) -> None:
    root = write_pictures(tmp_path / "other", CLASSES, seed=9)
    first = next(walls.parent.joinpath("walls").glob("훼손/*005.png"))
    with Image.open(first) as image:
        darker = image.transpose(Image.Transpose.ROTATE_90).point(lambda level: 0.8 * level)
        darker.save(root / "걸레받이수정" / "again.jpg", quality=60)
    other = fastload.pack(root, workers=2).path
    run = read_run(made_run(tmp_path / "run", Recipe(walls, val_data=other)))
    found = shared_images(run)
    assert found is not None
    assert [paths_of(other)[one] for one in found.validation] == ["걸레받이수정/again.jpg"]
    assert [paths_of(walls)[one] for one in found.training] == ["훼손/<b>005.png"]


def test_without_validation_there_is_nothing_to_look_for(walls: Path, tmp_path: Path) -> None:
    folder = made_run(tmp_path / "run", Recipe(walls, "apart", 0))
    folder.logits.unlink()
    assert shared_images(read_run(folder)) is None


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from("tv-")), min_size=1, max_size=30))
def test_groups_on_both_sides(records: list[tuple[int, str]]) -> None:
    sides = {
        side: np.array([one for one, (_, there) in enumerate(records) if there == side], np.int64)
        for side in "tv"
    }
    # As near_duplicate_groups has it: a group's number is its lowest record.
    kinds = [kind for kind, _ in records]
    groups = np.array([kinds.index(kind) for kind in kinds])
    found = pictures_on_both_sides(groups, sides["t"], sides["v"])
    pairs = {
        one: min(other for other in sides["t"].tolist() if groups[other] == groups[one])
        for one in sides["v"].tolist()
        if (groups[sides["t"]] == groups[one]).any()
    }
    assert dict(zip(found.validation.tolist(), found.training.tolist(), strict=True)) == pairs
