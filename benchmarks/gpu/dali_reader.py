"""DALI with its own file reader, as its users have it: "mixed" decoders and its torch iterator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch

from benchmarks.gpu.entrant import Entrant, Epoch
from benchmarks.gpu.setting import Setting
from fastload.presets import MEAN, STD

SUFFIXES = ["*.jpg", "*.jpeg", "*.JPG", "*.JPEG"]
LOADS = (0.0, 0.35, 0.65, 0.9)
DEFAULT_LOAD = 0.65
IN_FLIGHT = 2


def pipeline(setting: Setting, fused: bool, threads: int, load: float) -> Any:
    """File reader, decoder, random crop, flip and normalisation.

    Args:
        setting: what all entrants share.
        fused: the decoder makes the crop; otherwise it decodes whole images.
        threads: of the CPU.
        load: share of images for the hardware decoder.
    """
    from nvidia.dali import fn, pipeline_def, types

    decoder = {"device": "mixed", "hw_decoder_load": load} if setting.on_gpu else {"device": "cpu"}
    resizing = {"size": (setting.side, setting.side), "interp_type": types.INTERP_LINEAR}
    crop = {"random_area": [0.08, 1.0], "random_aspect_ratio": [3 / 4, 4 / 3]}

    def graph() -> Any:
        files, labels = fn.readers.file(
            file_root=str(setting.photos), file_filters=SUFFIXES, random_shuffle=True, name="files"
        )
        if fused:
            images = fn.resize(
                fn.decoders.image_random_crop(files, **decoder, **crop), antialias=True, **resizing
            )
        else:
            images = fn.random_resized_crop(
                fn.decoders.image(files, **decoder), antialias=True, **crop, **resizing
            )
        images = fn.crop_mirror_normalize(
            images,
            dtype=types.FLOAT16,
            output_layout="CHW",
            mean=[255 * one for one in MEAN],
            std=[255 * one for one in STD],
            mirror=fn.random.coin_flip(),
        )
        return images, labels

    return pipeline_def(graph)(
        batch_size=setting.batch,
        num_threads=threads,
        device_id=(setting.device.index or 0) if setting.on_gpu else None,
        prefetch_queue_depth=IN_FLIGHT,
    )


@contextmanager
def opened(setting: Setting, fused: bool, threads: int, load: float) -> Iterator[Epoch]:
    """It has no bfloat16: torch makes it of float16."""
    from nvidia.dali.plugin.base_iterator import LastBatchPolicy
    from nvidia.dali.plugin.pytorch import DALIGenericIterator

    iterator = DALIGenericIterator(
        [pipeline(setting, fused, threads, load)],
        ["images", "labels"],
        reader_name="files",
        last_batch_policy=LastBatchPolicy.PARTIAL,
        auto_reset=True,
    )

    def epoch() -> Iterator[torch.Tensor]:
        for (batch,) in iterator:
            yield batch["images"].to(torch.bfloat16)

    yield epoch


def entrants(sweep: list[int]) -> list[Entrant]:
    """Each number of threads with DALI's own share, and each share with the most threads."""
    pairs = [(threads, DEFAULT_LOAD) for threads in sweep]
    pairs += [(max(sweep), load) for load in LOADS if load != DEFAULT_LOAD]
    return [
        Entrant(
            f"DALI's file reader, {'crop while decoding' if fused else 'whole images'}",
            threads,
            partial(opened, fused=fused, threads=threads, load=load),
            "nvidia.dali",
            load,
        )
        for fused in (True, False)
        for threads, load in pairs
    ]
