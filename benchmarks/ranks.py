"""An epoch that several processes share, as the ranks of a distributed training do."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait

import fastload
from benchmarks.job import Job
from benchmarks.recipes import torchvision_transform
from benchmarks.worker import Window

FORK = multiprocessing.get_context("fork")


def ranks(job: Job) -> Window:
    """One window is one epoch over ``job.ranks`` processes of ``job.threads`` threads each.

    The processes stay; each tells of every batch that it has.
    """
    pipes = [FORK.Pipe() for _ in range(job.ranks)]
    for rank, (_, theirs) in enumerate(pipes):
        FORK.Process(target=serve_rank, args=(job, rank, theirs), daemon=True).start()
    ours = [pipe for pipe, _ in pipes]
    for pipe in ours:
        pipe.recv()  # its loader is there

    def window() -> Iterator[int]:
        for pipe in ours:
            pipe.send(None)
        running = set(ours)
        while running:
            for pipe in wait(list(running)):
                assert isinstance(pipe, Connection)
                if images := pipe.recv():
                    yield images
                else:
                    running.remove(pipe)

    return window


def serve_rank(job: Job, rank: int, caller: Connection) -> None:
    """One rank: an epoch whenever it is told, the images of each batch and 0 at the end."""
    loader = fastload.DataLoader(
        fastload.ImageFolder(job.packed, torchvision_transform(job.recipe)),
        job.batch,
        shuffle=True,
        seed=0,
        num_workers=job.threads,
        persistent_workers=True,
        drop_last=True,
        cache=0,
        rank=rank,
        world_size=job.ranks,
    )
    caller.send(None)
    while True:
        caller.recv()
        for images, _labels in loader:
            caller.send(len(images))
        caller.send(0)
