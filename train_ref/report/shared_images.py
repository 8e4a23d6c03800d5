"""Whether a model was validated with pictures that it was trained with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

import fastload
from fastload.duplicates import near_duplicate_groups, near_duplicates_of
from train_ref.report.pictures import PackPictures
from train_ref.report.read_run import Run

__all__ = ["Shared", "pictures_on_both_sides", "shared_images"]

# Those of docs/duplicates.md.
_SIDE = 16
_CORRELATION = 0.975

Records = npt.NDArray[np.int64]
Small = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Shared:
    """Validation images that look like training images.

    Attributes:
        validation: int64, shape (n,): record ids, ascending, each once.
        training: int64, shape (n,): of each of these, one training image that looks like it.
    """

    validation: Records
    training: Records


def shared_images(run: Run) -> Shared | None:
    """Look for near-duplicates of the validation images among the training images.

    Args:
        run: one with validation images, whose packs are where they were.

    Returns:
        None where nothing was validated.

    Raises:
        fastload.FastloadError, FileNotFoundError, ValueError: a pack or split is not there.
    """
    if run.answers is None:
        return None
    pack, validation = str(run.facts["data"]), np.unique(run.answers.records)
    own = run.facts.get("val_data")
    if own and Path(own).resolve() != Path(pack).resolve():
        return _between_packs(PackPictures(pack), PackPictures(own), validation)
    training = _training_records(run, pack)
    return pictures_on_both_sides(_groups(pack), training, validation)


def pictures_on_both_sides(groups: Records, training: Records, validation: Records) -> Shared:
    """Find groups that are on both sides.

    Args:
        groups: shape (records,): equal for records that show the same.
        training: record ids.
        validation: record ids, ascending.

    Example:
        >>> groups = np.array([0, 1, 0, 3])
        >>> found = pictures_on_both_sides(groups, np.array([0, 1]), np.array([2, 3]))
        >>> found.validation, found.training
        (array([2]), array([0]))
    """
    first = np.full(len(groups), -1, np.int64)
    # Backwards, so that of several the lowest record stays.
    descending = np.sort(training)[::-1]
    first[groups[descending]] = descending
    like = first[groups[validation]]
    found = like >= 0
    return Shared(validation[found], like[found])


def _training_records(run: Run, pack: str) -> Records:
    split = run.facts.get("split")
    if not split:
        images = fastload.ImageFolder(pack)
    else:
        images = fastload.ImageFolder(pack, split=split, fold=run.facts.get("fold"), part="train")
    return images.records(np.arange(len(images), dtype=np.int64))


# The runs of all folds are of one pack, and to group a large one takes a while.
@lru_cache(maxsize=1)
def _groups(pack: str) -> Records:
    return near_duplicate_groups(fastload.ImageFolder(pack).pack)


def _between_packs(training: PackPictures, validation: PackPictures, records: Records) -> Shared:
    """As `fastload duplicates` in one pack: hashes name the candidates, small pictures decide."""
    pairs = near_duplicates_of(validation.hashes[records], training.hashes)
    of_validation, of_training = _SmallPictures(validation), _SmallPictures(training)
    like: dict[int, int] = {}
    for one, other in zip(records[pairs[:, 0]].tolist(), pairs[:, 1].tolist(), strict=True):
        if one not in like and _agree(of_validation[one], of_training[other]):
            like[one] = other
    return Shared(np.array([*like], np.int64), np.array([*like.values()], np.int64))


class _SmallPictures(dict[int, Small]):
    """Grey pictures by record, of mean 0 and length 1, made when they are first asked for."""

    def __init__(self, pictures: PackPictures) -> None:
        super().__init__()
        self._pictures = pictures

    def __missing__(self, record: int) -> Small:
        grey = (
            self._pictures.image(record).convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX)
        )
        levels = np.asarray(grey, np.float64)
        levels -= levels.mean()
        small = self[record] = levels / max(float(np.linalg.norm(levels)), 1e-9)
        return small


def _agree(one: Small, other: Small) -> bool:
    """Whether they correlate when one of them is mirrored or turned by quarters as fits."""
    turned = [np.rot90(form, turns) for form in (one, one[:, ::-1]) for turns in range(4)]
    return max(float((form * other).sum()) for form in turned) >= _CORRELATION
