"""Columns of the tables that kernels read: a row of int64 for each plane, image or pass.

``tables.py`` fills them by name. Offsets are in bytes from the beginning of the batch's memory,
unless they say otherwise.
"""

from __future__ import annotations

import triton.language as tl

__all__ = ["BOX", "PASS", "PLANE"]

PLANE = (
    "first_piece",  # of its pieces of packed blocks among those of all planes
    "piece_count",
    "pieces",  # where they are told of, in int32: see fl_gathered in the native library's capi.h
    "data",  # what a piece's offset is counted from
    "quant",  # 64 steps of coefficients, in int16
    "samples",  # where the samples go, and how far apart their rows lie
    "stride",
    "first_block",  # which block of a block row is the first that is there
    "first_row",  # and which block row
    "step_across",  # pixels of a sample
    "step_down",
    "smooth_across",  # whether samples are mixed with those beside them
    "smooth_down",
    "width",  # samples of the whole image
    "height",
)
"""One component of an image; three rows an image."""

BOX = (
    "program",  # the first of the programs that are this image's
    "programs",  # one for each tile of its pixels
    "colour",  # 0 grey, 1 YCbCr, 2 RGB
    "left",  # the box in the image, in pixels
    "top",
    "width",
    "height",
    "pixels",  # where they go, plane after plane
)
"""The pixels that an image is made of, where they are made of samples."""

PASS = (
    "program",  # the first of the programs that are this image's
    "programs",  # one for each tile of the result's pixels
    "source",
    "source_row",  # bytes from row to row, pixel to pixel, channel to channel
    "source_pixel",
    "source_channel",
    "size",  # pixels of the source along the axis
    "result",  # where it goes, plane after plane
    "width",
    "height",
    "across",  # 1 along rows, 0 along columns
    "axis",  # first[pixels along the axis], then weights[pixels][taps], in int32
    "taps",
)
"""One pass of an image's resize."""

PLANE_FIELDS = tl.constexpr(len(PLANE))
PLANE_FIRST_PIECE = tl.constexpr(PLANE.index("first_piece"))
PLANE_PIECES = tl.constexpr(PLANE.index("pieces"))
PLANE_DATA = tl.constexpr(PLANE.index("data"))
PLANE_QUANT = tl.constexpr(PLANE.index("quant"))
PLANE_SAMPLES = tl.constexpr(PLANE.index("samples"))
PLANE_STRIDE = tl.constexpr(PLANE.index("stride"))
PLANE_FIRST_BLOCK = tl.constexpr(PLANE.index("first_block"))
PLANE_FIRST_ROW = tl.constexpr(PLANE.index("first_row"))
PLANE_STEP_ACROSS = tl.constexpr(PLANE.index("step_across"))
PLANE_STEP_DOWN = tl.constexpr(PLANE.index("step_down"))
PLANE_SMOOTH_ACROSS = tl.constexpr(PLANE.index("smooth_across"))
PLANE_SMOOTH_DOWN = tl.constexpr(PLANE.index("smooth_down"))
PLANE_WIDTH = tl.constexpr(PLANE.index("width"))
PLANE_HEIGHT = tl.constexpr(PLANE.index("height"))

BOX_FIELDS = tl.constexpr(len(BOX))
BOX_PROGRAM = tl.constexpr(BOX.index("program"))
BOX_COLOUR = tl.constexpr(BOX.index("colour"))
BOX_LEFT = tl.constexpr(BOX.index("left"))
BOX_TOP = tl.constexpr(BOX.index("top"))
BOX_WIDTH = tl.constexpr(BOX.index("width"))
BOX_HEIGHT = tl.constexpr(BOX.index("height"))
BOX_PIXELS = tl.constexpr(BOX.index("pixels"))

PASS_FIELDS = tl.constexpr(len(PASS))
PASS_PROGRAM = tl.constexpr(PASS.index("program"))
PASS_SOURCE = tl.constexpr(PASS.index("source"))
PASS_SOURCE_ROW = tl.constexpr(PASS.index("source_row"))
PASS_SOURCE_PIXEL = tl.constexpr(PASS.index("source_pixel"))
PASS_SOURCE_CHANNEL = tl.constexpr(PASS.index("source_channel"))
PASS_SIZE = tl.constexpr(PASS.index("size"))
PASS_RESULT = tl.constexpr(PASS.index("result"))
PASS_WIDTH = tl.constexpr(PASS.index("width"))
PASS_HEIGHT = tl.constexpr(PASS.index("height"))
PASS_ACROSS = tl.constexpr(PASS.index("across"))
PASS_AXIS = tl.constexpr(PASS.index("axis"))
PASS_TAPS = tl.constexpr(PASS.index("taps"))
