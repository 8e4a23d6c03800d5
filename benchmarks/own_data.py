"""Other loaders on a folder of the user's, for ``fastload bench --peers``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.job import RECIPES
from benchmarks.photos import describe
from benchmarks.places import Places
from benchmarks.round_robin import measure
from benchmarks.suites import OURS, SUITES, Entrant, Suite
from benchmarks.variants import JPEG
from fastload.bench.own_data import Plan
from fastload.bench.results import CEILING, Document
from fastload.cpus import usable_cpus

__all__ = ["SUITE", "beside_peers", "chosen"]

SUITE = "your data, other loaders"
BASELINE = "imagefolder"


def loaders() -> list[str]:
    """The peers that load images in some suite, ours and the baseline left out."""
    entrants = [
        peer for suite in SUITES.values() if suite.task == "load" for peer, _ in suite.entrants
    ]
    return [
        peer
        for peer in dict.fromkeys(entrants)
        if peer.partition("_")[0] != OURS and peer not in (BASELINE, CEILING)
    ]


def chosen(names: str) -> list[str]:
    """The peers that "dali,ffcv" or "all" names.

    Raises:
        ValueError: there is none of such a name.

    """
    there = loaders()
    if names == "all":
        return there
    wanted = [name.strip() for name in names.split(",")]
    unknown = [name for name in wanted if name not in there]
    if unknown:
        raise ValueError(f"there is no {', '.join(unknown)}: choose of {', '.join(there)}.")
    return wanted


def beside_peers(
    document: Document,
    folder: Path,
    scratch: Path,
    plan: Plan,
    peers: Sequence[str],
    preset: str,
    tell: Callable[[str], None],
) -> Document:
    """The document with one more suite: the peers, and ours and ImageFolder once more, in turn.

    Args:
        document: what was measured of the folder without them.
        folder: the label folder.
        scratch: an empty folder for the peers' own forms of it.
        plan: how much is measured.
        peers: their names.
        preset: the transform, one of ``RECIPES``.
        tell: told what is going on.

    """
    entrants = entrants_of(document, peers)
    suite = Suite(
        SUITE,
        "load",
        entrants,
        RECIPES[preset],
        seconds=plan.window_seconds(len(entrants)),
    )
    places = Places(scratch, smoke=False, full=False)
    places.photos[JPEG] = describe(folder, folder.name)
    tell(f"{', '.join(peers)}: writing their own forms of the images")
    jobs = places.place(replace(job, batch=plan.batch) for job in suite.jobs().values())
    tell(f"{plan.rounds} rounds of {len(jobs)} entrants, beside fastload and ImageFolder")
    measured = measure(suite, jobs, plan.rounds)
    for one in measured:
        one.pack_in(places.packing_seconds.get((one.job.peer, one.job.kind)))
    [photos] = document.photos
    return replace(
        document,
        results=[
            *document.results,
            *(replace(one.result(), photos=photos) for one in measured if not one.error),
        ],
        failed=[*document.failed, *(one.failure() for one in measured if one.error)],
    )


def entrants_of(document: Document, peers: Sequence[str]) -> tuple[Entrant, ...]:
    """The peers with a thread or worker a CPU, and with two; ImageFolder with as many as tuned."""
    cpus = usable_cpus()
    tuned = [result.threads for result in document.results if result.peer == BASELINE]
    return (
        (OURS, cpus),
        (f"{OURS}_cached", cpus),
        *((BASELINE, workers) for workers in tuned),
        *((peer, threads) for peer in peers for threads in (cpus, 2 * cpus)),
    )
