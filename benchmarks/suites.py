"""What is compared with what."""

from __future__ import annotations

from dataclasses import dataclass, replace

from benchmarks import axes
from benchmarks.axes import Axis
from benchmarks.job import (
    DRAWN_CROPS,
    EVAL_UINT8,
    MEAN_CROPS,
    TRAIN_FLOAT32,
    TRAIN_UINT8,
    Job,
)
from benchmarks.variants import JPEG, LONG_TAIL, PNG, RESIZED

OURS = "fastload"
THREADS = 2
PROCESSES = 8
# A suite's windows of one turn take as long as this: shorter ones differ too much from one another.
LONG, SHORT = 2.5, 0.7
Entrant = tuple[str, int]

LOADERS, CASES, PARTS, SCALING = SETS = ("loader", "cases", "parts", "scaling")
# How many passes over the photos the quick ones make while another one makes one: an epoch's ends,
# where nothing is ahead yet, are to weigh as little in the figures of all.
PACES = {
    "fastload": 4,
    "fastload_quarter": 4,
    "fastload_filling": 4,
    "fastload_dct": 8,
    "fastload_cached": 8,
    "fastload_ffcv": 2,
    "fastload_dali": 2,
    "fastload_dali_dct": 2,
    "dali": 2,
    "ffcv": 2,
    "ffcv_q90": 2,
    "ffcv_raw": 4,
    "replay": 8,
}
PACED_TASKS = ("load", "balanced")
READING_TASKS = (*PACED_TASKS, "train", "ranks", "pack", "coefficients", "shuffled", "open_pack")

FASTLOAD: tuple[Entrant, ...] = ((OURS, THREADS),)
# More workers than cores help ImageFolder a little; which number is best depends on the machine.
IMAGEFOLDER: tuple[Entrant, ...] = tuple(("imagefolder", workers) for workers in range(5))
DALI: tuple[Entrant, ...] = tuple(("dali", threads) for threads in range(1, 5))
FFCV: tuple[Entrant, ...] = (("ffcv", THREADS),)
# One process hands ready batches out: more would not be a higher ceiling.
REPLAY: tuple[Entrant, ...] = (("replay", 1),)
# Those beside ImageFolder, DALI and FFCV, which have suites of their own, too.
PEERS_OF_LOADER: tuple[Entrant, ...] = tuple(
    (peer, THREADS)
    for peer in (
        "imagefolder_simd",
        "imagefolder_torchvision",
        "spdl",
        "spdl_torchvision",
        "litdata",
        "streaming",
        "webdataset",
        "hf_datasets",
        "grain",
        "torchdata_nodes",
    )
)


@dataclass(frozen=True)
class Suite:
    """One table: the same task for several entrants, in turn.

    Attributes:
        name: heading of the table and group of the benchmarks.
        task: function of the adapters.
        entrants: peers with their threads or workers.
        recipe: transform of the loaders, crops of the resizers.
        passes: how often one window goes over the photos or crops, more often for the quick ones
            (``PACES``); hundred thousands of hashes, ten thousands of images to be ordered.
        fresh: a new process for each window.
        batches: with which a fresh window ends; None for the last one. Of one, the time counts
            from before the construction.
        watched: memory is sampled in every window, not in the warm-up alone.
        photos: "jpeg" for the photos as they are; other kinds of them are in ``variants.py``.
        part_of: the set that it belongs to.
        axis: what a scaling suite varies; each entrant is measured at each of its values.
        cold: before each window the system forgets the pages of the files that are read.
        seconds: that the windows of a turn take together, at the least.
        rows: of the packs, where they are to have more than there are photos.
        own_seconds: the adapter counts seconds of its own, in which one thread was busy.
        form: what all entrants read, if that is not their peers' usual form.

    """

    name: str
    task: str
    entrants: tuple[Entrant, ...]
    recipe: str = ""
    passes: int = 1
    fresh: bool = False
    batches: int | None = None
    watched: bool = False
    photos: str = JPEG
    part_of: str = PARTS
    axis: Axis | None = None
    cold: bool = False
    seconds: float = LONG
    rows: int = 0
    own_seconds: bool = False
    form: str = ""

    @property
    def cache_state(self) -> str:
        """Whether the files are in the page cache; nothing where no files are read."""
        if self.task not in READING_TASKS:
            return ""
        return "cold" if self.cold else "warm"

    def jobs(self) -> dict[str, Job]:
        """The entrants' jobs by label, still without paths; at the axis' first value first."""
        jobs = [self._job(peer, threads) for peer, threads in self.entrants]
        if self.axis is not None:
            jobs = [self.axis.place(job, value) for value in self.axis.values for job in jobs]
        paced = [replace(job, passes=job.passes * self._pace(job)) for job in jobs]
        return {job.label: job for job in paced}

    def _job(self, peer: str, threads: int) -> Job:
        return Job(
            peer,
            self.task,
            self.recipe,
            threads,
            passes=self.passes,
            kind=self.photos,
            rows=self.rows,
        )

    def _pace(self, job: Job) -> int:
        return PACES.get(job.peer, 1) if job.task in PACED_TASKS and not self.fresh else 1

    def usual(self, label: str) -> bool:
        """Whether an entrant is its peer's with the usual number of threads, or the only one.

        On an axis, those at the two smallest values.
        """
        job = self.jobs()[label]
        if self.axis is not None:
            return job.x in self.axis.values[:2]
        alone = sum(peer == job.peer for peer, _ in self.entrants) == 1
        return alone or job.threads == THREADS


