"""A result document: what was measured, on which machine, of which photos.

It is pytest-benchmark's JSON. What is read of it stands below; other keys are ignored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

from fastload.bench.fields import Fields, ResultsError
from fastload.measure.machine import Machine

__all__ = [
    "Document",
    "Failure",
    "Photos",
    "Result",
    "read_document",
    "write_document",
]

OURS, CEILING = "fastload", "replay"


@dataclass(frozen=True)
class Photos:
    """What images were loaded.

    Attributes:
        name: how a reader calls them.
        images: how many.
        bytes: of their files.
        mean_width: pixels.
        mean_height: pixels.
        quality: of their compression, in words.
    """

    name: str
    images: int
    bytes: int
    mean_width: float
    mean_height: float
    quality: str

    def __str__(self) -> str:
        quality = f", {self.quality}" if self.quality else ""
        return (
            f"{self.images:,} images of {self.name}, {self.bytes / 1e6:,.1f} MB, "
            f"mean {self.mean_width:.0f}x{self.mean_height:.0f}{quality}"
        )


@dataclass(frozen=True)
class Failure:
    """A peer that could not run, or not to the end."""

    suite: str
    label: str
    peer: str
    error: str


@dataclass(frozen=True)
class Result:
    """What one entrant of one suite took; a tuple has one figure a round.

    Attributes:
        suite: what is compared there.
        label: the entrant's name within the suite.
        peer: whose loader it is.
        title: how a reader calls it.
        task: what was done.
        recipe: the transform, in words.
        threads: threads or worker processes.
        batch: images a batch.
        photos: key of the document's ``photos``.
        form: what it reads, in words.
        cache_state: "warm", "cold" or "".
        x: where on the suite's axis it lies; None where the suite has none.
        x_name: what that axis is.
        images: of each round.
        seconds: of each round.
        cpu_seconds: of the whole process tree in each round; empty where it was not looked at.
        first_batch_seconds: from before the loader's construction to its first batch.
        peak_pss_bytes: proportional memory beyond torch's import, children included.
        peak_anonymous_bytes: what of it has no file behind it.
        bytes_on_disk: of what it reads.
        packing_seconds: that its own form of the photos took to be written; None if it has none.
        version: of the peer.
    """

    suite: str
    label: str
    peer: str
    title: str
    task: str
    recipe: str
    threads: int
    batch: int
    photos: str
    form: str
    cache_state: str
    images: tuple[int, ...]
    seconds: tuple[float, ...]
    cpu_seconds: tuple[float, ...] = ()
    first_batch_seconds: tuple[float, ...] = ()
    peak_pss_bytes: int = 0
    peak_anonymous_bytes: int = 0
    bytes_on_disk: int = 0
    packing_seconds: float | None = None
    version: str = ""
    x: float | None = None
    x_name: str = ""

    @property
    def ours(self) -> bool:
        """Whether it is fastload."""
        return self.peer.partition("_")[0] == OURS

    @property
    def ceiling(self) -> bool:
        """Whether nothing was loaded: batches from memory, which no loader can be faster than."""
        return self.peer == CEILING

    @property
    def rates(self) -> tuple[float, ...]:
        """Images a second of each round."""
        return tuple(
            images / seconds for images, seconds in zip(self.images, self.seconds, strict=True)
        )

    @property
    def rate(self) -> float:
        """Images a second: the median of the rounds."""
        return median(self.rates)

    @property
    def per_core(self) -> float | None:
        """Images a second of CPU time, all processes included: the median of the rounds."""
        if not self.cpu_seconds or not all(self.cpu_seconds):
            return None
        return median(
            images / seconds for images, seconds in zip(self.images, self.cpu_seconds, strict=True)
        )

    @property
    def cpu_percent(self) -> float | None:
        """100 for each core kept busy: the median of the rounds."""
        if not self.cpu_seconds:
            return None
        return median(
            100 * cpu / wall for cpu, wall in zip(self.cpu_seconds, self.seconds, strict=True)
        )

    def extra_info(self) -> dict[str, Any]:
        """All of it, as the document has it."""
        return {**asdict(self), "images_per_second": self.rates}

    def as_benchmark(self) -> dict[str, Any]:
        """It as pytest-benchmark has it, its statistics of the rounds' seconds included."""
        spread = stdev(self.seconds) if len(self.seconds) > 1 else 0.0
        return {
            "group": self.suite,
            "name": self.label,
            "fullname": f"{self.suite}: {self.label}",
            "extra_info": self.extra_info(),
            "stats": {
                "min": min(self.seconds),
                "max": max(self.seconds),
                "mean": mean(self.seconds),
                "median": median(self.seconds),
                "stddev": spread,
                "rounds": len(self.seconds),
                "data": self.seconds,
            },
        }


