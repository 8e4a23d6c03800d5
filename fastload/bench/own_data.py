"""fastload beside ImageFolder on a folder of the user's, with the user's transform.

ImageFolder is tuned first, by the same tuner as fastload. Then the finalists take turns, each in a
process of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from fastload.bench.entrant import Entrant
from fastload.bench.preparing import Prepared
from fastload.bench.results import Document, Failure, Result
from fastload.bench.turns import EntrantError, Ready, Turns, Window
from fastload.cpus import usable_cpus
from fastload.measure.machine import Machine, this_machine
from fastload.tune import tune_folder, tune_pack
from fastload.version import __version__

__all__ = ["SUITE", "Plan", "finalists", "measure_folder"]

SUITE = "your data"

# Parts of the time: a tuner tries about a dozen settings, each for a window and its start.
_FOLDER_SHARE, _PACK_SHARE, _TRIALS = 0.35, 0.2, 20
_ROUNDS_SHARE = 0.4
# With less time than this, fastload is not tuned but takes the CPUs that there are.
_TUNED_FROM_MINUTES = 1.0
# Epochs are made so long that none ends within the run, also where it is this many times as fast as
# the tuner saw.
_FASTER = 8
_MOST_SAMPLES = 20_000_000
# Jobs a CPU in the minute before, from which on something else runs beside.
_BUSY = 0.5


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
        minutes: that all of it may take, about, packing not counted.
        batch: images a batch.
        rounds: of each finalist.
    """

    minutes: float = 3.0
    batch: int = 128
    rounds: int = 5

    def tuning_seconds(self, share: float) -> float:
        """Of one window of a tuner."""
        return 60 * self.minutes * share / _TRIALS

    def window_seconds(self, entrants: int) -> float:
        """Of one window of a finalist."""
        return 60 * self.minutes * _ROUNDS_SHARE / ((self.rounds + 1) * entrants)


@dataclass
class _Measured:
    """What one finalist took so far."""

    turns: Turns
    ready: Ready
    windows: list[Window] = field(default_factory=list)
    error: str = ""


def measure_folder(
    prepared: Prepared,
    transform: Callable[[], Any],
    recipe: str,
    plan: Plan,
    tell: Callable[[str], None],
) -> Document:
    """Tune and measure.

    Args:
        prepared: the images and their packs.
        transform: makes the transform; it has to be pickled, for it is called in other processes.
        recipe: the transform in words.
        plan: how much is measured.
        tell: told what is going on.
    """
    # Before this run itself keeps it busy.
    machine = this_machine()
    entrants, notes = finalists(prepared, transform, plan, tell)
    seconds = plan.window_seconds(len(entrants))
    results: list[Result] = []
    failed: list[Failure] = []
    with ExitStack() as stack:
        running = []
        for entrant in entrants:
            tell(f"{entrant.title}: first batch, memory")
            try:
                turns = stack.enter_context(Turns(entrant, transform))
                running.append(_Measured(turns, turns.prepare(seconds)))
            except EntrantError as error:
                failed.append(Failure(SUITE, entrant.label, entrant.peer, str(error)))
        for number in range(plan.rounds):
            tell(f"round {number + 1} of {plan.rounds}, {len(running)} windows of {seconds:.1f} s")
            _round(running, seconds)
    for one in running:
        if one.error:
            entrant = one.turns.entrant
            failed.append(Failure(SUITE, entrant.label, entrant.peer, one.error))
        else:
            results.append(_result(one, prepared, recipe))
    return Document(
        file="",
        machine=machine,
        commit="",
        dirty=False,
        commit_time="",
        time=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        photos={prepared.photos.name: prepared.photos},
        rounds=plan.rounds,
        smoke=False,
        results=results,
        failed=failed,
        notes=[*prepared.notes, *notes, *_busy(machine)],
    )


def _busy(machine: Machine) -> list[str]:
    if machine.load < _BUSY * machine.cpus:
        return []
    load = f"load average {machine.load:.1f}, {machine.cpus} CPUs"
    return [f"The machine was busy before ({load}): measure again when it is not."]


def _round(running: Sequence[_Measured], seconds: float) -> None:
    for one in running:
        if not one.error:
            try:
                one.windows.append(one.turns.window(seconds))
            except EntrantError as error:
                one.error = str(error)


