"""The page of a pack: facts in a template, pictures and lists as data for its script."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from fastload.pages import render
from fastload.presets import PRESETS
from fastload.survey.chosen import chosen_of_classes, fair_share, prefix_within
from fastload.words import name_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from fastload.dataset import ImageFolder
    from fastload.survey.facts import Asked, Facts
    from fastload.survey.model import ModelSample
    from fastload.survey.thumbnails import Thumbnails

__all__ = ["SIDE", "page_of", "samples_json", "sheet_counts"]

SIDE = 120
"""Pixels of a thumbnail's longer side."""

_MOST = 1000
# Where there are so many classes that each shows but a few, smaller ones show more.
_SMALL_SIDE, _MOST_SMALL, _FEW = 80, 2000, 8
_SOURCE_SIDE = 240
# Together with names and numbers, less than the 5 MB that a page may have.
_SHEET_BYTES = 3_200_000
_COPY_BYTES = 500_000
# What is to be seen of a class before it is opened, and of all of them where they are served.
_STRIP, _MOST_SERVED = 6, 12_000
_ROWS = 500
# Classes of the table of draws, at each end.
_HEAD = 20


def page_of(asked: Asked, facts: Facts, thumbnails: Thumbnails, *, served: bool = False) -> str:
    """The page.

    Args:
        asked: what the user wants to see.
        facts: of it.
        thumbnails: makes them.
        served: whether thumbnails are asked of the server that gives the page; otherwise as many
            are in it as there is room for.
    """
    pictures = _Pictures(asked.dataset, thumbnails, served)
    counts = sheet_counts(asked.dataset)
    sheets = pictures.of_classes(counts)
    groups = pictures.of_groups(facts)
    sources = pictures.of_batch([] if facts.batch is None else facts.batch.samples)
    data = {
        "served": served,
        "classes": [
            [name, int(count), sheet.tolist()]
            for name, count, sheet in zip(
                facts.summary.classes or ["all images"],
                counts.tolist(),
                sheets,
                strict=True,
            )
        ],
        "images": pictures.images,
        "pictures": pictures.others,
        "points": facts.resolutions.points,
        "common": facts.resolutions.common,
    }
    return render(
        "fastload.survey",
        "view.html",
        title=facts.summary.name,
        subtitle=facts.summary.head(),
        sections=_sections(facts),
        connect="'self'" if served else "'none'",
        images="'self' data:" if served else "data:",
        data=Markup(inert_json(data)),  # noqa: S704 - nothing in it can end the block
        asked=asked,
        facts=facts,
        groups=groups,
        images_of=pictures.images,
        records={one: asked.dataset.record(one) for group in groups for one in group.samples},
        sources=sources,
        transform=PRESETS.get(asked.transform, ""),
        modes=_mode_rows(facts),
        rejected=facts.rejected[:_ROWS],
        damaged=_damaged(asked.dataset, thumbnails),
    )


def inert_json(value: Any) -> str:
    r"""JSON that can stand in a script block: no text of it can end the block.

    >>> inert_json({"</script>": "&"})
    '{"\\u003c/script\\u003e":"\\u0026"}'
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def samples_json(dataset: ImageFolder, samples: Iterable[int]) -> list[list[Any]]:
    """Number, path, width and height of samples, as the page's script takes them."""
    index = dataset.pack.index
    told = []
    for sample in samples:
        record = dataset.record(sample)
        path = name_words(index.path(record))
        told.append([sample, path, int(index.width[record]), int(index.height[record])])
    return told


