"""Where the data lies that jobs work on: made when it is first asked for, once a run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.crops import cut_crops, cut_mean_crops
from benchmarks.environments import NotInstalledError
from benchmarks.job import DRAWN_CROPS, MEAN_CROPS, Job
from benchmarks.many_rows import repeat_rows
from benchmarks.peers import PEERS
from benchmarks.photos import Photos, describe, label_folder
from benchmarks.process import Worker, WorkerError
from benchmarks.variants import (
    JPEG,
    LONG_TAIL,
    PNG,
    RESIZED,
    write_long_tail,
    write_png,
    write_resized,
    write_sides,
)

CROPS, SMOKE_CROPS = 64, 4
WRITERS = 2  # threads of the peers' own writers
TAIL_SHARE, SMOKE_TAIL_SHARE = 0.1, 0.005


@dataclass
class Places:
    """Label folders, the peers' own forms of them, packs of many rows, crops.

    Attributes:
        scratch: where all of it is written.
        smoke: two dozen photos.
        full: the long tail with all its images.
        photos: what is known of each kind of photos so far.
        packing_seconds: what the writers took, by peer and kind.
        notes: what a reader should know of the crops.

    """

    scratch: Path
    smoke: bool
    full: bool
    photos: dict[str, Photos] = field(default_factory=dict)
    packing_seconds: dict[tuple[str, str], float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    _forms: dict[tuple[str, str], Path] = field(default_factory=dict)
    _crops: dict[str, Path] = field(default_factory=dict)

    def place(self, jobs: Iterable[Job]) -> list[Job]:
        """The jobs with the paths of what they read; all that is missing is written before."""
        wanted = list(jobs)
        self._write_forms(dict.fromkeys((job.peer, job.kind) for job in wanted if reads_form(job)))
        return [self._placed(job) for job in wanted]

    def _placed(self, job: Job) -> Job:
        if job.task == "resize":
            return replace(job, crops=str(self._crops_of(job.recipe)))
        if not PEERS[job.peer].packs:
            return replace(job, photos=str(self.folder(job.kind)))
        if job.task == "pack":
            packed = self.scratch / f"written.{job.peer}"
        else:
            packed = self._with_rows(self._forms[job.peer, job.kind], job.rows)
        return replace(job, photos=str(self.folder(job.kind)), packed=str(packed))

    def seconds_of(self, job: Job) -> float | None:
        """What the peer's writer took; None where it wrote nothing, or not what the job reads."""
        if job.rows or not reads_form(job):
            return None
        return self.packing_seconds.get((job.peer, job.kind))

    def folder(self, kind: str) -> Path:
        """The label folder of one kind of photos."""
        if kind not in self.photos:
            self.photos[kind] = self._write_photos(kind)
        return self.photos[kind].folder

    def _write_photos(self, kind: str) -> Photos:
        if kind == JPEG:
            return label_folder(self.smoke, self.scratch)
        target = self.scratch / f"photos_{kind}".replace(" ", "_")
        if kind == LONG_TAIL:
            share = 1.0 if self.full else SMOKE_TAIL_SHARE if self.smoke else TAIL_SHARE
            folder = write_long_tail(share, target)
            return describe(folder, f"drawn, 19 long-tailed classes, {share:g} of the counts")
        photos, name = self.folder(JPEG), self.photos[JPEG].name
        if kind == PNG:
            write_png(photos, target)
        elif kind == RESIZED:
            write_resized(photos, target)
        else:
            write_sides(photos, target, int(kind.split()[0]))
        return describe(target, f"{kind}, of {name}")

    def _write_forms(self, wanted: Iterable[tuple[str, str]]) -> None:
        """Let the peers' own writers write, one at a time; all of them import meanwhile."""
        writers: list[tuple[tuple[str, str], Worker]] = []
        for peer, kind in wanted:
            if (peer, kind) in self._forms:
                continue
            target = self.scratch / f"photos_{kind}.{peer}".replace(" ", "_")
            self._forms[peer, kind] = target
            job = Job(
                peer,
                "pack",
                threads=WRITERS,
                photos=str(self.folder(kind)),
                packed=str(target),
                kind=kind,
            )
            try:
                writers.append(((peer, kind), Worker(job)))
            except NotInstalledError:
                continue  # The loader will say what is wrong in its own row.
        for _, writer in writers:
            writer.await_import()
        for form, writer in writers:
            try:
                writer.construct()
                self.packing_seconds[form] = writer.run()["seconds"]
                writer.close()
            except WorkerError:
                continue

    def _with_rows(self, pack: Path, rows: int) -> Path:
        """The pack, or one of many rows of the same records."""
        if not rows:
            return pack
        target = pack.with_name(f"{pack.name}.{rows}_rows")
        repeat_rows(str(pack), rows, target)
        return target

    def _crops_of(self, recipe: str) -> Path:
        if not self._crops:
            self._crops = {name: self.scratch / f"{key}.npz" for name, key in CROP_FILES.items()}
            count = SMOKE_CROPS if self.smoke else CROPS
            photos = self.folder(JPEG)
            height, width = map(round, cut_crops(photos, count, self._crops[DRAWN_CROPS]))
            cut_mean_crops(photos, count, height, width, self._crops[MEAN_CROPS])
            self.notes.append(f"resize: RandomResizedCrop boxes, mean {width}x{height}")
        return self._crops[recipe]


CROP_FILES = {DRAWN_CROPS: "drawn", MEAN_CROPS: "mean"}


def reads_form(job: Job) -> bool:
    """Whether a job reads what its peer's own writer has written before."""
    return PEERS[job.peer].packs and job.task not in ("pack", "resize")
