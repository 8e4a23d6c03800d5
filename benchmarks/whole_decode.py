"""Decoding whole files that are in memory, on one thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.job import Job
from benchmarks.variants import image_files
from benchmarks.worker import Window


def decoding(job: Job, decode: Callable[[bytes], Any]) -> Window:
    """One window decodes each photo ``job.passes`` times to RGB."""
    return decoding_each([file.read_bytes() for file in image_files(Path(job.photos))], job, decode)


def decoding_each(images: list[bytes], job: Job, decode: Callable[[bytes], Any]) -> Window:
    """The same, of bytes that are at hand."""

    def window() -> Iterator[int]:
        for _ in range(job.passes):
            for image in images:
                decode(image)
                yield 1

    return window
