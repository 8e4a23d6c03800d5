"""fastload with DALI computing behind the native library's decoding of a dct pack, on the CPU."""

from __future__ import annotations

from benchmarks.peers.fastload_dali import VERSION as VERSION
from benchmarks.peers.fastload_dali import load as load
from benchmarks.peers.fastload_dct import pack as pack
