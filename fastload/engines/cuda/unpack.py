"""From packed blocks to samples: docs/format.md section 6 has the bytes of a group."""

from __future__ import annotations

import triton
import triton.language as tl

from fastload.engines.cuda.bits import count_ones, wrapped16
from fastload.engines.cuda.columns import (
    PLANE_DATA,
    PLANE_FIELDS,
    PLANE_FIRST_BLOCK,
    PLANE_FIRST_PIECE,
    PLANE_FIRST_ROW,
    PLANE_PIECES,
    PLANE_QUANT,
    PLANE_SAMPLES,
    PLANE_STRIDE,
)
from fastload.engines.cuda.inverse_dct import columns_pass, rows_pass, transposed

__all__ = ["unpack_blocks"]

# Blocks of a piece at most.
_BLOCKS = tl.constexpr(16)


@triton.jit
def _block_masks(bytes_, ac, row_bits):
    """Which coefficients of a block are not zero: bit 8 y + x of an int64, (blocks, 1)."""
    masks = row_bits.to(tl.int64) * 0
    for y in tl.static_range(8):
        before = count_ones((row_bits & ((1 << y) - 1)).to(tl.int64))
        mask = tl.load(bytes_ + ac + 1 + before, mask=((row_bits >> y) & 1) == 1, other=0)
        masks |= mask.to(tl.int64) << (8 * y)
    return masks


@triton.jit
def _wide_bits(bytes_, at, count):
    """Which of a block's ``count`` values have a high part: bit i of an int64, (blocks, 1)."""
    bits = count.to(tl.int64) * 0
    for i in tl.static_range(8):
        byte = tl.load(bytes_ + at + i, mask=8 * i < count, other=0)
        bits |= byte.to(tl.int64) << (8 * i)
    return bits


