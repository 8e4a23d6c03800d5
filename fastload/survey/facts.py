"""Everything that a page tells of a pack, gathered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fastload.errors import FastloadError
from fastload.pack.rejected import read_rejected
from fastload.summary import Summary, summary_of
from fastload.survey.copies import Copies, copies_of
from fastload.survey.draws import MODES, ModeDraws, draws_of_modes
from fastload.survey.model import ModelBatch, batch_of, sampler_of
from fastload.survey.sizes import Resolutions, resolutions_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastload.augment import Pipeline
    from fastload.dataset import ImageFolder

__all__ = ["Asked", "Facts", "facts_of"]

_BATCH = 16
_GROUPS, _OF_GROUP = 60, 6


@dataclass(frozen=True)
class Asked:
    """What the user wants to see of a data set.

    Attributes:
        dataset: the samples.
        pipeline: of the transform.
        transform: its name.
        balance, seed: of the loader.
        threads: that work.
    """

    dataset: ImageFolder
    pipeline: Pipeline
    transform: str
    balance: str
    seed: int
    threads: int


@dataclass(frozen=True)
class Facts:
    """What there is to tell, but for thumbnails.

    Attributes:
        rejected: (path, reason) of the files of the source that are not in the pack.
        copies: None where even the bytes could not be compared.
        batch: None where there are no images.
        modes: none where there is nothing to balance.
        faults: what could not be told, and why.
    """

    summary: Summary
    resolutions: Resolutions
    rejected: list[tuple[str, str]]
    copies: Copies | None
    batch: ModelBatch | None
    modes: list[ModeDraws]
    faults: list[str]


def facts_of(asked: Asked, progress: Callable[[int, int], None] | None = None) -> Facts:
    """Gather them.

    What a damaged pack cannot tell becomes one of the faults, and the rest is told.

    Args:
        asked: of what.
        progress: called while images are compared.

    Raises:
        PackError: the index is damaged.
        ValueError: there is no such balance.
    """
    dataset, faults = asked.dataset, list[str]()
    summary = summary_of(dataset)
    try:
        rejected = read_rejected(dataset.pack.location, dataset.pack.manifest.source)
    except (FastloadError, FileNotFoundError) as error:
        rejected = []
        faults.append(str(error))
    # A balance that is not there is said before minutes of comparing.
    modes, batch = _modes(asked, summary), _batch(asked, faults)
    copies = _copies(asked, faults, progress)
    return Facts(summary, resolutions_of(dataset), rejected, copies, batch, modes, faults)


def _copies(
    asked: Asked, faults: list[str], progress: Callable[[int, int], None] | None
) -> Copies | None:
    try:
        copies = copies_of(
            asked.dataset,
            most_groups=_GROUPS,
            most_of_group=_OF_GROUP,
            workers=asked.threads,
            progress=progress,
        )
    except FastloadError as error:
        faults.append(f"Copies were not looked for. {error}")
        return None
    if copies.fault:
        faults.append(f"Copies were only looked for among equal bytes. {copies.fault}")
    return copies


def _batch(asked: Asked, faults: list[str]) -> ModelBatch | None:
    if not len(asked.dataset):
        return None
    # A balance that is not there is the user's mistake; all else is told on the page.
    sampler_of(asked.dataset, asked.balance, asked.seed)
    try:
        batch = batch_of(
            asked.dataset,
            asked.pipeline,
            count=_BATCH,
            balance=asked.balance,
            seed=asked.seed,
            threads=asked.threads,
        )
    except Exception as error:  # noqa: BLE001 (a transform of the user's may raise anything)
        faults.append(f"No batch could be made: {type(error).__name__}: {error}")
        return None
    faults.extend(batch.failures)
    return batch


def _modes(asked: Asked, summary: Summary) -> list[ModeDraws]:
    if not np.any(summary.counts):
        return []
    modes = MODES if asked.balance in MODES else (*MODES, asked.balance)
    return draws_of_modes(summary.counts, summary.classes, modes)
