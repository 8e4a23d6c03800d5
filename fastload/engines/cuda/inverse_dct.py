"""The inverse DCT of libjpeg ("islow"), bit for bit.

The algorithm of Loeffler, Ligtenberg and Moschytz (ICASSP 1989) with 12 multiplications, constants
with 13 bits behind the point, two more bits kept between the passes, sums of two values 16 bits
wide: the arithmetic of ``fastload/native/jpeg_kernels_any.h``.
"""

from __future__ import annotations

import triton
import triton.language as tl

from fastload.engines.cuda.bits import saturated16, wrapped16

__all__ = ["columns_pass", "rows_pass", "transposed"]

_BITS = 13
_BETWEEN = tl.constexpr(_BITS - 2)
_HALF_BETWEEN = tl.constexpr(1 << (_BITS - 3))
_LAST = tl.constexpr(_BITS + 2 + 3)
_HALF_LAST = tl.constexpr(1 << (_BITS + 4))
_POINT = tl.constexpr(_BITS)


def _fixed(value: float) -> int:
    return round(value * (1 << _BITS))


# Cosines' products and sums as the algorithm has them, by the value's digits.
_F0298, _F0390, _F0541 = _fixed(0.298631336), _fixed(0.390180644), _fixed(0.541196100)
_F0765, _F0899, _F1175 = _fixed(0.765366865), _fixed(0.899976223), _fixed(1.175875602)
_F1501, _F1847, _F1961 = _fixed(1.501321110), _fixed(1.847759065), _fixed(1.961570560)
_F2053, _F2562, _F3072 = _fixed(2.053119869), _fixed(2.562915447), _fixed(3.072711026)

_EVEN2_OF_2 = tl.constexpr(_F0541)
_EVEN2_OF_6 = tl.constexpr(_F0541 - _F1847)
_EVEN3_OF_2 = tl.constexpr(_F0541 + _F0765)
_EVEN3_OF_6 = tl.constexpr(_F0541)
_SUM3_OF_73 = tl.constexpr(_F1175 - _F1961)
_SUM3_OF_51 = tl.constexpr(_F1175)
_SUM4_OF_73 = tl.constexpr(_F1175)
_SUM4_OF_51 = tl.constexpr(_F1175 - _F0390)
_ODD0_OF_7 = tl.constexpr(_F0298 - _F0899)
_ODD0_OF_1 = tl.constexpr(-_F0899)
_ODD1_OF_5 = tl.constexpr(_F2053 - _F2562)
_ODD1_OF_3 = tl.constexpr(-_F2562)
_ODD2_OF_5 = tl.constexpr(-_F2562)
_ODD2_OF_3 = tl.constexpr(_F3072 - _F2562)
_ODD3_OF_7 = tl.constexpr(-_F0899)
_ODD3_OF_1 = tl.constexpr(_F1501 - _F0899)


@triton.jit
def _pass(r0, r1, r2, r3, r4, r5, r6, r7, SHIFT: tl.constexpr, HALF: tl.constexpr):
    """Eight points at a time: r0 to r7 are the same point of each of many, int32."""
    even0 = (wrapped16(r0 + r4) << _POINT) + HALF
    even1 = (wrapped16(r0 - r4) << _POINT) + HALF
    even2 = r2 * _EVEN2_OF_2 + r6 * _EVEN2_OF_6
    even3 = r2 * _EVEN3_OF_2 + r6 * _EVEN3_OF_6
    s73 = wrapped16(r7 + r3)
    s51 = wrapped16(r5 + r1)
    sum3 = s73 * _SUM3_OF_73 + s51 * _SUM3_OF_51
    sum4 = s73 * _SUM4_OF_73 + s51 * _SUM4_OF_51
    odd0 = sum3 + r7 * _ODD0_OF_7 + r1 * _ODD0_OF_1
    odd1 = sum4 + r5 * _ODD1_OF_5 + r3 * _ODD1_OF_3
    odd2 = sum3 + r5 * _ODD2_OF_5 + r3 * _ODD2_OF_3
    odd3 = sum4 + r7 * _ODD3_OF_7 + r1 * _ODD3_OF_1
    return (
        saturated16((even0 + even3 + odd3) >> SHIFT),
        saturated16((even1 + even2 + odd2) >> SHIFT),
        saturated16((even1 - even2 + odd1) >> SHIFT),
        saturated16((even0 - even3 + odd0) >> SHIFT),
        saturated16((even0 - even3 - odd0) >> SHIFT),
        saturated16((even1 - even2 - odd1) >> SHIFT),
        saturated16((even1 + even2 - odd2) >> SHIFT),
        saturated16((even0 + even3 - odd3) >> SHIFT),
    )


@triton.jit
def columns_pass(r0, r1, r2, r3, r4, r5, r6, r7):
    """The first pass: r``y`` has the coefficients of vertical frequency ``y``."""
    return _pass(r0, r1, r2, r3, r4, r5, r6, r7, _BETWEEN, _HALF_BETWEEN)


@triton.jit
def rows_pass(c0, c1, c2, c3, c4, c5, c6, c7):
    """The second pass, to samples around 0: c``x`` has what is of horizontal frequency ``x``."""
    return _pass(c0, c1, c2, c3, c4, c5, c6, c7, _LAST, _HALF_LAST)


@triton.jit
def transposed(r0, r1, r2, r3, r4, r5, r6, r7):
    """From (blocks, 8) tensors, one for each row of a block, to those of its columns."""
    # A new last axis for each bit of the row's number, the highest bit first.
    halves = tl.join(
        tl.join(tl.join(r0, r4), tl.join(r2, r6)), tl.join(tl.join(r1, r5), tl.join(r3, r7))
    )
    blocks: tl.constexpr = r0.shape[0]
    bits = tl.reshape(halves, (blocks, 2, 2, 2, 2, 2, 2))
    turned = tl.permute(bits, (0, 4, 5, 6, 1, 2, 3))
    low0, low1 = tl.split(tl.reshape(turned, (blocks, 8, 2, 2, 2)))
    c0, c4, c2, c6 = _quarters(low0)
    c1, c5, c3, c7 = _quarters(low1)
    return c0, c1, c2, c3, c4, c5, c6, c7


@triton.jit
def _quarters(low):
    middle0, middle1 = tl.split(low)
    a, b = tl.split(middle0)
    c, d = tl.split(middle1)
    return a, b, c, d
