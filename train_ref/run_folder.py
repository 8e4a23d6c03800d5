"""What a run leaves behind, and where.

config.yaml        all settings
run.json           versions, seed, class names and counts, pack fingerprints, origin of weights
metrics.jsonl      one JSON object a line, see :class:`MetricLog`
last.pt, best.pt   checkpoints
val.npz            the best checkpoint's logits on the validation images, see :func:`save_logits`
seen.npz           a batch of training images as the model saw them
report.html        what ``python -m train_ref report`` makes of all that
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from train_ref.errors import TrainError

__all__ = [
    "Logits",
    "MetricLog",
    "RunFolder",
    "load_logits",
    "save_logits",
    "write_whole",
    "written_whole",
]


@dataclass(frozen=True)
class RunFolder:
    """A run's files.

    Args:
        path: the folder; it is there.
    """

    path: Path

    @property
    def config(self) -> Path:
        """All settings, YAML."""
        return self.path / "config.yaml"

    @property
    def facts(self) -> Path:
        """What the run was made of, JSON."""
        return self.path / "run.json"

    @property
    def metrics(self) -> Path:
        """Its metric log, JSON lines."""
        return self.path / "metrics.jsonl"

    @property
    def last(self) -> Path:
        """The checkpoint to go on from."""
        return self.path / "last.pt"

    @property
    def best(self) -> Path:
        """The checkpoint of the best epoch, two-stage head and tau included."""
        return self.path / "best.pt"

    @property
    def logits(self) -> Path:
        """The best checkpoint's logits on the validation images."""
        return self.path / "val.npz"

    @property
    def seen(self) -> Path:
        """Training images as the model saw them: `images` uint8 (n, h, w, 3), `labels` (n,)."""
        return self.path / "seen.npz"

    @property
    def report(self) -> Path:
        """The page."""
        return self.path / "report.html"

    def read_facts(self) -> dict[str, Any]:
        """Read what the run was made of.

        Raises:
            TrainError: this is no run's folder.
        """
        try:
            facts = json.loads(self.facts.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise TrainError(f"{self.path} is no run's folder: {error}") from error
        if not isinstance(facts, dict):
            raise TrainError(f"{self.facts} is no JSON object.")
        return facts

    def write_facts(self, facts: Mapping[str, Any]) -> None:
        """Write what the run is made of."""
        text = json.dumps(facts, ensure_ascii=False, indent=1)
        write_whole(self.facts, text.encode())


class MetricLog:
    """A run's figures in the order in which they came, one JSON object a line.

    Each has `kind`: "step" (`step`, `epoch`, `loss`, `lr`, `grad_norm`), "epoch" (`epoch`, `step`,
    `train_loss`, `seconds`, `images_per_second`, `data_wait` as a share of the time, `resolution`
    and, under `val`, the scores of :mod:`train_ref.metrics` as plain numbers) or "final" (`scores`,
    `tau`, `scores_before`, `two_stage`).

    Args:
        path: the file; it need not be there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, **figures: Any) -> None:
        """Add a line."""
        line = json.dumps(figures, ensure_ascii=False, allow_nan=False)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Read all whole lines."""
        if not self._path.exists():
            return
        with self._path.open(encoding="utf-8") as file:
            for line in file:
                if line.endswith("\n"):
                    yield json.loads(line)

    def cut(self, step: int) -> None:
        """Forget what came behind a step: a run that goes on from there writes it again."""
        kept = [line for line in self if line["kind"] != "final" and line["step"] <= step]
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in kept)
        write_whole(self._path, text.encode())


@dataclass(frozen=True)
class Logits:
    """A model's answers on some images.

    Attributes:
        logits: float32, shape (images, classes).
        labels: int64, shape (images,); -1 where the class is not known.
        records: int64, shape (images,): record ids in their pack.
        paths: of the images below their label folder.
    """

    logits: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]
    records: npt.NDArray[np.int64]
    paths: tuple[str, ...]


def save_logits(path: Path, answers: Logits) -> None:
    """Write a model's answers; the file has no pickled objects."""
    with written_whole(path) as file:
        np.savez(
            file,
            logits=answers.logits,
            labels=answers.labels,
            records=answers.records,
            paths=np.array([os.fsencode(one) for one in answers.paths] or [b""], np.bytes_),
        )


def load_logits(path: Path) -> Logits:
    """Read a model's answers.

    Raises:
        TrainError: the file is not there or none of these.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            records = file["records"]
            paths = tuple(os.fsdecode(bytes(one)) for one in file["paths"][: len(records)])
            return Logits(file["logits"], file["labels"], records, paths)
    except (OSError, ValueError, KeyError) as error:
        raise TrainError(f"{path} has no logits: {error}") from error


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that is whole or as it was, also where this process is killed."""
    with written_whole(path) as file:
        file.write(content)


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """Open a file to be written; it takes its name when all of it is on the disk.

    Whatever ends that early leaves the file that was there before, or none.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
