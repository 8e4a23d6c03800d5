"""The peers: what each needs to be installed, and on which bytes it works.

One adapter a peer lies beside this file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Peer:
    """How a peer is had.

    Attributes:
        title: how a reader calls it; ``{}`` stands for what its adapter says of its version.
        bytes: which bytes it reads, for the table.
        packs: it loads what its own writer made of the label folder.
        requirements: what pip installs into its own environment; none: it runs in the runner's.
        system: Debian packages that it needs, to be built or to run.
        build: environment variables of the build.
        environment: the peer in whose environment it runs, where that is another one.

    """

    title: str
    bytes: str
    packs: bool = False
    requirements: tuple[str, ...] = ()
    system: tuple[str, ...] = ()
    build: Mapping[str, str] = field(default_factory=dict)
    environment: str = ""

    def called(self, version: str) -> str:
        """The title with the version that the adapter told."""
        return self.title.format(version)


PEERS: dict[str, Peer] = {
    "fastload": Peer("{}", "its pack, lossless: the same pixels", packs=True),
    "fastload_dct": Peer(
        "{}, dct pack", "its pack, lossless, codec dct: the same pixels", packs=True
    ),
    "fastload_cached": Peer(
        "{}, all cached", "its pack, all in its cache: the same pixels", packs=True
    ),
    "fastload_quarter": Peer(
        "{}, a quarter cached",
        "its pack, a quarter of the cache that all of it would need: the same pixels",
        packs=True,
    ),
    "fastload_filling": Peer(
        "{}, filling its cache", "its pack, the cache empty at first: the same pixels", packs=True
    ),
    "fastload_dali": Peer(
        "{}, CPU", "its pack, lossless: the same pixels", packs=True, environment="dali"
    ),
    "fastload_dali_dct": Peer(
        "{}, CPU, dct pack",
        "its pack, lossless, codec dct: the same pixels",
        packs=True,
        environment="dali",
    ),
    "fastload_ffcv": Peer(
        "{}", "its pack, lossless, by FFCV's decoder", packs=True, environment="ffcv"
    ),
    "replay": Peer("replay of batches in memory", "a few ready batches, copied: the ceiling"),
    "imagefolder": Peer("ImageFolder, Pillow, {}", "the very same image files"),
    "imagefolder_simd": Peer(
        "ImageFolder, {}", "the very same image files", environment="pillow_simd"
    ),
    "imagefolder_torchvision": Peer("ImageFolder, torchvision.io, {}", "the very same image files"),
    "dali": Peer(
        "{}, CPU", "the very same JPEG files", requirements=("nvidia-dali-cuda130==2.4.0",)
    ),
    "ffcv": Peer(
        "{}, JPEG q95",
        ".beton, JPEG q95 of the same size",
        packs=True,
        requirements=("ffcv==1.0.2",),
        system=("pkg-config", "libopencv-imgproc-dev", "libturbojpeg0-dev"),
        # A few megabytes of OpenCV in place of all of it.
        build={"PKG_CONFIG_PATH": str(Path(__file__).resolve().parents[2] / "tools" / "ffcv")},
    ),
    "ffcv_q90": Peer(
        "{}, JPEG q90", ".beton, JPEG q90 of the same size", packs=True, environment="ffcv"
    ),
    "ffcv_raw": Peer(
        "{}, raw pixels", ".beton, raw pixels, 500 at most a side", packs=True, environment="ffcv"
    ),
    "spdl": Peer(
        "{}, FFmpeg",
        "the very same JPEG files",
        requirements=("spdl==0.8.0",),
        # SPDL brings none of FFmpeg's libraries.
        system=("ffmpeg",),
    ),
    "spdl_torchvision": Peer("{}, torchvision.io", "the very same JPEG files", environment="spdl"),
    "litdata": Peer(
        "{}",
        "its chunks of the very same JPEG files",
        packs=True,
        requirements=("litdata==0.2.76",),
    ),
    "streaming": Peer(
        "{}",
        "its shards of the very same JPEG files",
        packs=True,
        requirements=("mosaicml-streaming==0.13.0",),
    ),
    "webdataset": Peer(
        "{}",
        "its shards of the very same JPEG files",
        packs=True,
        requirements=("webdataset==1.0.2",),
    ),
    "hf_datasets": Peer(
        "{}",
        "its Arrow files of the very same JPEG files",
        packs=True,
        requirements=("datasets==5.2.0",),
    ),
    "grain": Peer(
        "{}",
        "ArrayRecord files of the very same JPEG files",
        packs=True,
        requirements=("grain==0.2.18",),
    ),
    "torchdata_nodes": Peer("{}", "the very same image files", requirements=("torchdata==0.11.0",)),
    "step_alone": Peer("the step alone, {}", "one batch in memory, again and again"),
    "torchvision_io": Peer("torchvision.io, {}", "the very same JPEG files"),
    "simplejpeg": Peer("{}", "the very same JPEG files"),
    "opencv": Peer("{}", "the very same JPEG files"),
    "pillow": Peer("{}", "the same crops in memory"),
    "pillow_simd": Peer(
        "{}",
        "the same crops in memory",
        requirements=("pillow-simd==12.1.1.post0",),
        system=("libjpeg-dev", "zlib1g-dev"),
        # Without it Pillow-SIMD is built for SSE4 alone.
        build={"CC": "cc -mavx2"},
    ),
}
