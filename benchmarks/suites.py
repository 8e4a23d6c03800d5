"""What is compared with what."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.job import (
    DRAWN_CROPS,
    EVAL_UINT8,
    MEAN_CROPS,
    TRAIN_FLOAT32,
    TRAIN_UINT8,
    Job,
)

OURS = "fastload"
THREADS = 2
PROCESSES = 8
Entrant = tuple[str, int]

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
        passes: how often one window goes over the photos or crops; hundred thousands of hashes,
            ten thousands of images to be ordered.
        fresh: a new process for each window.
        batches: with which a fresh window ends; None for the last one. Of one, the time counts
            from before the construction.
        watched: memory is sampled in every window, not in the warm-up alone.
        photos: "jpeg" for the photos as they are, "png" for the same pixels as PNG files,
            "resized" for JPEG files of at most 400 pixels on the longer side.

    """

    name: str
    task: str
    entrants: tuple[Entrant, ...]
    recipe: str = ""
    passes: int = 4
    fresh: bool = False
    batches: int | None = None
    watched: bool = False
    photos: str = "jpeg"

    def jobs(self) -> dict[str, Job]:
        """The entrants' jobs by label, still without paths."""
        jobs = (
            Job(peer, self.task, self.recipe, threads, passes=self.passes)
            for peer, threads in self.entrants
        )
        return {job.label: job for job in jobs}

    def usual(self, label: str) -> bool:
        """Whether an entrant is its peer's with the usual number of threads, or the only one."""
        job = self.jobs()[label]
        alone = sum(peer == job.peer for peer, _ in self.entrants) == 1
        return alone or job.threads == THREADS


FFCV_RAW: tuple[Entrant, ...] = (("ffcv_raw", THREADS),)
DCT: tuple[Entrant, ...] = (("fastload_dct", THREADS),)
CACHED: tuple[Entrant, ...] = (("fastload_cached", THREADS),)
QUARTER: tuple[Entrant, ...] = (("fastload_quarter", THREADS),)
FILLING: tuple[Entrant, ...] = (("fastload_filling", THREADS),)
BY_FFCV: tuple[Entrant, ...] = (("fastload_ffcv", THREADS),)
BY_DALI: tuple[Entrant, ...] = (("fastload_dali", THREADS), ("fastload_dali_dct", THREADS))

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
)
# Of photos of at most 400 pixels on the longer side, JPEG q90, which all read or pack as they are;
# FFCV's writer alone encodes each anew, with the same quality.
RESIZED_LOADER = Suite(
    "resized loader",
    "load",
    (
        *FASTLOAD,
        *DCT,
        *CACHED,
        *REPLAY,
        ("imagefolder", THREADS),
        ("dali", THREADS),
        ("ffcv_q90", THREADS),
        *FFCV_RAW,
        *PEERS_OF_LOADER,
    ),
    TRAIN_UINT8,
    photos="resized",
)
DALI_ENGINE = Suite("DALI engine", "load", (*BY_DALI, ("dali", THREADS)), TRAIN_UINT8)
THREAD_SCALING = Suite(
    "threads", "load", (("fastload_dct", 1), ("fastload_dct", 2)), TRAIN_UINT8, passes=8
)
# Of one pass, in a process of its own: what is compiled is counted, unless the disk has it.
COMPILED = Suite("compiled", "load", FFCV + BY_FFCV, TRAIN_UINT8, passes=1, fresh=True)
FIRST_EPOCH = Suite("first epoch", "load", FASTLOAD + FILLING, TRAIN_UINT8, passes=1, fresh=True)
BALANCED = Suite("balanced", "balanced", FASTLOAD + QUARTER, TRAIN_UINT8)
COEFFICIENTS = Suite("coefficients", "coefficients", (("fastload_dct", 1),), TRAIN_UINT8)
PNG_LOADER = Suite("PNG loader", "load", CACHED + IMAGEFOLDER, TRAIN_UINT8, passes=2, photos="png")
FLOAT_LOADER = Suite("float loader", "load", FASTLOAD + IMAGEFOLDER, TRAIN_FLOAT32)
EVAL_LOADER = Suite("eval loader", "load", FASTLOAD + IMAGEFOLDER, EVAL_UINT8)
PACK = Suite("pack", "pack", FASTLOAD + FFCV)
RESIZERS: tuple[Entrant, ...] = ((OURS, 1), ("pillow", 1), ("pillow_simd", 1))
RESIZE = Suite("resize", "resize", RESIZERS, DRAWN_CROPS, passes=32)
MEAN_RESIZE = Suite("resize of a mean crop", "resize", RESIZERS, MEAN_CROPS, passes=32)
SIDE_BY_SIDE = (*FASTLOAD, ("imagefolder", THREADS), ("dali", THREADS), *FFCV)
FIRST_BATCH = Suite(
    "first batch", "load", SIDE_BY_SIDE, TRAIN_UINT8, passes=1, fresh=True, batches=1
)
MEMORY = Suite("memory", "load", SIDE_BY_SIDE, TRAIN_UINT8, watched=True)
# Of the thousand photos: ten million rows.
MANY_ROWS = Suite(
    "many rows", "many", ((OURS, PROCESSES),), TRAIN_UINT8, passes=10_000, watched=True
)
BROKEN_OFF = Suite("broken off", "break_off", FASTLOAD, TRAIN_UINT8, passes=50, watched=True)
SAVING = Suite("saving", "save", ((OURS, 1),), TRAIN_UINT8, passes=1000)
# Ten thousands of images.
ORDER = Suite("order", "order", ((OURS, 1),), passes=128)
LONG_ORDER = Suite("long order", "order", ((OURS, 1),), passes=5000)
# A million hashes.
DUPLICATES = Suite("duplicates", "duplicates", FASTLOAD, passes=10)

SUITES = {
    suite.name: suite
    for suite in (
        LOADER,
        RESIZED_LOADER,
        DALI_ENGINE,
        THREAD_SCALING,
        COMPILED,
        FIRST_EPOCH,
        BALANCED,
        COEFFICIENTS,
        PNG_LOADER,
        FLOAT_LOADER,
        EVAL_LOADER,
        PACK,
        RESIZE,
        MEAN_RESIZE,
        FIRST_BATCH,
        MEMORY,
        MANY_ROWS,
        BROKEN_OFF,
        SAVING,
        ORDER,
        LONG_ORDER,
        DUPLICATES,
    )
}
