"""Importing FFCV, which sets the threads of numba and of torch as it is imported."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from fastload.errors import EngineError

__all__ = ["compiling", "exclusively", "require_ffcv"]

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
        import numba.typed

        with _COMPILER_LOCK:
            _import(numba)
    except (ImportError, OSError) as error:
        raise EngineError(f"{_HOW_TO_INSTALL} ({type(error).__name__}: {error})") from error


def _import(numba: Any) -> None:
    # Setting numba's number would also start as many threads, which nobody here uses. And FFCV
    # compiles a dictionary of two words, for seconds: a plain one does.
    with (
        _replaced(numba, "set_num_threads", _ignored),
        _replaced(torch, "set_num_threads", _ignored),
        _replaced(numba.typed, "Dict", dict),
    ):
        import ffcv.loader  # noqa: F401 (all of FFCV)
    # What FFCV has taken hold of meanwhile is to be the real thing for those who use FFCV itself.
    for name, module in list(sys.modules.items()):
        if name.startswith("ffcv."):
            if getattr(module, "set_num_threads", None) is _ignored:
                vars(module)["set_num_threads"] = numba.set_num_threads
            if getattr(module, "Dict", None) is dict:
                vars(module)["Dict"] = numba.typed.Dict


def _ignored(threads: int) -> None:
    """In place of setting a number of threads."""


@contextmanager
def _replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    saved = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, saved)


@contextmanager
def exclusively() -> Iterator[None]:
    """Let this thread alone compile, or read compiled code from disk.

    FFCV's own Loader makes array types of numba's read-only in place, whoever else has compiled
    with them: numba does not find that any more. In here the types that our kernels were compiled
    with are as they were then, and behind it as FFCV left them.
    """
    from fastload.engines.ffcv.kernels import KERNELS

    with _COMPILER_LOCK:
        # Past the ordered dictionary's own methods, which look each key up.
        keys = [key for kernel in KERNELS for key in dict.keys(kernel.overloads)]
        kinds = [kind for key in keys for kind in key if "mutable" in vars(kind)]
        saved = [kind.mutable for kind in kinds]
        for kind in kinds:
            kind.mutable = True
        try:
            yield
        finally:
            for kind, mutable in zip(kinds, saved, strict=True):
                kind.mutable = mutable


@contextmanager
def compiling(*, enabled: bool) -> Iterator[None]:
    """Let FFCV make code for one thread inside of the block, then as before.

    Its parallel loops run in numba's threads, which two loaders must not use at once and which
    do not outlive a fork.

    Args:
        enabled: whether FFCV compiles the code; not where it is compiled already.
    """
    from ffcv.pipeline.compiler import Compiler

    with exclusively():
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
