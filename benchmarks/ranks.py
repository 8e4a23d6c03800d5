"""An epoch that several processes share, as the ranks of a distributed training do."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait

import fastload
from benchmarks.job import Job
from benchmarks.recipes import torchvision_transform
from benchmarks.worker import Window

FORK = multiprocessing.get_context("fork")


def ranks(job: Job) -> Window:
    """One window is one epoch over ``job.ranks`` processes of ``job.threads`` threads each.

    The processes stay as long as the window does; each tells of every batch that it has.
    """
    pipes = [FORK.Pipe() for _ in range(job.ranks)]
    for rank in range(job.ranks):
        FORK.Process(target=serve_rank, args=(job, rank, pipes), daemon=True).start()
    for _, theirs in pipes:
        theirs.close()
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


def serve_rank(job: Job, rank: int, pipes: Sequence[tuple[Connection, Connection]]) -> None:
    """One rank: an epoch whenever it is told, the images of each batch and 0 at the end.

    Args:
        job: what is loaded.
        rank: whose share.
        pipes: of all ranks, their callers' end first.

    """
    caller = pipes[rank][1]
    # Forked, this process has the ends of all; as long as it keeps its caller's, it would never
    # learn that nobody asks any more.
    for ends in pipes:
        for end in ends:
            if end is not caller:
                end.close()
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
    with suppress(EOFError, BrokenPipeError):
        caller.send(None)
        while True:
            caller.recv()
            for images, _labels in loader:
                caller.send(len(images))
            caller.send(0)
