"""OpenCV's decoder."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.job import Job
from benchmarks.whole_decode import decoding
from benchmarks.worker import Window

VERSION = f"OpenCV {cv2.__version__}"
AS_STORED = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION


def decode(job: Job) -> Window:
    """To RGB; OpenCV's own habit is BGR."""
    cv2.setNumThreads(1)

    def decode_file(file: bytes) -> npt.NDArray[np.uint8]:
        return cv2.imdecode(np.frombuffer(file, np.uint8), AS_STORED)

    return decoding(job, decode_file)
