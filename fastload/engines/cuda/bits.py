"""Counting bits, and 16-bit arithmetic in 32-bit registers."""

from __future__ import annotations

import triton
import triton.language as tl

__all__ = ["count_ones", "saturated16", "wrapped16"]


@triton.jit
def count_ones(bits):
    """How many bits of each int64 are 1, as int32: sums of ever wider fields."""
    pairs = bits - ((bits >> 1) & 0x5555555555555555)
    fours = (pairs & 0x3333333333333333) + ((pairs >> 2) & 0x3333333333333333)
    eights = (fours + (fours >> 4)) & 0x0F0F0F0F0F0F0F0F
    # By shifts: a product of these would not fit, and overflow is for the sign's sake a warning.
    halves = eights + (eights >> 32)
    quarters = halves + (halves >> 16)
    return ((quarters + (quarters >> 8)) & 0x7F).to(tl.int32)


@triton.jit
def wrapped16(value):
    """The low 16 bits of int32 values, signed."""
    return (value << 16) >> 16


@triton.jit
def saturated16(value):
    """The nearest int32 values that fit 16 bits."""
    return tl.minimum(tl.maximum(value, -32768), 32767)
