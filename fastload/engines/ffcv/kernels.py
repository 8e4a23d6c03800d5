"""Compiled code that calls FFCV's C functions; numba keeps it on disk between processes.

FFCV calls its C functions through ctypes, whose addresses numba will not keep. Here they have
names of their own that are looked up when the code is loaded.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import ffcv._libffcv
import llvmlite.binding
import numba
import numpy as np
from ffcv.utils import cast_int_to_byte_ptr
from numba import types

__all__ = ["KERNELS", "UNDECODABLE", "decode_boxes", "imdecode", "read_record", "seed_draws"]

UNDECODABLE = "TurboJPEG cannot decode a record"
"""What ``imdecode`` raises."""

_LIBRARY = ctypes.CDLL(ffcv._libffcv.__file__)


def _external(name: str, signature: Any) -> Any:
    """One of FFCV's C functions, for compiled code."""
    own_name = f"fastload_ffcv_{name}"
    address = ctypes.cast(getattr(_LIBRARY, name), ctypes.c_void_p).value
    llvmlite.binding.add_symbol(own_name, address)
    return types.ExternalFunction(own_name, signature)


_bytes, _size, _flag = types.uintp, types.uint32, types.uint8
_imdecode = _external(
    "imdecode",
    types.int32(
        *(_bytes, types.uint64, _size, _size, _bytes),
        *(_size, _size, _size, _size, _size, _size, _flag, _flag),
    ),
)
_resize = _external("resize", types.void(*[types.int64] * 11))

_compiled: Callable[[Any], Any] = numba.njit(cache=True, nogil=True, error_model="numpy")


@_compiled
def read_record(pointer: Any, state: Any) -> Any:
    """The bytes of a record: FFCV's ``memory_read``.

    Args:
        pointer: what the metadata has as ``data_ptr``.
        state: pointers in ascending order, addresses and lengths, uint64.
    """
    place = np.searchsorted(state[0], pointer)
    return numba.carray(cast_int_to_byte_ptr(state[1][place]), (state[2][place],))


@_compiled
def decode_boxes(batch_indices: Any, memory: Any, metadata: Any, state: Any) -> Any:
    """Decode each image, crop it to its box and resize it, as the metadata say.

    Args:
        batch_indices: integers, shape (n,), rows of the metadata.
        memory: uint8 for one decoded image; uint8 for all results; int32, shape (n,), for the
            decoder's codes (0: decoded).
        metadata: dtype ``PLANNED``. Where ``out_height`` is 0 the result is the whole image.
        state: of ``read_record``.
    """
    scratch, results, codes = memory
    for place in range(len(batch_indices)):
        row = metadata[batch_indices[place]]
        data = read_record(row["data_ptr"], state)
        height, width = row["height"], row["width"]
        out = results.ctypes.data + row["out"]
        pixels = scratch.ctypes.data if row["out_height"] > 0 else out
        codes[place] = _imdecode(
            data.ctypes.data, data.size, height, width, pixels, height, width, 0, 0, 1, 1, 0, 0
        )
        if codes[place] == 0 and row["out_height"] > 0:
            top, left = row["top"], row["left"]
            bottom, right = top + row["box_height"], left + row["box_width"]
            _resize(
                *(0, pixels, height, width, top, bottom, left, right),
                *(out, row["out_height"], row["out_width"]),
            )
    return codes


@_compiled
def imdecode(
    source: Any,
    dst: Any,
    source_height: Any,
    source_width: Any,
    crop_height: Any,
    crop_width: Any,
    offset_x: Any,
    offset_y: Any,
    scale_factor_num: Any,
    scale_factor_denom: Any,
    enable_crop: Any,
    do_flip: Any,
) -> Any:
    """FFCV's ``libffcv.imdecode``, which ignores failures: this one raises ValueError."""
    code = _imdecode(
        *(source.ctypes.data, source.size, source_height, source_width, dst.ctypes.data),
        *(crop_height, crop_width, offset_x, offset_y, scale_factor_num, scale_factor_denom),
        *(np.uint8(enable_crop), np.uint8(do_flip)),
    )
    if code != 0:
        raise ValueError(UNDECODABLE)
    return code


@_compiled
def seed_draws(seed: Any) -> None:
    """Seed what compiled code draws in this thread (each has its own generator)."""
    np.random.seed(seed)  # noqa: NPY002 (compiled code has no other one)


KERNELS = (read_record, decode_boxes, imdecode, seed_draws)
"""All that is compiled here."""
