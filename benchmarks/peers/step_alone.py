"""The training step on one batch that is in memory: what no loader can be quicker than."""

from __future__ import annotations

import torch

from benchmarks.job import SIDE, Job
from benchmarks.train_step import training
from benchmarks.worker import Window

VERSION = f"torch {torch.__version__}"
IMAGES_OF_A_PASS = 1000


def train(job: Job) -> Window:
    """One window has as many images as ``job.passes`` over a thousand photos."""
    images = torch.randint(256, (job.batch, 3, SIDE, SIDE), dtype=torch.uint8)
    labels = torch.randint(20, (job.batch,))
    batches = [(images, labels)] * (job.passes * IMAGES_OF_A_PASS // job.batch)
    return training(batches)