def finalists(
    prepared: Prepared, transform: Callable[[], Any], plan: Plan, tell: Callable[[str], None]
) -> tuple[list[Entrant], list[str]]:
    """The loaders that are measured, each at its best setting, and what to say of the tuning."""
    tell("tuning ImageFolder and DataLoader")
    tuned = tune_folder(
        prepared.folder,
        transform(),
        batch_size=plan.batch,
        seconds=plan.tuning_seconds(_FOLDER_SHARE),
    )
    notes = [f"ImageFolder as tuned: {tuned.choice.settings.words()}."]
    settings: dict[str, Any] = {"num_workers": usable_cpus()}
    rate = tuned.choice.images_per_second
    if plan.minutes >= _TUNED_FROM_MINUTES:
        tell("tuning fastload")
        ours = tune_pack(
            prepared.pack,
            transform(),
            batch_size=plan.batch,
            seconds=plan.tuning_seconds(_PACK_SHARE),
        )
        settings = dict(ours.choice.settings.arguments())
        notes.append(f"fastload as tuned: {ours.choice.settings.words()}.")
        rate = max(rate, ours.choice.images_per_second)
    else:
        notes.append(
            f"fastload was not tuned, the time being short: {usable_cpus()} threads, one a CPU."
        )
    windows = plan.rounds + 1
    samples = int(_FASTER * rate * windows * plan.window_seconds(4))
    return _entrants(
        prepared,
        Entrant(
            label="imagefolder",
            peer="imagefolder",
            title="ImageFolder and DataLoader, tuned",
            form="the image files",
            path=str(prepared.folder),
            batch=plan.batch,
            samples=min(_MOST_SAMPLES, max(samples, plan.batch, prepared.photos.images)),
            arguments=tuned.choice.settings.arguments(),
        ),
        settings,
    ), notes


def _entrants(prepared: Prepared, folder: Entrant, settings: dict[str, Any]) -> list[Entrant]:
    plain = replace(
        folder,
        label="fastload",
        peer="fastload",
        title="fastload, no cache",
        form="its pack, lossless",
        path=str(prepared.pack),
        arguments={**settings, "cache": 0},
    )
    entrants = [
        folder,
        plain,
        replace(
            plain,
            label="fastload cached",
            peer="fastload_cached",
            title="fastload, its cache filled",
            arguments={**settings, "cache": "auto"},
            fills=True,
        ),
        replace(
            plain,
            label="replay",
            peer="replay",
            title="copies of batches in memory, nothing loaded",
            form="batches in memory",
            replays=True,
        ),
    ]
    if prepared.dct_pack is not None:
        dct = replace(
            plain,
            label="fastload dct",
            peer="fastload_dct",
            title="fastload, dct pack",
            form="its pack of codec dct, lossless",
            path=str(prepared.dct_pack),
        )
        entrants.insert(-1, dct)
    return entrants


def _result(one: _Measured, prepared: Prepared, recipe: str) -> Result:
    entrant = one.turns.entrant
    form = entrant.form
    if entrant.fills:
        form += f"; {median(window.hits for window in one.windows):.0%} of images from its cache"
    return Result(
        suite=SUITE,
        label=entrant.label,
        peer=entrant.peer,
        title=entrant.title,
        task="load",
        recipe=recipe,
        threads=entrant.workers,
        batch=entrant.batch,
        photos=prepared.photos.name,
        form=form,
        cache_state="warm" if prepared.in_memory else "",
        images=tuple(window.images for window in one.windows),
        seconds=tuple(window.seconds for window in one.windows),
        cpu_seconds=tuple(window.cpu_seconds for window in one.windows),
        first_batch_seconds=() if entrant.replays else (one.ready.first_batch,),
        # Copies are made of what a loader has left behind: its memory is not theirs.
        peak_pss_bytes=0 if entrant.replays else one.turns.peak.pss,
        peak_anonymous_bytes=0 if entrant.replays else one.turns.peak.anonymous,
        bytes_on_disk=_bytes_on_disk(entrant, prepared),
        packing_seconds=_packing_seconds(entrant, prepared),
        version=_version(entrant),
    )


def _bytes_on_disk(entrant: Entrant, prepared: Prepared) -> int:
    if entrant.replays:
        return 0
    if entrant.peer == "imagefolder":
        return prepared.photos.bytes
    return sum(file.stat().st_size for file in Path(entrant.path).rglob("*") if file.is_file())


def _packing_seconds(entrant: Entrant, prepared: Prepared) -> float | None:
    if entrant.peer == "fastload_dct":
        return prepared.dct_packing_seconds
    return prepared.packing_seconds if entrant.peer.startswith("fastload") else None


def _version(entrant: Entrant) -> str:
    if entrant.peer == "imagefolder":
        names = ("torchvision", "torch", "Pillow")
        return ", ".join(f"{name} {version(name.lower())}" for name in names)
    return "" if entrant.replays else f"fastload {__version__}"
