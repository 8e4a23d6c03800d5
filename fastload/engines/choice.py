"""``engine="auto"``: the engine that measurements show fastest.

On the CPU the native engine was the fastest wherever it was measured: several times DALI and FFCV
on the same photos, for any transform that is lowered (the README's table; ``make bench``). Which
one is fastest with decoding on a GPU has not been measured yet: until ``benchmarks/gpu`` has run
on one, what was measured is taken, native on the CPU, and only the batches go to the GPU.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from fastload.engines import check_engine, makes_on

__all__ = ["Choice", "choose_engine"]

_AUTO = "native"
_MAIN_MEMORY = torch.device("cpu")


@dataclass(frozen=True)
class Choice:
    """An engine, and where it makes the images.

    Attributes:
        engine: its name.
        device: where it makes them; batches are copied from there to the loader's device.
        reason: why it was chosen, "" where the user chose it.
    """

    engine: str
    device: torch.device
    reason: str


def choose_engine(name: str, decode: str, device: torch.device | None) -> Choice:
    """What to run for a loader's ``engine=``, where its batches go to ``device``.

    Raises:
        EngineError: there is no such engine, or no such way to decode.

    >>> choose_engine("auto", "exact", None).engine
    'native'
    """
    check_engine(_AUTO if name == "auto" else name, decode)
    if name == "auto":
        reason = "the fastest measured on the CPU"
        if device is not None and device.type != "cpu":
            reason += "; none has been measured on a GPU yet, engine='native' decodes there"
        return Choice(_AUTO, _MAIN_MEMORY, reason)
    own = device is not None and makes_on(name, device)
    return Choice(name, device if own and device is not None else _MAIN_MEMORY, "")
