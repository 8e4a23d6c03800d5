"""One interleaved measurement a suite, shared by its entrants' benchmarks; tables at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from benchmarks import document, table
from benchmarks.bars import BARS
from benchmarks.job import Job
from benchmarks.measurement import Measurement
from benchmarks.places import Places
from benchmarks.round_robin import measure
from benchmarks.suites import SETS, SUITES
from benchmarks.variants import PNG
from fastload.measure.machine import Machine, this_machine

# An adapter imports its peer, which may not be there: nothing but a worker imports it.
collect_ignore_glob = ["peers/*"]

MEASUREMENTS = pytest.StashKey[list[Measurement]]()
MACHINE = pytest.StashKey[Machine]()
PLACES = pytest.StashKey[Places]()
SMOKE_BATCH, SMOKE_ROWS = 8, 10_000
TABLE_WIDTH = 160
SMOKE_NOTE = "smoke run: it shows that everything works; its figures mean nothing"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("fastload benchmarks")
    group.addoption("--smoke", action="store_true", help="two dozen photos, one round: seconds")
    group.addoption("--rounds", type=int, default=5, help="turns of each entrant (default 5)")
    group.addoption("--set", action="append", choices=SETS, help="only these suites (default all)")
    group.addoption("--full", action="store_true", help="all images of the long tail, not a tenth")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    # pytest-benchmark's own table has the windows' milliseconds, in the alphabet's order.
    config.option.benchmark_quiet = True
    config.stash[MEASUREMENTS] = []
    # As it is now: in the end its load is that of the benchmarks.
    config.stash[MACHINE] = this_machine()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    sets, smoke = config.getoption("--set") or SETS, config.getoption("--smoke")
    tried = once_each() if smoke else None
    surplus = [
        item
        for item in items
        for entry in entrant(item)
        if SUITES[entry[0]].part_of not in sets or (tried is not None and entry not in tried)
    ]
    if surplus:
        config.hook.pytest_deselected(items=surplus)
        items[:] = [item for item in items if item not in surplus]


def once_each() -> set[tuple[str, str]]:
    """Entrants by suite and label, so that each adapter does each thing that it can do once.

    And each suite has one at least: an axis is tried at its first value. Photos of another size, or
    of other classes, are no other thing to do; those of another format are.
    """
    chosen: dict[tuple[object, ...], tuple[str, str]] = {}
    for name, suite in SUITES.items():
        usual = {label: job for label, job in suite.jobs().items() if suite.usual(label)}
        for place, (label, job) in enumerate(usual.items()):
            thing = (job.peer, job.task, job.recipe, job.kind == PNG)
            chosen.setdefault((name,) if place == 0 and thing in chosen else thing, (name, label))
    return set(chosen.values())


def entrant(item: pytest.Item) -> list[tuple[str, str]]:
    """Suite and label of a benchmark; nothing of a doctest."""
    if not isinstance(item, pytest.Function):
        return []
    params: dict[str, Any] = item.callspec.params
    return [(params["suite"], params["label"])]


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Places:
    smoke, full = (bool(pytestconfig.getoption(name)) for name in ("--smoke", "--full"))
    made = Places(tmp_path_factory.mktemp("benchmarks"), smoke, full)
    pytestconfig.stash[PLACES] = made
    return made


@pytest.fixture(scope="session")
def measured(
    places: Places, pytestconfig: pytest.Config, request: pytest.FixtureRequest
) -> Callable[[str, str], Measurement]:
    """An entrant's measurement; the first call measures all selected entrants of its suite."""
    selected = [entry for item in request.session.items for entry in entrant(item)]

    @cache
    def run(name: str) -> dict[str, Measurement]:
        suite = SUITES[name]
        jobs = suite.jobs()
        chosen = [jobs[label] for suite_name, label in selected if suite_name == name]
        if places.smoke:
            chosen = [in_small(job) for job in chosen]
        rounds = 1 if places.smoke else pytestconfig.getoption("--rounds")
        results = measure(suite, places.place(chosen), rounds, quick=places.smoke)
        for result in results:
            result.form = suite.form
            result.pack_in(places.seconds_of(result.job))
        pytestconfig.stash[MEASUREMENTS].extend(results)
        return {result.job.label: result for result in results}

    return lambda suite, label: run(suite)[label]


def in_small(job: Job) -> Job:
    """The job on two dozen photos."""
    batch, rows = min(job.batch, SMOKE_BATCH), min(job.rows, SMOKE_ROWS)
    return replace(job, batch=batch, rows=rows, passes=1)


def notes(config: pytest.Config) -> list[str]:
    """What a reader should know of a run."""
    smoke = [SMOKE_NOTE] if config.getoption("--smoke") else []
    return [*config.stash[PLACES].notes, *smoke]


def pytest_benchmark_update_machine_info(
    config: pytest.Config, machine_info: dict[str, Any]
) -> None:
    machine_info["fastload"] = config.stash[MACHINE].as_dict()
    # Figures are published; how a machine and its kernel are called where they stand is nobody's
    # business.
    for name in ("node", "release"):
        machine_info.pop(name, None)


def pytest_benchmark_update_json(
    config: pytest.Config, benchmarks: list[Any], output_json: dict[str, Any]
) -> None:
    if PLACES not in config.stash:
        return
    smoke = bool(config.getoption("--smoke"))
    output_json["fastload"] = document.of_run(
        config.stash[MEASUREMENTS],
        config.stash[PLACES].photos,
        1 if smoke else config.getoption("--rounds"),
        smoke,
        config.stash[PLACES].notes,
    )


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    measurements = config.stash[MEASUREMENTS]
    if not measurements:
        return
    header = "\n".join([str(config.stash[MACHINE]), *notes(config)])
    console = Console(file=StringIO(), width=TABLE_WIDTH, force_terminal=terminalreporter.hasmarkup)
    with console.capture() as page:
        console.print(table.report(header, BARS, measurements, config.stash[PLACES].photos))
    terminalreporter.write_line("")
    terminalreporter.write(page.get())