@dataclass(frozen=True)
class Document:
    """All of a run.

    Attributes:
        file: where it was read from; "" before it is written.
        machine: what it ran on.
        commit: of fastload's sources; "" where they are no checkout.
        dirty: whether they had changes that are in no commit.
        commit_time: of the commit, as git writes it.
        time: when it ran, ISO 8601.
        photos: by the key that results have.
        rounds: of each entrant.
        smoke: it shows that everything works; its figures mean nothing.
        failed: entrants without figures.
        notes: sentences that a reader has to know.
        results: in the order in which they are shown.
    """

    file: str
    machine: Machine
    commit: str
    dirty: bool
    commit_time: str
    time: str
    photos: Mapping[str, Photos]
    rounds: int
    smoke: bool
    results: Sequence[Result]
    failed: Sequence[Failure] = ()
    notes: Sequence[str] = field(default=())

    @property
    def suites(self) -> dict[str, list[Result]]:
        """Results by suite, in the order of the document; suites where all failed are there too."""
        found: dict[str, list[Result]] = {}
        for result in self.results:
            found.setdefault(result.suite, []).append(result)
        for failure in self.failed:
            found.setdefault(failure.suite, [])
        return found

    @property
    def versions(self) -> list[str]:
        """Of all peers; one that is made of several tells those of all, with commas."""
        told = ", ".join(result.version for result in self.results if result.version)
        return sorted(set(told.split(", "))) if told else []

    def as_dict(self) -> dict[str, Any]:
        """The document as it is written."""
        return {
            "machine_info": {"fastload": self.machine.as_dict()},
            "commit_info": {"id": self.commit, "dirty": self.dirty, "time": self.commit_time},
            "datetime": self.time,
            "fastload": {
                "photos": {kind: asdict(photos) for kind, photos in self.photos.items()},
                "rounds": self.rounds,
                "cpus": self.machine.cpus,
                "smoke": self.smoke,
                "failed": [asdict(failure) for failure in self.failed],
                "notes": list(self.notes),
            },
            "benchmarks": [result.as_benchmark() for result in self.results],
        }


def write_document(document: Document, file: Path) -> None:
    """Write a document.

    Raises:
        OSError: it cannot be written.
    """
    file.write_text(json.dumps(document.as_dict(), indent=1) + "\n", encoding="utf-8")


def read_document(file: Path) -> Document:
    """Read a document and check all that is used of it.

    Raises:
        OSError: it cannot be read.
        ResultsError: it is no result document.
    """
    try:
        content = json.loads(file.read_bytes())
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ResultsError(f"{file} is not JSON: {error}.") from error
    fields = Fields(content, str(file))
    commit, ours = fields.inner("commit_info"), fields.inner("fastload")
    document = Document(
        file=str(file),
        machine=_machine(fields.inner("machine_info").inner("fastload")),
        commit=commit.text("id", ""),
        dirty="dirty" in commit and commit.truth("dirty"),
        commit_time=commit.text("time", ""),
        time=fields.text("datetime"),
        photos={kind: _photos(one) for kind, one in ours.inner("photos").items()},
        rounds=ours.whole("rounds"),
        smoke=ours.truth("smoke"),
        results=tuple(_result(one.inner("extra_info")) for one in fields.objects("benchmarks")),
        failed=tuple(_failure(one) for one in ours.objects("failed")),
        notes=ours.texts("notes"),
    )
    _check_names(document)
    return document


def _check_names(document: Document) -> None:
    seen = set()
    for result in document.results:
        if result.photos and result.photos not in document.photos:
            raise ResultsError(
                f"{document.file}: {result.suite}: {result.label} is of photos {result.photos!r}, "
                f"of which fastload.photos says nothing (it has {sorted(document.photos)})."
            )
        if (result.suite, result.label) in seen:
            raise ResultsError(
                f"{document.file} has {result.label} twice in the suite {result.suite}."
            )
        seen.add((result.suite, result.label))


def _machine(fields: Fields) -> Machine:
    return Machine(
        processor=fields.text("processor"),
        cpus=fields.whole("cpus"),
        simd=fields.texts("simd"),
        memory=fields.whole("memory"),
        kernel=fields.text("kernel"),
        python=fields.text("python"),
        load=fields.number("load"),
    )


def _photos(fields: Fields) -> Photos:
    return Photos(
        name=fields.text("name"),
        images=fields.whole("images"),
        bytes=fields.whole("bytes"),
        mean_width=fields.number("mean_width"),
        mean_height=fields.number("mean_height"),
        quality=fields.text("quality", ""),
    )


def _failure(fields: Fields) -> Failure:
    return Failure(*(fields.text(name) for name in ("suite", "label", "peer", "error")))


def _result(fields: Fields) -> Result:
    seconds = fields.numbers("seconds", above=0)
    if not seconds:
        raise fields.error("seconds", "a list with a number for each round", [])
    images = fields.numbers("images", above=0, length=len(seconds))
    cpu_seconds = fields.numbers("cpu_seconds")
    if cpu_seconds:
        cpu_seconds = fields.numbers("cpu_seconds", length=len(seconds))
    return Result(
        suite=fields.text("suite"),
        label=fields.text("label"),
        peer=fields.text("peer"),
        title=fields.text("title"),
        task=fields.text("task"),
        recipe=fields.text("recipe"),
        threads=fields.whole("threads"),
        batch=fields.whole("batch"),
        photos=fields.text("photos", ""),
        form=fields.text("form"),
        cache_state=fields.text("cache_state", ""),
        images=tuple(map(int, images)),
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        first_batch_seconds=fields.numbers("first_batch_seconds"),
        peak_pss_bytes=fields.whole("peak_pss_bytes"),
        peak_anonymous_bytes=fields.whole("peak_anonymous_bytes"),
        bytes_on_disk=fields.whole("bytes_on_disk"),
        packing_seconds=fields.maybe_number("packing_seconds"),
        version=fields.text("version", ""),
        x=fields.maybe_number("x"),
        x_name=fields.text("x_name", ""),
    )
