"""What a loader says about its own doing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from fastload.augment import Note, Output, Pipeline
from fastload.sample import OrderSampler, Ranks

__all__ = ["explain_pipeline", "explain_ranks", "named_transforms", "one_line"]

# Where an object lies in memory is no part of what it is.
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def explain_ranks(ranks: Ranks, sampler: Any, uneven: str, steps: int) -> Iterable[str]:
    """A line about the share of an epoch that is served, where there are several ranks."""
    if ranks.ranks == 1:
        return
    place = f"rank {ranks.rank} of {ranks.ranks} ({ranks.source})"
    if isinstance(sampler, OrderSampler):
        yield f"{place}, uneven {uneven}, {steps} batches an epoch"
    else:
        yield f"{place}, served what {type(sampler).__name__} gives, not divided again"


def named_transforms(pipeline: Pipeline) -> list[str]:
    """The transforms and what comes out, in words that are the same in every process."""
    named = [one_line(note.transform) for note in pipeline.notes]
    return [*named, _output(pipeline.output, pipeline.known_size())]


def explain_pipeline(pipeline: Pipeline) -> Iterable[str]:
    """Lines that tell for each transform where it runs, and what comes out."""
    for note in pipeline.notes:
        yield f"  {_where(note):<13} {one_line(note.transform)}{_because(note)}"
    if not pipeline.notes:
        yield "  (no transform: samples are PIL images)"
    yield f"  output        {_output(pipeline.output, pipeline.known_size())}"


def _where(note: Note) -> str:
    return "engine" if note.reason is None else "per sample"


def _because(note: Note) -> str:
    return "" if note.reason is None else f"  <- {note.reason}"


def one_line(transform: object) -> str:
    """A transform in words that are the same in every process."""
    if hasattr(transform, "__qualname__"):
        return str(transform.__qualname__)
    return _ADDRESS.sub("", " ".join(repr(transform).split()))


def _output(output: Output, size: tuple[int, int] | None) -> str:
    dtype = str(output.dtype).removeprefix("torch.")
    height, width = size if size is not None else ("height", "width")
    return f"{output.container.value}, {dtype}, {output.channels} x {height} x {width}"
