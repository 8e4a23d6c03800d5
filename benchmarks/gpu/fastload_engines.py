"""fastload's engines over packs of the photos."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch

import fastload
from benchmarks.gpu.entrant import Entrant, Epoch
from benchmarks.gpu.setting import Setting

CACHE = "8GB"


def loader(
    setting: Setting, engine: str, pack: str, threads: int, cache: str | int, device: Any
) -> fastload.DataLoader:
    """A shuffled loader with a seed; without a device its batches come in main memory."""
    return fastload.DataLoader(
        fastload.ImageFolder(setting.packs[pack], setting.transform()),
        setting.batch,
        shuffle=True,
        engine=engine,
        seed=0,
        num_workers=threads,
        cache=cache,
        device=device,
    )


@contextmanager
def opened(
    setting: Setting, engine: str, pack: str, threads: int, cache: str | int
) -> Iterator[Epoch]:
    """Batches as the loader's users have them."""
    device = setting.device if setting.on_gpu else None
    made = loader(setting, engine, pack, threads, cache, device)

    def epoch() -> Iterator[torch.Tensor]:
        for images, _labels in made:
            yield images

    try:
        yield epoch
    finally:
        made.close()


def entrants(sweep: list[int]) -> list[Entrant]:
    """DALI on both kinds of JPEG packs; the native engine on JPEG and on `dct` packs."""
    kinds = [("dali", "seekable", 0), ("dali", "verbatim", 0)]
    kinds += [("native", pack, cache) for pack in ("seekable", "dct") for cache in (0, CACHE)]
    return [
        Entrant(
            f"fastload {engine}, {pack} pack, {'warm cache' if cache else 'no cache'}",
            threads,
            partial(opened, engine=engine, pack=pack, threads=threads, cache=cache),
            "nvidia.dali" if engine == "dali" else "torch",
        )
        for engine, pack, cache in kinds
        for threads in sweep
    ]
