"""simplejpeg, a thin wrapper of libjpeg-turbo."""

from __future__ import annotations

from functools import partial
from importlib.metadata import version

import simplejpeg

from benchmarks.job import Job
from benchmarks.whole_decode import decoding
from benchmarks.worker import Window

VERSION = f"simplejpeg {version('simplejpeg')}"


def decode(job: Job) -> Window:
    """With libjpeg's usual upsampling and inverse DCT, as the others have it."""
    exact = partial(simplejpeg.decode_jpeg, colorspace="RGB", fastdct=False, fastupsample=False)
    return decoding(job, exact)
