"""The tables that tell the kernels of a batch: made for all images at once, by NumPy.

Of a batch there is one piece of memory on the device. It begins with a copy of the arena: first
what is made here, then what the pool has gathered. Scratch is behind it: samples, the pixels of
boxes, what lies between the two passes of a resize.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from fastload.augment import Output
from fastload.augment.steps import StepKind
from fastload.engines.cuda.columns import BOX, PASS, PLANE
from fastload.engines.cuda.gathered import BLOCKS
from fastload.engines.cuda.pixel_steps import COLOUR_KINDS

__all__ = ["Programs", "Tables", "table_bytes", "views", "write_tables"]


_ALIGNMENT = 16
_HALF, _WORD = 2, 4
_BLOCK = 8

# Of a plane, as the pool tells of it.
_GEOMETRY = (
    "first_block",
    "first_row",
    "step_across",
    "step_down",
    "smooth_across",
    "smooth_down",
    "width",
    "height",
)

Table = npt.NDArray[np.int64]
Gathered = npt.NDArray[Any]


@dataclass(frozen=True)
class Programs:
    """How many programs each kernel needs, all images together.

    Attributes:
        pieces: of packed blocks.
        boxes: one for each tile of a box.
        passes: one for each tile of what the first pass gives, and the second one.
        phases: of colour, at least 0.
    """

    pieces: int
    boxes: int
    passes: tuple[int, int]
    phases: int


@dataclass(frozen=True)
class Tables:
    """A batch's tables, as views of the arena; on the device, as views of its copy.

    Attributes:
        planes, boxes, first_pass, second_pass: see ``columns.py``.
        kinds, factors, bounds: see ``pixel_steps.py``.
        flips, erased, erased_values, table: see ``output.py``.
    """

    planes: Any
    boxes: Any
    first_pass: Any
    second_pass: Any
    kinds: Any
    factors: Any
    bounds: Any
    flips: Any
    erased: Any
    erased_values: Any
    table: Any


def _layout(images: int, steps: npt.NDArray[Any], output: Output) -> dict[str, Any]:
    """Shape and dtype of each table, by name in the order in which they lie."""
    colours, boxes = _counts(steps)
    contrasts = (steps["kind"] == StepKind.CONTRAST).sum(axis=1).max(initial=0)
    return {
        "planes": ((3 * images, len(PLANE)), torch.int64),
        "boxes": ((images, len(BOX)), torch.int64),
        "first_pass": ((images, len(PASS)), torch.int64),
        "second_pass": ((images, len(PASS)), torch.int64),
        "kinds": ((images, colours), torch.int32),
        "factors": ((images, colours), torch.float32),
        "bounds": ((int(contrasts) + 2, images), torch.int32),
        "flips": ((images, 2), torch.int32),
        "erased": ((images, boxes, 4), torch.int32),
        "erased_values": ((images, boxes, 3), output.dtype),
        "table": ((output.channels, 256), output.dtype),
    }


def _counts(steps: npt.NDArray[Any]) -> tuple[int, int]:
    """Steps that may change colours, and such as may erase."""
    erase = (steps["kind"] == StepKind.ERASE).any(axis=0)
    colour = np.isin(steps["kind"], COLOUR_KINDS).any(axis=0)
    return int(colour.sum()), int(erase.sum())


def _aligned(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT


def table_bytes(images: int, steps: npt.NDArray[Any], output: Output) -> int:
    """What the tables of a batch take: they lie at the beginning of its arena."""
    layout = _layout(images, steps, output).values()
    return sum(_aligned(int(np.prod(shape)) * dtype.itemsize) for shape, dtype in layout)


def views(memory: torch.Tensor, images: int, steps: npt.NDArray[Any], output: Output) -> Tables:
    """The tables in an arena, or in its copy on the device."""
    at, found = 0, {}
    for name, (shape, dtype) in _layout(images, steps, output).items():
        size = int(np.prod(shape)) * dtype.itemsize
        found[name] = memory[at : at + size].view(dtype).view(shape)
        at += _aligned(size)
    return Tables(**found)


def write_tables(
    arena: torch.Tensor,
    used: int,
    gathered: Gathered,
    steps: npt.NDArray[Any],
    output: Output,
    size: tuple[int, int],
    tile: int,
) -> tuple[Programs, int]:
    """Fill the tables of a batch whose images the pool has gathered.

    Args:
        arena: uint8, what the pool has gathered in.
        used: bytes of it.
        gathered: dtype GATHERED, shape (n,).
        steps: dtype STEP, shape (n, steps).
        output: what comes out.
        size: height and width of the results.
        tile: pixels of a program.

    Returns:
        the programs, and the bytes of the whole memory: the results of the second pass, uint8 of
        shape (n, 3, height, width), lie at its end.
    """
    tables = views(arena, len(gathered), steps, output)
    numbers = {
        name: getattr(tables, name).numpy()
        for name in ("planes", "boxes", "first_pass", "second_pass")
    }
    end, pieces = _fill_planes(numbers["planes"], gathered, _aligned(used))
    end, box_programs = _fill_boxes(numbers["boxes"], gathered, end, tile)
    source = _sources(gathered, numbers["boxes"])
    end, programs = _fill_passes(
        (numbers["first_pass"], numbers["second_pass"]), gathered, source, size, end, tile
    )
    _fill_steps(tables, gathered, steps)
    tables.table.copy_(output.table)
    phases = len(tables.bounds) - 1 if tables.kinds.shape[1] else 0
    return Programs(pieces, box_programs, programs, phases), end


def _put(table: Table, names: tuple[str, ...], **columns: Any) -> None:
    for name, column in columns.items():
        table[:, names.index(name)] = column


def _place(sizes: Table, start: int) -> tuple[Table, int]:
    """Where parts of these sizes lie, one behind the other, and where they end."""
    ends = start + np.cumsum(-(-sizes // _ALIGNMENT) * _ALIGNMENT)
    return np.concatenate(([start], ends[:-1])), int(ends[-1]) if len(ends) else start


def _first(counts: Table) -> Table:
    return np.cumsum(counts) - counts


def _integers(gathered: Gathered, name: str) -> Table:
    return gathered[name].astype(np.int64)


def _fill_planes(table: Table, gathered: Gathered, start: int) -> tuple[int, int]:
    planes = gathered["planes"]
    across = (planes["last_block"] - planes["first_block"]).astype(np.int64).ravel()
    down = (planes["last_row"] - planes["first_row"]).astype(np.int64).ravel()
    pieces = planes["pieces"].astype(np.int64)
    pieces[gathered["kind"] != BLOCKS] = 0
    sizes = np.where(pieces.ravel() > 0, across * down * _BLOCK * _BLOCK, 0)
    samples, end = _place(sizes, start)
    before = np.cumsum(pieces, axis=1) - pieces
    quant = _integers(gathered, "quant")[:, None] // _HALF + 64 * np.arange(3)
    _put(
        table,
        PLANE,
        first_piece=_first(pieces.ravel()),
        piece_count=pieces.ravel(),
        pieces=(_integers(gathered, "pieces")[:, None] // _WORD + 2 * before).ravel(),
        data=np.repeat(_integers(gathered, "data"), 3),
        quant=quant.ravel(),
        samples=samples,
        stride=across * _BLOCK,
        **{name: planes[name].ravel() for name in _GEOMETRY},
    )
    return end, int(pieces.sum())


def _programs(pixels: Table, tile: int) -> Table:
    return -(-pixels // tile)


def _fill_boxes(table: Table, gathered: Gathered, start: int, tile: int) -> tuple[int, int]:
    pixels = _integers(gathered, "width") * _integers(gathered, "height")
    pixels[gathered["kind"] != BLOCKS] = 0
    places, end = _place(pixels * gathered["channels"], start)
    programs = _programs(pixels, tile)
    sides = {name: gathered[name] for name in ("colour", "left", "top", "width", "height")}
    _put(table, BOX, program=_first(programs), programs=programs, pixels=places, **sides)
    return end, int(programs.sum())


def _sources(gathered: Gathered, boxes: Table) -> dict[str, Table]:
    """Where the pixels are that a resize reads: made of samples, or gathered."""
    width, height = _integers(gathered, "width"), _integers(gathered, "height")
    channels = _integers(gathered, "channels")
    planar = gathered["kind"] == BLOCKS
    coloured = channels == 3
    return {
        "source": np.where(planar, boxes[:, BOX.index("pixels")], _integers(gathered, "data")),
        "source_row": np.where(planar, width, width * channels),
        "source_pixel": np.where(planar, 1, channels),
        "source_channel": np.where(coloured, np.where(planar, width * height, 1), 0),
    }


def _fill_passes(
    tables: tuple[Table, Table],
    gathered: Gathered,
    source: dict[str, Table],
    size: tuple[int, int],
    start: int,
    tile: int,
) -> tuple[int, tuple[int, int]]:
    height, width = size
    here = gathered["kind"] != 0
    across_first = gathered["vertical_first"] == 0
    in_width, in_height = _integers(gathered, "width"), _integers(gathered, "height")
    taps = _integers(gathered, "taps_across"), _integers(gathered, "taps_down")
    across_axis = _integers(gathered, "axes") // _WORD
    axes = across_axis, across_axis + width * (1 + taps[0])

    middle_width = np.where(across_first, width, in_width)
    middle_height = np.where(across_first, in_height, height)
    middle_pixels = np.where(here, middle_width * middle_height, 0)
    middle, end = _place(3 * middle_pixels, start)
    results = end + np.arange(len(gathered), dtype=np.int64) * (3 * height * width)
    pixels = np.where(here, height * width, 0)
    for table, across, count, columns in (
        (
            tables[0],
            across_first,
            middle_pixels,
            {"result": middle, "width": middle_width, "height": middle_height, **source},
        ),
        (
            tables[1],
            ~across_first,
            pixels,
            {
                "result": results,
                "width": width,
                "height": height,
                "source": middle,
                "source_row": middle_width,
                "source_pixel": 1,
                "source_channel": middle_pixels,
            },
        ),
    ):
        programs = _programs(count, tile)
        _put(
            table,
            PASS,
            program=_first(programs),
            programs=programs,
            size=np.where(across, in_width, in_height),
            across=across,
            axis=np.where(across, *axes),
            taps=np.where(across, *taps),
            **columns,
        )
    ends = end + len(gathered) * 3 * height * width
    return ends, (int(_programs(middle_pixels, tile).sum()), int(_programs(pixels, tile).sum()))


def _fill_steps(tables: Tables, gathered: Gathered, steps: npt.NDArray[Any]) -> None:
    kinds = steps["kind"]
    colour = np.isin(kinds, COLOUR_KINDS)
    columns = colour.any(axis=0)
    done = gathered["finished"] != 0
    chosen = np.where(colour & ~done[:, None], kinds, 0)[:, columns]
    tables.kinds.numpy()[:] = chosen
    tables.factors.numpy()[:] = steps["f"][:, columns, 0]
    tables.bounds.numpy()[:] = _phase_bounds(chosen, len(tables.bounds))
    tables.flips.numpy()[:] = np.stack(
        (gathered["flip_left_right"], gathered["flip_top_down"]), axis=1
    )
    erase = (kinds == StepKind.ERASE).any(axis=0)
    erasing = steps[:, erase]
    boxes = erasing["i"][:, :, :4]
    boxes[erasing["kind"] != StepKind.ERASE] = 0
    tables.erased.numpy()[:] = boxes
    values = torch.from_numpy(np.ascontiguousarray(erasing["f"][:, :, :3]))
    if not tables.erased_values.dtype.is_floating_point:
        values = values.nan_to_num(0.0).clamp(0, 255)  # as LevelOf in fastload/native/output.h
    tables.erased_values.copy_(values)


def _phase_bounds(kinds: npt.NDArray[Any], count: int) -> npt.NDArray[Any]:
    """Where each phase begins, shape (count, n): the first at 0, the others at a contrast."""
    images, steps = kinds.shape
    bounds = np.full((count, images), steps, np.int32)
    bounds[0] = 0
    rows, places = np.nonzero(kinds == StepKind.CONTRAST)
    order = np.arange(len(rows)) - np.searchsorted(rows, rows)
    bounds[1 + order, rows] = places
    return bounds
