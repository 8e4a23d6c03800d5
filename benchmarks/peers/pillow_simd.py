"""Pillow-SIMD, which takes Pillow's place in an environment of its own: the same calls."""

from __future__ import annotations

import PIL

from benchmarks.peers.pillow import decode, resize

if ".post" not in PIL.__version__:
    raise ImportError(f"Pillow {PIL.__version__} was imported in Pillow-SIMD's place")

VERSION = f"Pillow-SIMD {PIL.__version__}"

__all__ = ["VERSION", "decode", "resize"]