@triton.jit
def _coefficients(bytes_, halves, quant, dc, masks, nibbles, wide, parts, ROW: tl.constexpr):
    """The coefficients of vertical frequency ROW times their steps: int32, (blocks, 8).

    One lane has one: its place among the values is how many bits of the masks come before it.
    """
    x = tl.arange(0, 8)[None, :]
    place = (8 * ROW + x).to(tl.int64)
    here = ((masks >> place) & 1) == 1
    one = place * 0 + 1
    rank = count_ones(masks & ((one << place) - 1)).to(tl.int64)
    pair = tl.load(bytes_ + nibbles + rank // 2, mask=here, other=0).to(tl.int32)
    value = (((pair >> (4 * (rank % 2)).to(tl.int32)) & 15) ^ 8) - 8
    is_wide = here & (((wide >> rank) & 1) == 1)
    before = count_ones(wide & ((one << rank) - 1))
    part = tl.load(bytes_ + parts + before, mask=is_wide, other=0).to(tl.int32)
    value += 16 * ((part ^ 128) - 128) * is_wide.to(tl.int32)
    value = tl.where(here, value, 0)
    if ROW == 0:
        value = tl.where(place == 0, dc, value)
    steps = tl.load(halves + quant + place).to(tl.int32) & 0xFFFF
    return wrapped16(value * steps)


@triton.jit(do_not_specialize=["total"])
def unpack_blocks(bytes_, halves, words, planes, plane_of, total, PIECES: tl.constexpr):
    """Unpack the blocks of some pieces, dequantise, invert the DCT, store 8 rows of samples each.

    Program: PIECES pieces of 1 to 16 blocks beside each other. Lanes: (block, column of the block);
    the eight rows of a block are eight tensors.

    Args:
        bytes_: the batch's memory as uint8.
        halves: the same as int16.
        words: the same as int32.
        planes: table PLANE.
        plane_of: int32, (total,): each piece's row of it.
        total: how many pieces there are.
        PIECES: of a program.
    """
    n = tl.arange(0, PIECES * _BLOCKS)[:, None]
    number = tl.program_id(0) * PIECES + n // _BLOCKS
    exists = number < total
    row = tl.load(plane_of + number, mask=exists, other=0).to(tl.int64)
    plane = planes + row * PLANE_FIELDS
    entry = tl.load(plane + PLANE_PIECES) + 2 * (number - tl.load(plane + PLANE_FIRST_PIECE))
    piece = tl.load(plane + PLANE_DATA) + tl.load(words + entry, mask=exists, other=0)
    where = tl.load(words + entry + 1, mask=exists, other=0)
    count = where & 31
    first = (where >> 5) & 8191
    block_row = where >> 18

    block = n % _BLOCKS
    there = block < count
    low = tl.load(bytes_ + piece + 2 * block, mask=there, other=0).to(tl.int32)
    high = tl.load(bytes_ + piece + 2 * block + 1, mask=there, other=0).to(tl.int32)
    dc = wrapped16(low | high << 8)
    length = tl.load(bytes_ + piece + 2 * count + block, mask=there, other=0).to(tl.int32)
    ends = tl.cumsum(tl.reshape(length, (PIECES, _BLOCKS)), 1)
    ac = piece + 3 * count + tl.reshape(ends, (PIECES * _BLOCKS, 1)) - length
    row_bits = tl.load(bytes_ + ac, mask=length > 0, other=0).to(tl.int32)
    masks = _block_masks(bytes_, ac, row_bits)
    ones = count_ones(masks)
    nibbles = ac + 1 + count_ones(row_bits.to(tl.int64))
    wide_at = nibbles + (ones + 1) // 2
    wide = _wide_bits(bytes_, wide_at, ones)
    parts = wide_at + (ones + 7) // 8

    quant = tl.load(plane + PLANE_QUANT)
    r0 = _coefficients(bytes_, halves, quant, dc, masks, nibbles, wide, parts, 0)
    r1 = _coefficients(bytes_, halves, quant, dc, masks, nibbles, wide, parts, 1)
    r2 = _coefficients(bytes_, halves, quant, dc, masks, nibbles, wide, parts, 2)
    r3 = _coefficients(bytes_, halves, quant, dc, masks, nibbles, wide, parts, 3)
    r4 = _coefficients(bytes_, halves, quant, dc, masks, nibbles, wide, parts, 4)
    r5 = _coefficients(bytes_, halves, quant, dc, masks, nibbles, wide, parts, 5)
    r6 = _coefficients(bytes_, halves, quant, dc, masks, nibbles, wide, parts, 6)
    r7 = _coefficients(bytes_, halves, quant, dc, masks, nibbles, wide, parts, 7)

    r0, r1, r2, r3, r4, r5, r6, r7 = columns_pass(r0, r1, r2, r3, r4, r5, r6, r7)
    c0, c1, c2, c3, c4, c5, c6, c7 = transposed(r0, r1, r2, r3, r4, r5, r6, r7)
    c0, c1, c2, c3, c4, c5, c6, c7 = rows_pass(c0, c1, c2, c3, c4, c5, c6, c7)
    r0, r1, r2, r3, r4, r5, r6, r7 = transposed(c0, c1, c2, c3, c4, c5, c6, c7)

    stride = tl.load(plane + PLANE_STRIDE)
    y = 8 * (block_row - tl.load(plane + PLANE_FIRST_ROW))
    x = 8 * (first - tl.load(plane + PLANE_FIRST_BLOCK) + block) + tl.arange(0, 8)[None, :]
    out = bytes_ + tl.load(plane + PLANE_SAMPLES) + y * stride + x
    _store_samples(out, r0, there)
    _store_samples(out + stride, r1, there)
    _store_samples(out + 2 * stride, r2, there)
    _store_samples(out + 3 * stride, r3, there)
    _store_samples(out + 4 * stride, r4, there)
    _store_samples(out + 5 * stride, r5, there)
    _store_samples(out + 6 * stride, r6, there)
    _store_samples(out + 7 * stride, r7, there)


@triton.jit
def _store_samples(out, samples, there):
    """Around 0 to levels."""
    levels = tl.minimum(tl.maximum(samples, -128), 127) + 128
    tl.store(out, levels.to(tl.uint8), mask=there)
