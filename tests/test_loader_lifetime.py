"""Loaders of processes that are killed, forked and spawned, and of epochs that are broken off."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from torch import multiprocessing
from torchvision.transforms import transforms as v1

import fastload
from tests.forked import in_child

ROOT = Path(__file__).resolve().parents[1]
ENGINES = ["native", "torch"]
TRANSFORM = v1.Compose([v1.RandomResizedCrop(24), v1.RandomHorizontalFlip(), v1.ToTensor()])

# A training process that is always in the midst of an epoch.
TRAINING = """
import sys
from torchvision.transforms import transforms as v1
import fastload

transform = v1.Compose([v1.RandomResizedCrop(224), v1.ToTensor()])
dataset = fastload.ImageFolder(sys.argv[1], transform)
loader = fastload.DataLoader(dataset, 4, shuffle=True, num_workers=3, engine=sys.argv[2])
while True:
    for images, labels in loader:
        print("batch", flush=True)
"""


def loader_of(pack: Path, **arguments: Any) -> fastload.DataLoader:
    arguments = {"shuffle": True, "seed": 1, "num_workers": 2} | arguments
    return fastload.DataLoader(fastload.ImageFolder(pack, TRANSFORM), 4, **arguments)


def images_of(loader: fastload.DataLoader) -> torch.Tensor:
    return torch.cat([images for images, _ in loader])


def files_of(folders: list[Path]) -> set[Path]:
    return {file for folder in folders for file in folder.rglob("*")}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_killed_training_leaves_nothing_behind(
    small_pack: Path, tmp_path: Path, engine: str
) -> None:
    folders = [tmp_path, small_pack]
    before = files_of(folders)
    with subprocess.Popen(
        [sys.executable, "-c", TRAINING, small_pack, engine],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    ) as training:
        assert training.stdout is not None
        assert [training.stdout.readline() for _ in range(20)] == ["batch\n"] * 20
        process = psutil.Process(training.pid)
        assert process.children(recursive=True) == [], "threads, no processes"
        held = {file.path for file in process.open_files()}
        held |= {mapped.path for mapped in process.memory_maps()}
        assert [path for path in held if path.startswith("/dev/shm")] == []
        training.send_signal(signal.SIGKILL)
    assert training.returncode == -signal.SIGKILL
    assert files_of(folders) == before


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_loader_in_another_process(small_pack: Path, engine: str, method: str) -> None:
    """A child goes on from where its parent was when it began, in the midst of a pass even."""
    context: Any = multiprocessing.get_context(method)
    loader = loader_of(small_pack, engine=engine, num_workers=1)
    images_of(loader)
    running = iter(loader)
    next(running)
    result = context.SimpleQueue()
    child = context.Process(target=in_child, args=(loader, _epoch(small_pack, engine, 2), result))
    child.start()
    child.join(60)
    assert child.exitcode == 0 and result.get()
    assert len(list(running)) == 5


def _epoch(pack: Path, engine: str, epoch: int) -> torch.Tensor:
    loader = loader_of(pack, engine=engine, num_workers=1)
    loader.set_epoch(epoch)
    return images_of(loader)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_state_loaded_before_a_process_begins_counts_in_it(small_pack: Path, method: str) -> None:
    context: Any = multiprocessing.get_context(method)
    first = loader_of(small_pack)
    next(iter(first))
    state = first.state_dict()
    loader, same = loader_of(small_pack), loader_of(small_pack)
    loader.load_state_dict(state)
    same.load_state_dict(state)
    result = context.SimpleQueue()
    child = context.Process(target=in_child, args=(loader, images_of(same), result))
    child.start()
    child.join(60)
    assert child.exitcode == 0 and result.get()


def test_a_forked_child_that_ends_leaves_its_parent_alone(small_pack: Path) -> None:
    loader = loader_of(small_pack)
    running = iter(loader)
    next(running)
    child = os.fork()
    if child == 0:
        # All that the child inherited is let go of.
        del running, loader
        gc.collect()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert len(list(running)) == 5
    assert len(images_of(loader)) == 22


def test_memory_and_threads_stay_flat_over_fifty_broken_epochs(small_pack: Path) -> None:
    transform = v1.Compose([v1.Resize((256, 256)), v1.ToTensor()])
    dataset = fastload.ImageFolder(small_pack, transform)
    loader = fastload.DataLoader(dataset, 2, shuffle=True, seed=1, num_workers=2)
    process = psutil.Process()

    def break_off(epochs: int) -> None:
        for _ in range(epochs):
            for step, _ in enumerate(loader):
                if step == 5:
                    break
            loader.load_state_dict(loader.state_dict())

    break_off(10)
    gc.collect()
    threads, descriptors = process.num_threads(), process.num_fds()
    memory = process.memory_info().rss
    start = time.monotonic()
    break_off(50)
    assert time.monotonic() - start < 60
    gc.collect()
    assert process.num_threads() == threads
    assert process.num_fds() == descriptors
    # One epoch's batches are 17 MB: a leak of one batch an epoch would be 80.
    assert process.memory_info().rss - memory < 15e6
    loader.close()


def test_an_interactive_session(small_pack: Path) -> None:
    """As in a notebook: cells run again, the last result kept, the loader made anew."""
    cell = "loader = make()\nrunning = iter(loader)\nbatch = next(running)\nlast = batch"
    session: dict[str, Any] = {"make": lambda: loader_of(small_pack)}
    exec(cell, session)
    first = session["last"][0].clone()
    threads = psutil.Process().num_threads()
    for _ in range(5):
        exec(cell, session)
        assert torch.equal(session["last"][0], first)
    gc.collect()
    assert psutil.Process().num_threads() <= threads
