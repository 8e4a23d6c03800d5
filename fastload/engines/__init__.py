"""Engines: ways to turn a slice of a plan into a batch. Each is imported when it is asked for."""

from __future__ import annotations

from importlib import import_module

import torch

from fastload.engines.pool import JobFacts
from fastload.engines.protocol import Engine, Job, Work
from fastload.errors import EngineError

__all__ = [
    "DECODES",
    "ENGINES",
    "Engine",
    "Job",
    "JobFacts",
    "Work",
    "check_engine",
    "engine_class",
    "makes_on",
]

ENGINES = {
    "native": {
        "cpu": ("fastload.engines.native", "NativeEngine"),
        "cuda": ("fastload.engines.cuda.engine", "CudaEngine"),
    },
    "dali": {
        "cpu": ("fastload.engines.dali.engine", "DaliEngine"),
        "cuda": ("fastload.engines.dali.engine", "DaliEngine"),
    },
    "ffcv": {"cpu": ("fastload.engines.ffcv", "FfcvEngine")},
    "torch": {"cpu": ("fastload.engines.torch", "TorchEngine")},
}
"""Name of each engine; the kinds of device it makes images on, with the module and the class."""

DECODES = ("exact", "fast")
"""exact: Pillow's pixels. fast: near those, where JPEGs are made smaller."""


def check_engine(name: str, decode: str) -> None:
    """Refuse a name that is none of the choices.

    Raises:
        EngineError: the engine or the way to decode is unknown.
    """
    if name not in ENGINES:
        raise EngineError(f"There is no engine {name!r}: choose one of auto, {', '.join(ENGINES)}.")
    if decode not in DECODES:
        raise EngineError(f"There is no decode={decode!r}: choose one of {', '.join(DECODES)}.")


def makes_on(name: str, device: torch.device) -> bool:
    """Whether an engine makes images on a device itself."""
    return device.type in ENGINES[name]


def engine_class(name: str, device: torch.device) -> type[Engine]:
    """The class of an engine for a device that it makes images on.

    Raises:
        EngineError: what the engine needs is not installed.
    """
    module, kind = ENGINES[name][device.type]
    found: type[Engine] = getattr(import_module(module), kind)
    return found
