"""ImageFolder in an environment where Pillow-SIMD takes Pillow's place."""

from __future__ import annotations

from benchmarks.peers.imagefolder import load
from benchmarks.peers.pillow_simd import VERSION

__all__ = ["VERSION", "load"]
