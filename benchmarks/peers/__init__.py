"""The peers: what each needs to be installed, and on which bytes it works.

One adapter a peer lies beside this file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Peer:
    """How a peer is had.

    Attributes:
        bytes: which bytes it reads, for the table.
        packs: it loads what its own writer made of the label folder.
        requirements: what pip installs into its own environment; none: it runs in the runner's.
        system: Debian packages that the build needs.
        build: environment variables of the build.
        environment: the peer in whose environment it runs, where that is another one.

    """

    bytes: str
    packs: bool = False
    requirements: tuple[str, ...] = ()
    system: tuple[str, ...] = ()
    build: Mapping[str, str] = field(default_factory=dict)
    environment: str = ""


PEERS: dict[str, Peer] = {
    "fastload": Peer("its pack, lossless: the same pixels", packs=True),
    "fastload_dct": Peer("its pack, lossless, codec dct: the same pixels", packs=True),
    "fastload_cached": Peer("its pack, all in its cache: the same pixels", packs=True),
    "fastload_quarter": Peer(
        "its pack, a quarter of the cache that all of it would need: the same pixels", packs=True
    ),
    "fastload_filling": Peer("its pack, the cache empty at first: the same pixels", packs=True),
    "fastload_dali": Peer(
        "its pack, lossless: the same pixels",
        packs=True,
        environment="dali",
    ),
    "fastload_dali_dct": Peer(
        "its pack, lossless, codec dct: the same pixels",
        packs=True,
        environment="dali",
    ),
    "imagefolder": Peer("the very same image files"),
    "dali": Peer("the very same JPEG files", requirements=("nvidia-dali-cuda130==2.4.0",)),
    "ffcv": Peer(
        ".beton, JPEG q95 of the same size",
        packs=True,
        requirements=("ffcv==1.0.2",),
        system=("pkg-config", "libopencv-dev", "libturbojpeg0-dev"),
    ),
    "fastload_ffcv": Peer("its pack, lossless, by FFCV's decoder", packs=True, environment="ffcv"),
    "ffcv_raw": Peer(".beton, raw pixels, 500 at most a side", packs=True, environment="ffcv"),
    "pillow": Peer("the same crops in memory"),
    "pillow_simd": Peer(
        "the same crops in memory",
        requirements=("pillow-simd==12.1.1.post0",),
        system=("libjpeg62-turbo-dev", "zlib1g-dev"),
        # Without it Pillow-SIMD is built for SSE4 alone.
        build={"CC": "cc -mavx2"},
    ),
}
