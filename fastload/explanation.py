"""What a loader says about its own doing."""

from __future__ import annotations

from collections.abc import Iterable

from fastload.augment import Note, Output, Pipeline

__all__ = ["explain_pipeline"]


def explain_pipeline(pipeline: Pipeline) -> Iterable[str]:
    """Lines that tell for each transform where it runs, and what comes out."""
    for note in pipeline.notes:
        yield f"  {_where(note):<13} {_one_line(note.transform)}{_because(note)}"
    if not pipeline.notes:
        yield "  (no transform: samples are PIL images)"
    yield f"  output        {_output(pipeline.output, pipeline.known_size())}"


def _where(note: Note) -> str:
    return "engine" if note.reason is None else "per sample"


def _because(note: Note) -> str:
    return "" if note.reason is None else f"  <- {note.reason}"


def _one_line(transform: object) -> str:
    if hasattr(transform, "__qualname__"):
        return str(transform.__qualname__)
    return " ".join(repr(transform).split())


def _output(output: Output, size: tuple[int, int] | None) -> str:
    dtype = str(output.dtype).removeprefix("torch.")
    height, width = size if size is not None else ("height", "width")
    return f"{output.container.value}, {dtype}, {output.channels} x {height} x {width}"
