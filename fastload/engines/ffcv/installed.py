"""Importing FFCV, which sets the threads of numba and of torch as it is imported."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from fastload.errors import EngineError

__all__ = ["compiling", "require_ffcv"]

_HOW_TO_INSTALL = (
    'engine="ffcv" needs FFCV, which is built from source. Install the development packages of '
    "OpenCV and TurboJPEG (on Debian: apt-get install g++ pkg-config libopencv-dev "
    'libturbojpeg0-dev), then: pip install "fastload[ffcv]"'
)
# FFCV keeps how to compile in attributes of a class.
_COMPILER_LOCK = threading.RLock()


def require_ffcv() -> None:
    """Import FFCV and leave the thread settings of numba and torch as they are.

    Raises:
        EngineError: it is not installed, or does not load.
    """
    try:
        import numba

        with _COMPILER_LOCK:
            _import(numba)
    except (ImportError, OSError) as error:
        raise EngineError(f"{_HOW_TO_INSTALL} ({type(error).__name__}: {error})") from error


def _ignore(threads: int) -> None:
    del threads


def _import(numba: Any) -> None:
    # Setting numba's number would also start as many threads, which nobody here uses.
    saved = numba.set_num_threads, torch.set_num_threads
    numba.set_num_threads, torch.set_num_threads = _ignore, _ignore  # type: ignore[assignment]
    try:
        from ffcv.pipeline import compiler
    finally:
        numba.set_num_threads, torch.set_num_threads = saved
    if compiler.set_num_threads is _ignore:
        compiler.set_num_threads = saved[0]


@contextmanager
def compiling(*, enabled: bool) -> Iterator[None]:
    """Let FFCV make code for one thread inside of the block, then as before.

    Its parallel loops run in numba's threads, which two loaders must not use at once and which
    do not outlive a fork.

    Args:
        enabled: whether FFCV compiles the code; not where it is compiled already.
    """
    from ffcv.pipeline.compiler import Compiler

    with _COMPILER_LOCK:
        saved = Compiler.is_enabled, Compiler.num_threads, Compiler.__dict__["compile"]
        Compiler.is_enabled, Compiler.num_threads = enabled, 1
        Compiler.compile = classmethod(_seeing_failures(Compiler.compile))
        try:
            yield
        finally:
            Compiler.is_enabled, Compiler.num_threads, Compiler.compile = saved


def _seeing_failures(compile_code: Callable[..., Any]) -> Callable[..., Any]:
    """FFCV's ``compile``, but for its decode function, which ignores failures."""
    from ffcv.libffcv import imdecode as blind

    from fastload.engines.ffcv.kernels import imdecode

    def compiled(kind: Any, code: Any, signature: Any = None) -> Any:
        del kind
        return imdecode if code is blind else compile_code(code, signature)

    return compiled
