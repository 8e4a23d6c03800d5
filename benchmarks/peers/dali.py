"""NVIDIA DALI on the CPU: its file reader and its decoder fused with the random crop.

Its batches stay in DALI's own buffers, interleaved (HWC): handing them on as planar torch tensors
would cost it more.
"""

from __future__ import annotations

from collections.abc import Iterator

from nvidia import dali
from nvidia.dali import fn, pipeline_def, types

from benchmarks.job import SIDE, Job
from benchmarks.recipes import only_train_uint8
from benchmarks.worker import Window

VERSION = f"DALI {dali.__version__}"
IN_FLIGHT = 2


@pipeline_def
def train(photos: str) -> tuple[dali.data_node.DataNode, dali.data_node.DataNode]:
    files, labels = fn.readers.file(file_root=photos, random_shuffle=True, name="files")
    images = fn.decoders.image_random_crop(
        files,
        random_area=[0.08, 1.0],
        random_aspect_ratio=[3 / 4, 4 / 3],
        output_type=types.RGB,
    )
    images = fn.resize(images, size=(SIDE, SIDE), interp_type=types.INTERP_LINEAR, antialias=True)
    return fn.flip(images, horizontal=fn.random.coin_flip()), labels


def load(job: Job) -> Window:
    """One window is ``job.passes`` runs over the folder; nothing is left in flight at its end."""
    only_train_uint8(job.recipe, "DALI")
    pipeline = train(
        job.photos,
        batch_size=job.batch,
        num_threads=job.threads,
        device_id=None,
        prefetch_queue_depth=IN_FLIGHT,
    )
    pipeline.build()
    batches = job.passes * pipeline.epoch_size("files") // job.batch

    def epoch() -> Iterator[int]:
        # Scheduled by hand: run() would decode ahead for the next window while nobody's clock runs.
        ahead = min(IN_FLIGHT, batches)
        for _ in range(ahead):
            pipeline.schedule_run()
        for done in range(batches):
            images, _labels = pipeline.share_outputs()
            yield len(images)
            pipeline.release_outputs()
            if done + ahead < batches:
                pipeline.schedule_run()

    return epoch
