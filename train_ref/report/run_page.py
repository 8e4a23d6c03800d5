"""The page of one run."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import fastload
from train_ref.config import Config, flag_of
from train_ref.report.calibration import calibration_of
from train_ref.report.confusion import matrix_of, most_mixed_up
from train_ref.report.curves import best_epoch, curves_of, reliability, size_against_f1, speed
from train_ref.report.mistakes import worst_mistakes
from train_ref.report.pictures import PackPictures, data_uri
from train_ref.report.read_run import Answers, Run
from train_ref.report.remarks import Remark, remarks_on, remarks_on_shared
from train_ref.report.render import render
from train_ref.report.shared_images import Shared, shared_images
from train_ref.report.tables import class_rows, group_rows, tiles_of
from train_ref.report.words import METRICS, count_words
from train_ref.run_folder import write_whole

__all__ = ["write_report"]

# Whole rows of thumbnails on a telephone and on a desk.
_MISTAKES = 42
_SEEN = 44
_PAIRS = 12

_SECTIONS = {
    "shared": "On both sides",
    "curves": "Learning",
    "classes": "Classes",
    "confusion": "Confusion",
    "mistakes": "Mistakes",
    "calibration": "Calibration",
    "seen": "Augmentation",
    "time": "Time",
    "settings": "Settings",
    "origin": "Origin",
}


@dataclass(frozen=True)
class Setting:
    """A setting as it was.

    Attributes:
        name: its flag.
        value: in words.
        changed: whether it is another than the default.
    """

    name: str
    value: str
    changed: bool


@dataclass(frozen=True)
class Thumbnail:
    """A small image and where it comes from; `uri` is "" where it cannot be read."""

    uri: str
    path: str


@dataclass(frozen=True)
class Mistake(Thumbnail):
    """A wrong answer.

    Attributes:
        answer, answer_share: what the model says, and how probable that is to it.
        true, true_share: likewise of the truth.
    """

    answer: str
    answer_share: float
    true: str
    true_share: float


@dataclass(frozen=True)
class Time:
    """Where a run's time went: seconds in all, epochs, images a second, share of waiting."""

    seconds: float
    epochs: int
    speed: float
    wait: float


def write_report(run: Run) -> Path:
    """Write a run's page into its folder.

    Where the pack is no longer there, the page says so and has no thumbnails of it.

    Returns:
        The page.
    """
    context: dict[str, Any] = {
        "run": run,
        "title": run.name,
        "subtitle": _subtitle(run),
        "tiles": [],
        "curves": curves_of(run),
        "curve_words": _curve_words(run),
        "classes": [],
        "matrix": None,
        "mistakes": [],
        "calibration": None,
        "shared_pairs": [],
        "seen": _seen(run),
        "time": _time(run),
        "speed": speed(run),
        "settings": list(_settings(run.config)),
        "facts": list(_facts(run)),
        "command": _command(run),
        "remarks": remarks_on(run, None),
    }
    if run.answers is not None:
        context |= _validated(run, run.answers)
    there = {"shared": context["shared_pairs"], "confusion": context["matrix"], "origin": True}
    context["sections"] = [
        (name, text)
        for name, text in _SECTIONS.items()
        if (there[name] if name in there else context[name])
    ]
    write_whole(run.folder.report, render("report.html", **context))
    return run.folder.report


def _validated(run: Run, answers: Answers) -> dict[str, Any]:
    scores = answers.scores
    calibration = calibration_of(answers.probabilities, answers.labels)
    pictures, missing = _pictures(run)
    shared, pairs, told = _shared(run, len(answers.labels), pictures)
    remarks = [told, *remarks_on(run, calibration), missing]
    return {
        "tiles": tiles_of(scores, run.config.metric),
        "remarks": [one for one in remarks if one],
        "shared": shared,
        "shared_pairs": pairs,
        "classes": class_rows(scores, run.classes, run.counts),
        "groups": group_rows(scores),
        "size_picture": size_against_f1(run.counts, scores.f1, scores.support),
        "matrix": matrix_of(scores.confusion, run.classes, run.counts),
        "mixups": most_mixed_up(scores.confusion, run.classes),
        "mistakes": _mistakes(run, answers, pictures),
        "wrong": int(len(answers.labels) - scores.confusion.diagonal().sum()),
        "calibration": calibration,
        "reliability": reliability(calibration),
    }


def _pictures(run: Run) -> tuple[PackPictures | None, Remark | None]:
    try:
        return PackPictures(str(run.facts.get("val_data") or run.facts["data"])), None
    except (fastload.FastloadError, OSError, KeyError) as error:
        return None, Remark("Images cannot be shown", f"{error}")