FFCV_RAW: tuple[Entrant, ...] = (("ffcv_raw", THREADS),)
DCT: tuple[Entrant, ...] = (("fastload_dct", THREADS),)
CACHED: tuple[Entrant, ...] = (("fastload_cached", THREADS),)
QUARTER: tuple[Entrant, ...] = (("fastload_quarter", THREADS),)
FILLING: tuple[Entrant, ...] = (("fastload_filling", THREADS),)
BY_FFCV: tuple[Entrant, ...] = (("fastload_ffcv", THREADS),)
BY_DALI: tuple[Entrant, ...] = (("fastload_dali", THREADS), ("fastload_dali_dct", THREADS))
IMAGEFOLDER_TUNED: tuple[Entrant, ...] = (("imagefolder", THREADS),)
DALI_TUNED: tuple[Entrant, ...] = (("dali", THREADS),)

LOADER = Suite(
    "loader",
    "load",
    FASTLOAD
    + DCT
    + CACHED
    + BY_FFCV
    + REPLAY
    + IMAGEFOLDER
    + DALI
    + FFCV
    + FFCV_RAW
    + PEERS_OF_LOADER,
    TRAIN_UINT8,
    part_of=LOADERS,
)
# Of photos made at most 400 pixels on the longer side, JPEG q90, which all read or pack as they
# are. FFCV's writer encodes each anew, with the same quality.
RESIZED_LOADER = Suite(
    "resized loader",
    "load",
    (
        *FASTLOAD,
        *DCT,
        *CACHED,
        *REPLAY,
        *IMAGEFOLDER_TUNED,
        *DALI_TUNED,
        ("ffcv_q90", THREADS),
        *FFCV_RAW,
        *PEERS_OF_LOADER,
    ),
    TRAIN_UINT8,
    photos=RESIZED,
    part_of=LOADERS,
)
DALI_ENGINE = Suite("DALI engine", "load", BY_DALI + DALI_TUNED, TRAIN_UINT8, part_of=CASES)
# Of one pass, in a process of its own: what is compiled is counted, unless the disk has it.
COMPILED = Suite("compiled", "load", FFCV + BY_FFCV, TRAIN_UINT8, fresh=True, part_of=CASES)
FIRST_EPOCH = Suite(
    "first epoch", "load", FASTLOAD + FILLING, TRAIN_UINT8, fresh=True, part_of=CASES
)
BALANCED = Suite("balanced", "balanced", FASTLOAD + QUARTER, TRAIN_UINT8, part_of=CASES)
PNG_LOADER = Suite(
    "PNG loader", "load", CACHED + IMAGEFOLDER, TRAIN_UINT8, photos=PNG, part_of=CASES
)
LONG_TAILED = Suite(
    "long tail",
    "balanced",
    CACHED + IMAGEFOLDER_TUNED,
    TRAIN_UINT8,
    photos=LONG_TAIL,
    part_of=CASES,
)
FLOAT_LOADER = Suite("float loader", "load", FASTLOAD + IMAGEFOLDER, TRAIN_FLOAT32, part_of=CASES)
EVAL_LOADER = Suite("eval loader", "load", FASTLOAD + IMAGEFOLDER, EVAL_UINT8, part_of=CASES)
SIDE_BY_SIDE = FASTLOAD + IMAGEFOLDER_TUNED + DALI_TUNED + FFCV
COLD_LOADER = Suite(
    "cold loader",
    "load",
    (*FASTLOAD, *DCT, *IMAGEFOLDER_TUNED, *DALI_TUNED, *FFCV, ("webdataset", THREADS)),
    TRAIN_UINT8,
    fresh=True,
    cold=True,
    part_of=CASES,
)
FIRST_BATCH = Suite(
    "first batch",
    "load",
    SIDE_BY_SIDE,
    TRAIN_UINT8,
    fresh=True,
    batches=1,
    part_of=CASES,
)
MEMORY = Suite("memory", "load", SIDE_BY_SIDE, TRAIN_UINT8, watched=True, part_of=CASES)
# The step alone says how quick training could be.
TRAIN_STEP = Suite(
    "train step",
    "train",
    (("step_alone", THREADS), *FASTLOAD, *CACHED, *IMAGEFOLDER[: THREADS + 1]),
    TRAIN_UINT8,
    part_of=CASES,
)

