from __future__ import annotations

import ast
from pathlib import Path

import pytest
import torch

from benchmarks import peers
from benchmarks.job import SIDE
from benchmarks.loading import passes_of
from benchmarks.peers import PEERS
from benchmarks.suites import LOADER, RESIZED_LOADER

FOLDER = Path(peers.__file__).parent
THEIRS = sorted(
    peer
    for peer in {job.peer for suite in (LOADER, RESIZED_LOADER) for job in suite.jobs().values()}
    if not peer.startswith("fastload")
)


def names_of(module: Path) -> set[str]:
    """What a module defines or imports; it is not run, since its peer may not be there."""
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


def test_a_batch_is_looked_at_from_outside() -> None:
    images, labels = torch.zeros(4, 3, SIDE, SIDE), torch.zeros(4)
    assert list(passes_of([(images, labels), (images.permute(0, 2, 3, 1), labels)])()) == [4, 4]
    for wrong in ((images[:3], labels), (images[..., :-1], labels), (images[:, :2], labels)):
        with pytest.raises(ValueError, match="a batch of"):
            list(passes_of([wrong])())