def _shared(
    run: Run, images: int, pictures: PackPictures | None
) -> tuple[Shared | None, list[tuple[Thumbnail, Thumbnail]], Remark | None]:
    try:
        shared = shared_images(run)
        if shared is None:
            return None, [], None
        told = remarks_on_shared(shared, images)
        if told is None or pictures is None:
            return shared, [], told
        training = PackPictures(str(run.facts["data"]))
    except (fastload.FastloadError, OSError, KeyError, ValueError) as error:
        unknown = "It is not known whether validation images look like training images"
        return None, [], Remark(unknown, f"{error}")
    chosen = slice(0, _PAIRS)
    left = _thumbnails(pictures, shared.validation[chosen])
    right = _thumbnails(training, shared.training[chosen])
    return shared, list(zip(left, right, strict=True)), told


def _thumbnails(pictures: PackPictures, records: Any) -> list[Thumbnail]:
    paths = pictures.paths(records)
    return [
        Thumbnail(_uri(pictures, record), path)
        for record, path in zip(records.tolist(), paths, strict=True)
    ]


def _uri(pictures: PackPictures | None, record: int) -> str:
    if pictures is None or not 0 <= record < len(pictures):
        return ""
    try:
        return pictures.uri(record)
    except fastload.FastloadError:
        return ""  # one damaged image is no reason to show none of what was learnt


def _mistakes(run: Run, answers: Answers, pictures: PackPictures | None) -> list[Mistake]:
    found = []
    for row in worst_mistakes(answers.probabilities, answers.labels, _MISTAKES).tolist():
        shares, true = answers.probabilities[row], int(answers.labels[row])
        answer = int(shares.argmax())
        found.append(
            Mistake(
                uri=_uri(pictures, int(answers.records[row])),
                path=answers.paths[row],
                answer=run.classes[answer],
                answer_share=float(shares[answer]),
                true=run.classes[true],
                true_share=float(shares[true]),
            )
        )
    return found


def _seen(run: Run) -> list[dict[str, str]]:
    if run.seen is None:
        return []
    return [
        {"uri": data_uri(Image.fromarray(image)), "name": _class_name(run, int(label))}
        for image, label in zip(run.seen.images[:_SEEN], run.seen.labels[:_SEEN], strict=True)
    ]


def _class_name(run: Run, label: int) -> str:
    return run.classes[label] if 0 <= label < len(run.classes) else ""


def _time(run: Run) -> Time | None:
    figures = [
        (float(one["seconds"]), float(one["images_per_second"]), float(one["data_wait"]))
        for one in run.epochs
        if None not in (one.get("seconds"), one.get("images_per_second"), one.get("data_wait"))
    ]
    if not figures:
        return None
    seconds, speeds, waits = np.array(figures).T
    spent = float(seconds.sum())
    share = seconds / spent if spent else np.full(len(seconds), 1 / len(seconds))
    return Time(spent, len(figures), float(speeds @ share), float(waits @ share))


def _subtitle(run: Run) -> list[str]:
    facts, config = run.facts, run.config
    words = [str(facts.get("model") or config.model)]
    if facts.get("parameters"):
        words.append(f"{count_words(int(facts['parameters']))} parameters")
    words.append(Path(str(facts.get("data") or config.data)).name)
    if facts.get("fold") is not None:
        words.append(f"fold {facts['fold']}" + (f" of {config.folds}" if config.folds else ""))
    validated = 0 if run.answers is None else len(run.answers.labels)
    words.append(f"{int(run.counts.sum()):,} training and {validated:,} validation images")
    words.append(f"{len(run.classes):,} classes")
    return words


def _curve_words(run: Run) -> str:
    best = best_epoch(run.epochs, run.config.metric)
    if best is None:
        return f"{len(run.epochs)} epochs."
    return (
        f"The best of {len(run.epochs)} epochs by {METRICS[run.config.metric]} was epoch "
        f"{best}, the dotted line."
    )


def _settings(config: Config) -> Iterator[Setting]:
    plain = Config()
    for one in fields(config):
        value = getattr(config, one.name)
        yield Setting(flag_of(one.name), _words(value), value != getattr(plain, one.name))


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value == "":
        return "–"
    if isinstance(value, (tuple, list)):
        return ", ".join(map(str, value)) or "–"
    return str(value)


def _facts(run: Run) -> Iterator[tuple[str, str]]:
    facts = run.facts
    titles = {
        "origin": "weights",
        "device": "device",
        "data": "pack",
        "fingerprint": "its fingerprint",
        "val_data": "validation pack",
        "split": "split",
        "fold": "fold",
        "seed": "seed",
    }
    for key, title in titles.items():
        if facts.get(key) not in (None, ""):
            yield title, _words(facts[key])
    if run.config.two_stage != "none" and run.final:
        kept = run.final.get("two_stage") == run.config.two_stage
        yield "second stage", "kept" if kept else "not better, and not kept"
    for name, version in dict(facts.get("versions") or {}).items():
        yield name, str(version)


def _command(run: Run) -> str:
    command = run.facts.get("command") or []
    if command and str(command[0]).endswith("__main__.py"):
        command = ["python", "-m", "train_ref", *command[1:]]
    return shlex.join(map(str, command))
