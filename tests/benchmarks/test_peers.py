from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

import pytest

from benchmarks import peers
from benchmarks.environments import NotInstalledError, python_of
from benchmarks.job import TRAIN_UINT8, Job
from benchmarks.peers import PEERS
from benchmarks.photos import cut_photos
from benchmarks.round_robin import measure
from benchmarks.suites import LOADER, RESIZED_LOADER, Suite

FOLDER = Path(peers.__file__).parent
THEIRS = sorted(
    peer
    for peer in {job.peer for suite in (LOADER, RESIZED_LOADER) for job in suite.jobs().values()}
    if not peer.startswith("fastload")
)
IMAGES, BATCH, PASSES = 24, 4, 2


def names_of(module: Path) -> set[str]:
    """What a module's first level defines or imports; it is not run, since its peer may be absent."""
    names: set[str] = set()
    for node in ast.parse(module.read_text()).body:
        if isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.FunctionDef):
            names.add(node.name)
    return names


def test_every_peer_has_an_adapter_and_every_adapter_is_a_peer() -> None:
    assert {file.stem for file in FOLDER.glob("*.py")} - {"__init__"} == PEERS.keys()


@pytest.mark.parametrize("peer", sorted(PEERS))
def test_an_adapter_says_its_version_and_packs_if_it_has_a_form_of_its_own(peer: str) -> None:
    names = names_of(FOLDER / f"{peer}.py")
    assert "VERSION" in names
    assert not PEERS[peer].packs or "pack" in names


@pytest.mark.parametrize("peer", THEIRS)
def test_an_adapter_of_a_loader_suite_loads(peer: str) -> None:
    assert "load" in names_of(FOLDER / f"{peer}.py")


def test_a_title_takes_the_version_in() -> None:
    assert PEERS["dali"].called("DALI 2.4.0") == "DALI 2.4.0, CPU"
    assert all(peer.called("1.0") for peer in PEERS.values())


def test_an_environment_of_another_peer_is_one_that_is_made() -> None:
    borrowed = {peer.environment for peer in PEERS.values() if peer.environment}
    assert all(PEERS[name].requirements for name in borrowed)


@pytest.mark.skipif(
    importlib.util.find_spec("sklearn") is None, reason="scikit-learn ships the photos that are cut"
)
@pytest.mark.parametrize("peer", THEIRS)
def test_a_peer_that_is_installed_gives_all_its_batches(peer: str, tmp_path: Path) -> None:
    try:
        python_of(peer)
    except NotInstalledError as error:
        pytest.skip(str(error))
    cut_photos(tmp_path / "photos", IMAGES)
    paths = {"photos": str(tmp_path / "photos")}
    if PEERS[peer].packs:
        paths["packed"] = str(tmp_path / "packed")
        [packing] = measure(Suite("pack", "pack", ()), [Job(peer, "pack", threads=2, **paths)], 1)
        assert (packing.error, packing.images) == ("", [IMAGES])
    # What a batch is made of, the adapters' process looks at itself.
    job = Job(peer, "load", TRAIN_UINT8, threads=2, batch=BATCH, passes=PASSES, **paths)
    [loading] = measure(Suite("load", "load", ()), [job], 1)
    assert (loading.error, loading.images) == ("", [PASSES * IMAGES])