COEFFICIENTS = Suite(
    "coefficients",
    "coefficients",
    (("fastload_dct", 1),),
    TRAIN_UINT8,
    passes=4,
    own_seconds=True,
)
PACK = Suite("pack", "pack", FASTLOAD + FFCV)
DECODERS: tuple[Entrant, ...] = (
    (OURS, 1),
    ("pillow", 1),
    ("pillow_simd", 1),
    ("torchvision_io", 1),
    ("simplejpeg", 1),
    ("opencv", 1),
)
DECODE = Suite(
    "decode",
    "decode",
    DECODERS,
    form="the same JPEG files in memory; fastload's as in its pack, losslessly rewritten",
)
RESIZERS: tuple[Entrant, ...] = ((OURS, 1), ("pillow", 1), ("pillow_simd", 1))
IN_MEMORY = "the same crops in memory"
RESIZE = Suite("resize", "resize", RESIZERS, DRAWN_CROPS, passes=32, form=IN_MEMORY)
MEAN_RESIZE = Suite(
    "resize of a mean crop", "resize", RESIZERS, MEAN_CROPS, passes=32, form=IN_MEMORY
)
MANY_ROWS = Suite(
    "many rows", "many", ((OURS, PROCESSES),), TRAIN_UINT8, watched=True, rows=10_000_000
)
BROKEN_OFF = Suite("broken off", "break_off", FASTLOAD, TRAIN_UINT8, passes=50, watched=True)
SAVING = Suite("saving", "save", ((OURS, 1),), TRAIN_UINT8, passes=1000)
# Ten thousands of images.
ORDER = Suite("order", "order", ((OURS, 1),), passes=128)
LONG_ORDER = Suite("long order", "order", ((OURS, 1),), passes=5000)
# A million hashes.
DUPLICATES = Suite("duplicates", "duplicates", FASTLOAD, passes=10)

THREAD_SCALING = Suite(
    "threads",
    "load",
    FASTLOAD + DCT + IMAGEFOLDER_TUNED,
    TRAIN_UINT8,
    part_of=SCALING,
    axis=axes.THREADS,
    seconds=SHORT,
)
# One long epoch, so that with four ranks each has as many batches as it would in training.
RANK_SCALING = Suite(
    "ranks", "ranks", ((OURS, 1),), TRAIN_UINT8, part_of=SCALING, axis=axes.RANKS, rows=8000
)
BATCH_SCALING = Suite(
    "batch sizes",
    "load",
    FASTLOAD + IMAGEFOLDER_TUNED,
    TRAIN_UINT8,
    part_of=SCALING,
    axis=axes.BATCHES,
    seconds=SHORT,
)
SIDE_SCALING = Suite(
    "image sizes",
    "load",
    FASTLOAD + DCT + IMAGEFOLDER_TUNED,
    TRAIN_UINT8,
    part_of=SCALING,
    axis=axes.SIDES,
    seconds=SHORT,
)
OPEN_SCALING = Suite(
    "index open",
    "open_pack",
    ((OURS, 1),),
    TRAIN_UINT8,
    passes=5,
    part_of=SCALING,
    axis=axes.ROWS,
    seconds=SHORT,
)
FIRST_BATCH_SCALING = Suite(
    "index first batch",
    "shuffled",
    FASTLOAD,
    TRAIN_UINT8,
    fresh=True,
    batches=1,
    watched=True,
    part_of=SCALING,
    axis=axes.ROWS,
)
ORDER_SCALING = Suite(
    "index order",
    "shuffled_order",
    ((OURS, 1),),
    TRAIN_UINT8,
    part_of=SCALING,
    axis=axes.ROWS,
    seconds=SHORT,
)

SUITES = {
    suite.name: suite
    for suite in (
        LOADER,
        RESIZED_LOADER,
        DALI_ENGINE,
        COMPILED,
        FIRST_EPOCH,
        BALANCED,
        PNG_LOADER,
        LONG_TAILED,
        FLOAT_LOADER,
        EVAL_LOADER,
        COLD_LOADER,
        FIRST_BATCH,
        MEMORY,
        TRAIN_STEP,
        COEFFICIENTS,
        PACK,
        DECODE,
        RESIZE,
        MEAN_RESIZE,
        MANY_ROWS,
        BROKEN_OFF,
        SAVING,
        ORDER,
        LONG_ORDER,
        DUPLICATES,
        THREAD_SCALING,
        RANK_SCALING,
        BATCH_SCALING,
        SIDE_SCALING,
        OPEN_SCALING,
        FIRST_BATCH_SCALING,
        ORDER_SCALING,
    )
}
