"""Engines: ways to turn a slice of a plan into a batch. Each is imported when it is asked for."""

from __future__ import annotations

from importlib import import_module

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
    "start_engine",
]

ENGINES = {
    "native": ("fastload.engines.native", "NativeEngine"),
    "ffcv": ("fastload.engines.ffcv", "FfcvEngine"),
    "torch": ("fastload.engines.torch", "TorchEngine"),
}
"""Name of each engine, the module it lives in and its class."""

DECODES = ("exact", "fast")
"""exact: Pillow's pixels. fast: near those, where JPEGs are made smaller."""


def check_engine(name: str, decode: str) -> None:
    """Refuse a name that is none of the choices.

    Raises:
        EngineError: the engine or the way to decode is unknown.
    """
    if name not in ENGINES:
        raise EngineError(f"There is no engine {name!r}: choose one of {', '.join(ENGINES)}.")
    if decode not in DECODES:
        raise EngineError(f"There is no decode={decode!r}: choose one of {', '.join(DECODES)}.")


def start_engine(name: str, threads: int, decode: str) -> Engine:
    """Start an engine.

    Args:
        name: one of ``ENGINES``.
        threads: how many threads compute, at least 1.
        decode: one of ``DECODES``.

    Raises:
        EngineError: the engine is unknown or does not run on this machine.
    """
    check_engine(name, decode)
    module, kind = ENGINES[name]
    engine: Engine = getattr(import_module(module), kind)(threads, decode)
    return engine
