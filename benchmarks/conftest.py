"""One interleaved measurement a suite, shared by its entrants' benchmarks; tables at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from benchmarks import table
from benchmarks.bars import BARS
from benchmarks.crops import cut_crops, cut_mean_crops
from benchmarks.environments import NotInstalledError
from benchmarks.job import DRAWN_CROPS, MEAN_CROPS, Job
from benchmarks.peers import PEERS
from benchmarks.photos import Photos, label_folder, write_png
from benchmarks.process import Worker, WorkerError
from benchmarks.round_robin import Measurement, measure
from benchmarks.suites import SUITES
from fastload.measure.machine import this_machine

# An adapter imports its peer, which may not be there: nothing but a worker imports it.
collect_ignore_glob = ["peers/*"]

MEASUREMENTS = pytest.StashKey[list[Measurement]]()
HEADER = pytest.StashKey[list[str]]()
CROPS, SMOKE_CROPS = 64, 4
SMOKE_BATCH = 8
TABLE_WIDTH = 140


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("fastload benchmarks")
    group.addoption("--smoke", action="store_true", help="two dozen photos, one round: seconds")
    group.addoption("--rounds", type=int, default=5, help="windows of each entrant (default 5)")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    # pytest-benchmark's own table has the windows' milliseconds, in the alphabet's order.
    config.option.benchmark_quiet = True
    config.stash[MEASUREMENTS] = []
    config.stash[HEADER] = [str(this_machine())]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--smoke"):
        return
    surplus = [
        item for item in items for name, label in entrant(item) if not SUITES[name].usual(label)
    ]
    config.hook.pytest_deselected(items=surplus)
    items[:] = [item for item in items if item not in surplus]


def entrant(item: pytest.Item) -> list[tuple[str, str]]:
    """Suite and label of a benchmark; nothing of a doctest."""
    if not isinstance(item, pytest.Function):
        return []
    params: dict[str, Any] = item.callspec.params
    return [(params["suite"], params["label"])]


@pytest.fixture(scope="session")
def smoke(pytestconfig: pytest.Config) -> bool:
    return bool(pytestconfig.getoption("--smoke"))


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("benchmarks")


@pytest.fixture(scope="session")
def photos(smoke: bool, scratch: Path, pytestconfig: pytest.Config) -> Photos:
    found = label_folder(smoke, scratch)
    pytestconfig.stash[HEADER].append(f"{found}; warm page cache")
    return found


@pytest.fixture(scope="session")
def crops(
    photos: Photos, smoke: bool, scratch: Path, pytestconfig: pytest.Config
) -> dict[str, Path]:
    """The crops of each recipe."""
    targets = {DRAWN_CROPS: scratch / "drawn.npz", MEAN_CROPS: scratch / "mean.npz"}
    count = SMOKE_CROPS if smoke else CROPS
    sides = cut_crops(photos.folder, count, targets[DRAWN_CROPS])
    height, width = map(round, sides)
    cut_mean_crops(photos.folder, count, height, width, targets[MEAN_CROPS])
    pytestconfig.stash[HEADER].append(f"resize: RandomResizedCrop boxes, mean {width}x{height}")
    return targets


@pytest.fixture(scope="session")
def folder_of(photos: Photos, scratch: Path) -> Callable[[str], Path]:
    """The label folder of one kind of files, written at the first call."""

    @cache
    def write(kind: str) -> Path:
        if kind == "jpeg":
            return photos.folder
        target = scratch / f"photos_{kind}"
        write_png(photos.folder, target)
        return target

    return write


@pytest.fixture(scope="session")
def packed(folder_of: Callable[[str], Path], scratch: Path) -> Callable[[str, str], Path]:
    """Where a peer's own form of the photos lies, written by its own writer at the first call."""

    @cache
    def write(peer: str, kind: str) -> Path:
        target = scratch / f"photos_{kind}.{peer}"
        if PEERS[peer].packs:
            try:
                photos = str(folder_of(kind))
                job = Job(peer, "pack", threads=2, photos=photos, packed=str(target))
                worker = Worker(job)
                worker.run()
                worker.close()
            except (NotInstalledError, WorkerError):
                return target  # The loader will say what is wrong in its own row.
        return target

    return write


@pytest.fixture(scope="session")
def measured(
    folder_of: Callable[[str], Path],
    crops: dict[str, Path],
    packed: Callable[[str, str], Path],
    smoke: bool,
    pytestconfig: pytest.Config,
    request: pytest.FixtureRequest,
    scratch: Path,
) -> Callable[[str, str], Measurement]:
    """An entrant's measurement; the first call measures all selected entrants of its suite."""

    def paths(job: Job, kind: str) -> dict[str, Any]:
        if job.task == "resize":
            return {"crops": str(crops[job.recipe])}
        written = scratch / f"written.{job.peer}"
        target = written if job.task == "pack" else packed(job.peer, kind)
        own = {"packed": str(target)} if PEERS[job.peer].packs else {}
        return {"photos": str(folder_of(kind)), **own}

    def complete(job: Job, kind: str) -> Job:
        placed = replace(job, **paths(job, kind))
        return replace(placed, batch=SMOKE_BATCH, passes=1) if smoke else placed

    @cache
    def run(name: str) -> dict[str, Measurement]:
        jobs = SUITES[name].jobs()
        selected = [entry for item in request.session.items for entry in entrant(item)]
        kind = SUITES[name].photos
        chosen = [complete(jobs[label], kind) for suite, label in selected if suite == name]
        rounds = 1 if smoke else pytestconfig.getoption("--rounds")
        results = measure(SUITES[name], chosen, rounds)
        pytestconfig.stash[MEASUREMENTS].extend(results)
        return {result.job.label: result for result in results}

    return lambda suite, label: run(suite)[label]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    measurements = config.stash[MEASUREMENTS]
    if not measurements:
        return
    lines = config.stash[HEADER]
    if config.getoption("--smoke"):
        lines.append("smoke run: it shows that everything works; its figures mean nothing")
    console = Console(file=StringIO(), width=TABLE_WIDTH, force_terminal=terminalreporter.hasmarkup)
    with console.capture() as page:
        console.print(table.report("\n".join(lines), BARS, measurements))
    terminalreporter.write_line("")
    terminalreporter.write(page.get())