class _Pictures:
    """The thumbnails that a page has room for.

    Attributes:
        images: path, width, height and base64 of a thumbnail (none where it is served) by sample.
        others: base64 of the pictures that belong to the batch, by name.
    """

    def __init__(self, dataset: ImageFolder, thumbnails: Thumbnails, served: bool) -> None:
        self._dataset = dataset
        self._thumbnails = thumbnails
        self._served = served
        self.images: dict[int, list[Any]] = {}
        self.others: dict[str, str] = {}

    def of_classes(self, counts: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """The samples of each class's sheet, those first that a strip shows."""
        if self._served:
            most = min(_STRIP * len(counts), _MOST_SERVED)
            sheets = [sheet[:_STRIP] for sheet in chosen_of_classes(counts, most)]
            self._note(np.concatenate([*sheets, np.empty(0, np.int64)]), {})
            return sheets
        few = fair_share(counts, _MOST) < min(_FEW, counts.max(initial=0))
        side, most = (_SMALL_SIDE, _MOST_SMALL) if few else (SIDE, _MOST)
        sheets = chosen_of_classes(counts, most)
        made = self._thumbnails.of(np.concatenate([*sheets, np.empty(0, np.int64)]), side)
        sheets = [np.array([one for one in sheet if one in made], np.int64) for sheet in sheets]
        sizes = [[_encoded_size(made[one]) for one in sheet.tolist()] for sheet in sheets]
        kept = [
            sheet[:shown]
            for sheet, shown in zip(sheets, prefix_within(sizes, _SHEET_BYTES), strict=True)
        ]
        self._note(np.concatenate([*kept, np.empty(0, np.int64)]), made)
        return kept

    def of_groups(self, facts: Facts) -> list[Any]:
        """The groups of copies that there is room for."""
        groups = [] if facts.copies is None else facts.copies.shown
        wanted = [one for group in groups for one in group.samples if one not in self.images]
        made = {} if self._served else self._thumbnails.of(np.array(wanted, np.int64), SIDE)
        left, shown = _COPY_BYTES, list[Any]()
        for group in groups:
            left -= sum(_encoded_size(made.get(one, b"")) for one in group.samples)
            if left < 0:
                break
            shown.append(group)
        kept = [one for group in shown for one in group.samples if one not in self.images]
        self._note(np.array(kept, np.int64), made)
        return shown

    def of_batch(self, samples: Sequence[ModelSample]) -> list[str]:
        """Names of the pictures of a batch's images as they are stored."""
        numbers = np.unique(np.array([one.sample for one in samples], np.int64))
        for sample, jpeg in self._thumbnails.of(numbers, _SOURCE_SIDE).items():
            self.others[f"s{sample}"] = _encoded(jpeg)
        for place, one in enumerate(samples):
            if one.picture is not None:
                self.others[f"m{place}"] = _encoded(one.picture)
        for told in samples_json(self._dataset, numbers.tolist()):
            self.images.setdefault(told[0], [*told[1:], None])
        return [f"s{one.sample}" for one in samples]

    def _note(self, samples: NDArray[np.int64], made: dict[int, bytes]) -> None:
        for sample, *told in samples_json(self._dataset, samples.tolist()):
            jpeg = made.get(sample)
            self.images[sample] = [*told, None if jpeg is None else _encoded(jpeg)]


def _encoded(jpeg: bytes) -> str:
    return base64.b64encode(jpeg).decode()


def _encoded_size(jpeg: bytes) -> int:
    return -(-len(jpeg) // 3) * 4


def sheet_counts(dataset: ImageFolder) -> NDArray[np.int64]:
    """Images of each class; of images without classes, all of them are one."""
    counts = dataset.class_counts
    return counts if len(dataset.classes) else np.array([len(dataset)], np.int64)


def _sections(facts: Facts) -> dict[str, str]:
    there = {
        "classes": "Classes" if facts.summary.classes else "Images",
        "sizes": "Sizes" if facts.summary.images else "",
        "model": "As the model sees it" if facts.batch is not None else "",
        "draws": "Draws" if facts.modes else "",
        "copies": "Near-duplicates",
        "rejected": "Rejected files",
    }
    return {name: text for name, text in there.items() if text}


@dataclass(frozen=True)
class _ModeRow:
    """A class in the table of draws: mean draws, and repeats of an image, of each mode."""

    name: str
    images: int
    draws: list[float]
    repeats: list[float]


def _mode_rows(facts: Facts) -> list[_ModeRow]:
    order = np.argsort(-facts.summary.counts, kind="stable").tolist()
    if len(order) > 2 * _HEAD:
        order = [*order[:_HEAD], *order[-_HEAD:]]
    return [
        _ModeRow(
            facts.summary.classes[label],
            int(facts.summary.counts[label]),
            [float(mode.draws[label]) for mode in facts.modes],
            [float(mode.repeats[label]) for mode in facts.modes],
        )
        for label in (order if facts.modes else [])
    ]


def _damaged(dataset: ImageFolder, thumbnails: Thumbnails) -> list[tuple[str, str]]:
    """Path and reason of what could not be decoded."""
    index = dataset.pack.index
    found = sorted(thumbnails.damaged.items())
    return [
        (index.path(dataset.record(sample)), str(getattr(error, "reason", error)))
        for sample, error in found
    ]
